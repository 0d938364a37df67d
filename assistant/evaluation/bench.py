"""Settings in, what an evaluation measures out: the assistant over the index that there is, or over the paragraphs of a question file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.answer import Assistant
from assistant.evaluation.run import Answerer, Bench
from assistant.evaluation.squad import Paragraph
from assistant.evaluation.summary import RunFacts
from assistant.open import open_index, open_model
from assistant.settings import Settings
from assistant.types import Answer, IndexFacts, Turn
from vectorstore.build import build_parsed
from vectorstore.embed import open_embedder
from vectorstore.generation import PROGRAM
from vectorstore.index import Index
from vectorstore.parse import parse
from vectorstore.types import Document, Media, Scope


@dataclass(frozen=True, slots=True)
class _Within:
    """The assistant with one source to search."""

    assistant: Assistant
    source: str

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        return self.assistant.ask(question, history, scope=Scope(sources=frozenset([self.source])))


@contextmanager
def open_bench(settings: Settings, paragraphs: Sequence[Paragraph] | None) -> Iterator[Bench]:
    """Open what is measured, and close it at the end; an index over paragraphs is thrown away."""
    with TemporaryDirectory(prefix="assistant-eval-") as folder:
        spec, engine = open_model(settings)
        try:
            index = (
                open_index(settings) if paragraphs is None else _index_paragraphs(paragraphs, Path(folder), settings)
            )
        except BaseException:
            engine.close()
            raise
        assistant = Assistant(index, spec, engine)

        def within(source: str) -> Answerer:
            return _Within(assistant, source)

        facts = RunFacts(
            model=spec.facts(),
            index=IndexFacts(index.manifest.generation, index.manifest.corpus_sha256),
            prompts=hash_prompts(),
            program=PROGRAM,
        )
        corpus = {parsed.document.source: parsed.document.text for parsed in index.documents}
        try:
            yield Bench(assistant, facts, corpus, within if paragraphs is not None else None)
        finally:
            assistant.close()


def measure_running(assistant: Assistant) -> Bench:
    """Give what an evaluation measures of an assistant that answers people meanwhile; it stays open."""
    index = assistant.index
    found = IndexFacts(index.manifest.generation, index.manifest.corpus_sha256)
    facts = RunFacts(model=assistant.model.facts(), index=found, prompts=hash_prompts(), program=PROGRAM)
    return Bench(assistant, facts, {parsed.document.source: parsed.document.text for parsed in index.documents})


def hash_prompts() -> str:
    """One checksum over all prompts and over the word lists that guide the deterministic stages."""
    digest = hashlib.sha256()
    for package in ("prompts", "assistant"):
        entries = [entry for entry in files(package).iterdir() if entry.name.endswith((".toml", ".tsv"))]
        for entry in sorted(entries, key=lambda entry: entry.name):
            digest.update(f"{package}/{entry.name}\n".encode() + entry.read_bytes())
    return digest.hexdigest()


def _index_paragraphs(paragraphs: Sequence[Paragraph], folder: Path, settings: Settings) -> Index:
    embedder = open_embedder(settings.embedder)
    documents = [
        Document(p.source, p.text, Media.TEXT, hashlib.sha256(p.text.encode()).hexdigest(), p.title) for p in paragraphs
    ]
    build_parsed([parse(document) for document in documents], data=folder, embedder=embedder)
    return Index.open(folder, embedder)
