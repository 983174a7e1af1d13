"""What a study hands on beside its report."""
