"""A code reviewer whose model runs inside the process."""

__version__ = "0.1.0"
