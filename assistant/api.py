"""Documents or a data folder in, an assistant to ask from Python out: ``from assistant import Assistant``.

Importing it makes the process offline, as the command line does (:mod:`assistant.environment`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Event as Signal
from types import TracebackType

from assistant import answer
from assistant.errors import InputInvalid
from assistant.llm.catalog import ModelSpec
from assistant.llm.engine import LanguageModel
from assistant.settings import Settings, read_settings
from assistant.types import Answer, Event, Role, Turn
from vectorstore.types import Document, Embedder, Media, ParsedDocument, Scope, SourceFacts

Said = Turn | Mapping[str, str]  # a turn, or {"role": "user" | "assistant", "content": "…"}
Given = str | Path  # a text, or the path of a file or folder
_FACTS = "sources.toml"  # beside the files: titles, dates, corrected labels


class Assistant(answer.Assistant):
    """Answers questions; every sentence of an answer cites its source and is checked against it.

    Use :meth:`open` or :meth:`over`, and close it, best with ``with``. Safe for several threads.
    """

    def __init__(self, index: answer.Evidence, spec: ModelSpec, engine: LanguageModel, *, shared: bool = False) -> None:
        """``shared``: the engine belongs to another assistant and is not closed with this one."""
        super().__init__(index, spec, engine)
        self._shared = shared

    @classmethod
    def open(cls, data: Path | str | None = None, *, seeds: Path | str | None = None) -> Assistant:
        """Open the index of a data folder and start the chosen model; the index is built where there is none.

        Args:
            data: the folder of ``ASSISTANT_DATA``.
            seeds: the documents that are indexed where there is no index yet.

        Raises:
            AssistantError: of the model.
            StoreError: of the index.
        """
        from assistant.open import open_index, open_model

        settings = read_settings()
        settings = replace(
            settings,
            data=settings.data if data is None else Path(data),
            seeds=settings.seeds if seeds is None else Path(seeds),
        )
        spec, engine = open_model(settings)
        try:
            return cls(open_index(settings), spec, engine)
        except BaseException:
            engine.close()
            raise

    @classmethod
    def over(cls, documents: Sequence[Given] | Mapping[str, Given], *, model: Assistant | None = None) -> Assistant:
        """Answer from documents in memory; nothing is written to the disk.

        Args:
            documents: texts as ``str``, files and folders as ``Path``; or names with these, which then are the sources.
            model: an assistant whose model is used, so that no other one is started.

        Raises:
            InputInvalid: a text that looks like the path of a file.
            StoreError: a file that cannot be read, or nothing to search in all of them.
        """
        from vectorstore.memory import MemoryIndex

        settings = read_settings()
        index = MemoryIndex(_parse(documents), _open_embedder(settings.embedder))
        if model is not None:
            running = model.held.current
            made = cls(index, running.spec, running.engine, shared=True)
            made.held = model.held  # also when that changes its model
            return made
        return cls(index, *_open_model(settings))

    def ask(self, question: str, history: Sequence[Said] = (), *, scope: Scope | None = None) -> Answer:
        """Answer a question, given the conversation before it; ``.to_json()`` of the answer is its public form.

        Raises:
            InputInvalid: an empty question, or a turn that is none.
            AssistantError: of the model.
        """
        return super().ask(question, _read_turns(history), scope=scope)

    def stream(
        self,
        question: str,
        history: Sequence[Said] = (),
        *,
        scope: Scope | None = None,
        stop: Signal | None = None,
    ) -> Iterator[Event]:
        """Answer step by step: Understood, Found, Piece…, Finished; setting ``stop`` ends it with what was checked."""
        return super().stream(question, _read_turns(history), scope=scope, stop=stop)

    def close(self) -> None:
        """Stop the model, where it is this assistant's own, and release the index."""
        if self._shared:
            self._index.close()
        else:
            super().close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _open_model(settings: Settings) -> tuple[ModelSpec, LanguageModel]:
    from assistant.open import open_model

    return open_model(settings)


def _open_embedder(name: str | None) -> Embedder:
    """The embedder; the built-in one is a table that all may share, and reading it takes longer than a few pages do."""
    from vectorstore.embed import open_embedder

    return _built_in() if name is None else open_embedder(name)


@cache
def _built_in() -> Embedder:
    from vectorstore.embed import open_embedder

    return open_embedder(None)


def _parse(documents: Sequence[Given] | Mapping[str, Given]) -> list[ParsedDocument]:
    if isinstance(documents, str | Path):
        raise InputInvalid("请给出列表，例如 [Path('报告.txt')]。 Give a list, as in [Path('report.txt')].")
    given = isinstance(documents, Mapping)
    named = (
        documents.items() if isinstance(documents, Mapping) else ((f"text-{n}", d) for n, d in enumerate(documents, 1))
    )
    return [parsed for name, d in named for parsed in _read(name, d, named=given)]


def _read(name: str, given: Given, *, named: bool) -> Iterator[ParsedDocument]:
    from vectorstore.parse import parse

    if isinstance(given, Path):
        for document, facts in _read_files(given):
            yield parse(replace(document, source=name) if named and given.is_file() else document, facts)
        return
    if len(given) < 500 and "\n" not in given and _names_a_file(given):
        raise InputInvalid(f"{given} 是文件，请写成 Path({given!r})。 {given} is a file; write Path({given!r}).")
    checksum = hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()
    yield parse(Document(name, given, Media.TEXT, checksum, name))


def _read_files(path: Path) -> Iterator[tuple[Document, SourceFacts | None]]:
    """The documents of a file or a folder, each with what its ``sources.toml`` says of it, as ``assistant index`` reads them."""
    from vectorstore.confine import read_confined
    from vectorstore.corrections import read_source_facts
    from vectorstore.kinds import EXTRACTED, MEDIA
    from vectorstore.read import find_sources, read_document

    sources = find_sources([path])
    facts = {root: read_source_facts(root / _FACTS) for _, root in sources[:1]}  # of one path there is one root
    for file, root in sources:
        known = facts[root].get(file.relative_to(root).as_posix())
        read = read_confined if MEDIA[file.suffix.lower()] in EXTRACTED else read_document
        yield read(file, root=root, facts=known), known


def _names_a_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or a character that no name has
        return False


def _read_turns(history: Sequence[Said]) -> tuple[Turn, ...]:
    turns = []
    for said in history:
        try:
            turns.append(said if isinstance(said, Turn) else Turn(Role(said["role"]), str(said["content"])))
        except (KeyError, ValueError, TypeError) as error:
            raise InputInvalid(
                '对话应为 {"role": "user" 或 "assistant", "content": "…"}。 A turn is {"role": "user" or "assistant", "content": "…"}.'
            ) from error
    return tuple(turns)
