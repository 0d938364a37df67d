"""What can go wrong between a question and its answer.

AssistantError
├── InputInvalid        the question, the history or an option cannot be used
├── LibraryInvalid      a document cannot be added, removed or labelled, or the list of them is damaged
├── PromptInvalid       a file in prompts/ is broken
├── ModelMissing        the model file is not there, or its name is unknown
├── ModelDamaged        the model file is not what its checksum says
├── ModelUnusable       llama.cpp or a server cannot load or run the model
├── DownloadFailed      a model cannot be fetched, or what came is not it
├── GrammarInvalid      llama.cpp does not accept a grammar
├── EngineBusy          the queue is full
├── EngineTimeout       the deadline passed
└── EngineCrashed       the worker process died; it is started anew for the next question

Messages say what, where, and what to do next; they are shown to the user as they are.
"""

from __future__ import annotations


class AssistantError(Exception):
    """Base of all errors that a user can do something about."""


class InputInvalid(AssistantError):
    """The question, the history or an option cannot be used."""


class LibraryInvalid(AssistantError):
    """A document cannot be added, removed or labelled, or the list of them is damaged."""


class PromptInvalid(AssistantError):
    """A file in ``prompts/`` is broken."""


class ModelMissing(AssistantError):
    """The model file is not there, or its name is unknown."""


class ModelDamaged(AssistantError):
    """The model file is not what its checksum says."""


class ModelUnusable(AssistantError):
    """llama.cpp cannot load or run the model."""


class DownloadFailed(AssistantError):
    """A model cannot be fetched, or what came is not it."""


class GrammarInvalid(AssistantError):
    """llama.cpp does not accept a grammar."""


class EngineBusy(AssistantError):
    """The queue is full."""


class EngineTimeout(AssistantError):
    """The deadline passed."""


class EngineCrashed(AssistantError):
    """The worker process died; it is started anew for the next question."""
