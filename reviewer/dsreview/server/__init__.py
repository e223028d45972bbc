"""The resident server: one process that keeps a model warm for every review of a user."""
