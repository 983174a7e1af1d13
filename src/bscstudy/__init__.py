"""bscstudy: from the raw files of a Breakthrough Series Collaborative study to models, themes, exhibits and a report."""

__version__ = "0.1.0"
