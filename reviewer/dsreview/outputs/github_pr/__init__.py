"""A report as one review of a pull request on GitHub."""
