"""Settings in, a ready Assistant out: the model starts in the background while the index is opened.

Which model: the server of ``ASSISTANT_LLM_URL`` where one is set, else the one that was chosen with ``assistant model use``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.answer import Assistant
from assistant.errors import ModelUnusable
from assistant.llm.catalog import Form, ModelSpec, current_model, list_models
from assistant.llm.change import Models, start_engine
from assistant.llm.engine import Engine, LanguageModel
from assistant.llm.exchange import read_address
from assistant.llm.held import Held
from assistant.llm.memory import check_memory
from assistant.llm.remote import connect
from assistant.llm.vocabulary import Vocabulary, read_vocabulary
from assistant.settings import Settings
from vectorstore.embed import open_embedder
from vectorstore.errors import IndexMissing

if TYPE_CHECKING:
    from assistant.library.visible import Visible

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
            ),
            list(_readers(settings)),
        )
        return server.spec, server
    spec = current_model(settings.data)
    if not settings.ignore_memory:
        check_memory(spec)
    engine = Engine(spec, threads=settings.threads, home=settings.data)
    engine.start()
    return spec, engine


def open_models(settings: Settings, held: Held, *, may_change: bool) -> Models:
    """Give the models of this machine, among which the one that is held may be exchanged."""
    return Models(
        held,
        settings.data,
        partial(start_engine, threads=settings.threads, home=settings.data),
        server=urlsplit(settings.llm_url).netloc or settings.llm_url,
        may_change=may_change,
        ignore_memory=settings.ignore_memory,
    )


def _readers(settings: Settings) -> Iterator[Vocabulary]:
    """Vocabularies of the readers that are known here: a server may have one of them."""
    for spec in list_models(settings.data):
        if spec.form is Form.READER:
            with suppress(ModelUnusable):  # its file is gone; that is no matter of the server's
                yield read_vocabulary(spec.path)


def open_index(settings: Settings, *, on_build: Callable[[], None] | None = None) -> Visible:
    """Open the index, building it from the seeds where there is none; what was removed on the page is not in it."""
    from assistant.library.amend import amend_given, settle
    from assistant.library.state import Shelf
    from assistant.library.visible import Visible
    from vectorstore.build import build_index  # Chroma, which a model alone does not need
    from vectorstore.index import Index

    shelf = Shelf(settings.data)
    embedder = open_embedder(settings.embedder)
    try:
        return Visible(Index.open(settings.data, embedder), shelf)
    except IndexMissing:
        if on_build is not None:
            on_build()
        report = build_index(
            [settings.seeds], data=settings.data, embedder=embedder, amend=lambda given: amend_given(shelf, given)
        )
        settle(shelf, report.documents, anew=True)
        return Visible(Index.open(settings.data, embedder), shelf)
