"""Parsers run in a child process that may be killed at any moment; the parent never dies."""

from dsreview.sandbox.parent import Sandbox
from dsreview.sandbox.task import Limits, Task

__all__ = ["Limits", "Sandbox", "Task"]
