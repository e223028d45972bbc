"""dsreview as a git hook: what git says, when to stop it, and how it is installed."""
