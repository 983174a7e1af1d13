"""Meta-inferences signed and listed by commands, and what they refer to checked."""
