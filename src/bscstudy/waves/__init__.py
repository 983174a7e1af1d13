"""A new wave joins a study: files are matched with the codebook, the configuration is proposed, and what changed is said."""
