"""What can go wrong between a file and its evidence.

StoreError
├── SourceUnreadable    a file of the corpus cannot be read
├── CorrectionInvalid   sources.toml does not fit its form or the file it corrects
├── IndexMissing        there is no index yet
├── IndexStale          the index was made by another embedder or program than asked for
├── IndexDamaged        a file of the index is not what was written
├── IndexBusy           another process is writing the index
└── EmbedderUnusable    the embedder's name is unknown, or its file cannot be used

Messages say what, where, and what to do next; they are shown to the user as they are.
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of all errors of the vector store that a user can do something about."""


class SourceUnreadable(StoreError):
    """A file of the corpus cannot be read."""


class CorrectionInvalid(StoreError):
    """``sources.toml`` does not fit its form, or the file that it corrects."""


class IndexMissing(StoreError):
    """There is no index yet."""


class IndexStale(StoreError):
    """The index was made by another embedder or program than asked for."""


class IndexDamaged(StoreError):
    """A file of the index is not what was written."""


class IndexBusy(StoreError):
    """Another process is writing the index."""


class EmbedderUnusable(StoreError):
    """The embedder's name is unknown, or its file cannot be used."""
