"""Every error that dsengine raises on purpose.

A message says where, what, and what is allowed: one line, lower case, no stop.
"""


class EngineError(Exception):
    """Base of the tree."""


class ModelNotFoundError(EngineError):
    """No folder and no entry of the local cache has that name."""


class UnsupportedModelError(EngineError):
    """A model folder that is incomplete, damaged, unsafe or of no kind known here."""


class PromptTooLongError(EngineError):
    """A prompt and its answer do not fit the model's window."""


class GrammarError(EngineError):
    """A JSON schema that no grammar can be made of."""


class DeviceError(EngineError):
    """A device that is absent, computes wrongly or has too little memory."""
