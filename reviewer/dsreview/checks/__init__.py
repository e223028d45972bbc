"""Reviewers that need no model: rules and impact."""

from dsreview.checks.base import CheckResult, Failure

__all__ = ["CheckResult", "Failure"]
