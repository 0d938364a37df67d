"""Settings in, a ready Assistant out: the model starts in the background while the index is opened."""

from __future__ import annotations

from collections.abc import Callable

from assistant.answer import Assistant
from assistant.catalog import current_model
from assistant.engine import Engine
from assistant.settings import Settings
from vectorstore.build import build_index
from vectorstore.embed import open_embedder
from vectorstore.errors import IndexMissing
from vectorstore.index import Index

Progress = Callable[[str, int, int], None]


def open_assistant(settings: Settings, *, on_build: Callable[[], None] | None = None) -> Assistant:
    """Open the index, building it from the seeds where there is none, and start the chosen model."""
    spec = current_model(settings.data)
    engine = Engine(spec, threads=settings.threads, home=settings.data)
    engine.start()
    try:
        index = open_index(settings, on_build=on_build)
    except BaseException:
        engine.close()
        raise
    return Assistant(index, spec, engine)


def open_index(settings: Settings, *, on_build: Callable[[], None] | None = None) -> Index:
    """Open the index, building it from the seeds where there is none."""
    embedder = open_embedder(settings.embedder)
    try:
        return Index.open(settings.data, embedder)
    except IndexMissing:
        if on_build is not None:
            on_build()
        build_index([settings.seeds], data=settings.data, embedder=embedder)
        return Index.open(settings.data, embedder)
