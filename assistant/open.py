"""Settings in, a ready Assistant out: the model starts in the background while the index is opened.

Which model: the server of ``ASSISTANT_LLM_URL`` where one is set, else the one that was chosen with ``assistant model use``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.answer import Assistant
from assistant.llm.catalog import ModelSpec, current_model
from assistant.llm.engine import Engine, LanguageModel
from assistant.llm.exchange import read_address
from assistant.llm.memory import check_memory
from assistant.llm.remote import connect
from assistant.settings import Settings
from vectorstore.embed import open_embedder
from vectorstore.errors import IndexMissing

if TYPE_CHECKING:
    from vectorstore.index import Index

Progress = Callable[[str, int, int], None]


def open_assistant(settings: Settings, *, on_build: Callable[[], None] | None = None) -> Assistant:
    """Open the index, building it from the seeds where there is none, and start the chosen model."""
    spec, engine = open_model(settings)
    try:
        index = open_index(settings, on_build=on_build)
    except BaseException:
        engine.close()
        raise
    return Assistant(index, spec, engine)


def open_model(settings: Settings) -> tuple[ModelSpec, LanguageModel]:
    """Connect to the server, or start the chosen model; refused before it is loaded where it does not fit into memory."""
    if settings.llm_url:
        server = connect(
            read_address(
                settings.llm_url,
                key=settings.llm_key,
                key_file=settings.llm_key_file,
                model=settings.llm_model,
                kind=settings.llm_kind,
                context=settings.llm_context,
            )
        )
        return server.spec, server
    spec = current_model(settings.data)
    if not settings.ignore_memory:
        check_memory(spec)
    engine = Engine(spec, threads=settings.threads, home=settings.data)
    engine.start()
    return spec, engine


def open_index(settings: Settings, *, on_build: Callable[[], None] | None = None) -> Index:
    """Open the index, building it from the seeds where there is none."""
    from vectorstore.build import build_index  # Chroma, which a model alone does not need
    from vectorstore.index import Index

    embedder = open_embedder(settings.embedder)
    try:
        return Index.open(settings.data, embedder)
    except IndexMissing:
        if on_build is not None:
            on_build()
        build_index([settings.seeds], data=settings.data, embedder=embedder)
        return Index.open(settings.data, embedder)
