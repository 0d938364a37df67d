"""The documents of an index, and what was added, removed and corrected on the page -> the documents of the next index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.library.state import Added, Shelf, State
from vectorstore.corrections import read_page_corrections
from vectorstore.parse import parse
from vectorstore.relabel import relabel
from vectorstore.types import BuildReport, LabelCorrection, ParsedDocument

Corrections = Mapping[str, tuple[LabelCorrection, ...]]


def amend_given(shelf: Shelf, documents: Sequence[ParsedDocument]) -> list[ParsedDocument]:
    """Amend the documents of files that were just read: ``assistant index``.

    What was added is cut into sections and sentences anew, as a newer program may do that better.
    """
    state = shelf.state()
    added = [parse(shelf.read_parsed(a.key).document) for a in _in_use(state)]
    return _finish([*_shown(documents, state), *added], read_page_corrections(shelf.corrections))


def amend_current(shelf: Shelf, documents: Sequence[ParsedDocument]) -> list[ParsedDocument]:
    """Amend the documents of the current index: a change on the page."""
    state = shelf.state()
    ours = {a.source for a in state.added}
    base = [p for p in _shown(documents, state) if p.document.source not in ours]
    there = {p.document.source for p in base}
    back = [shelf.read_parsed(r.key) for r in state.restored if not r.added and r.source not in there]
    added = [shelf.read_parsed(a.key) for a in _in_use(state)]
    return _finish([*base, *back, *added], read_page_corrections(shelf.corrections))


def index_given(
    paths: Sequence[Path], data: Path, embedder: str | None, *, skip_unreadable: bool = False
) -> tuple[BuildReport, tuple[str, ...]]:
    """Index files and folders together with what was added on the page; also give what a person should know of that."""
    from vectorstore.build import build_index
    from vectorstore.embed import open_embedder

    shelf = Shelf(data)
    report = build_index(
        paths,
        data=data,
        embedder=open_embedder(embedder),
        skip_unreadable=skip_unreadable,
        amend=lambda documents: amend_given(shelf, documents),
    )
    settle(shelf, report.documents, anew=True)
    return report, tuple(_note(shelf, report))


def _note(shelf: Shelf, report: BuildReport) -> Iterator[str]:
    removed = shelf.state().removed
    if removed:
        names = "、".join(r.source for r in removed)
        yield f"网页上移除的资料未收入，可在资料页恢复：{names}。 Removed on the page, left out: {names}; restore them there."
    for source in find_lost(report.documents, read_page_corrections(shelf.corrections)):
        yield f"{source}：文字已变，网页上更正的标签有的不再适用。 Its text has changed: a label set on the page fits no longer."


def settle(shelf: Shelf, documents: Iterable[ParsedDocument], *, anew: bool) -> None:
    """Note that an index of these documents is in use: what was restored is in it, what was deleted is not.

    ``anew``: it was made from folders, which say by themselves what is there.
    """
    there = {parsed.document.source for parsed in documents}
    if not shelf.state().restored and not shelf.state().forgotten:
        return
    with shelf.changing() as held:
        done = [r for r in held[0].restored if anew or r.source in there]
        held[0] = replace(
            held[0],
            restored=tuple(r for r in held[0].restored if r not in done),
            forgotten=tuple(s for s in held[0].forgotten if s in there),
        )
    for restored in done:
        if not restored.added:
            shelf.discard(restored.key)


def is_outdated(shelf: Shelf, documents: Sequence[ParsedDocument]) -> bool:
    """Whether the index differs from what the page was told: something added, removed or labelled is not in it yet."""
    state = shelf.state()
    there = {parsed.document.source for parsed in documents}
    if there & state.hidden or state.restored or any(a.source not in there for a in _in_use(state)):
        return True
    corrections = read_page_corrections(shelf.corrections)
    return any(_corrected(p, corrections) != p for p in documents if _concerns(p, corrections))


def find_lost(documents: Sequence[ParsedDocument], corrections: Corrections) -> dict[str, tuple[LabelCorrection, ...]]:
    """Give the corrections whose words no longer stand in their document exactly once, by document."""
    found = {
        p.document.source: relabel(p, corrections.get(p.document.source, ()))[1]
        for p in documents
        if _concerns(p, corrections)
    }
    return {source: lost for source, lost in found.items() if lost}


def show_corrected(documents: Sequence[ParsedDocument], corrections: Corrections) -> list[ParsedDocument]:
    """Give the documents with the labels they will have when the index has been built."""
    return _finish(documents, corrections)


def _in_use(state: State) -> list[Added]:
    return [a for a in state.added if a.source not in state.hidden]


def _shown(documents: Sequence[ParsedDocument], state: State) -> list[ParsedDocument]:
    return [p for p in documents if p.document.source not in state.hidden]


def _finish(documents: Sequence[ParsedDocument], corrections: Corrections) -> list[ParsedDocument]:
    return [_corrected(p, corrections) if _concerns(p, corrections) else p for p in documents]


def _concerns(parsed: ParsedDocument, corrections: Corrections) -> bool:
    return parsed.document.source in corrections or any(s.before is not None for s in parsed.sections)


def _corrected(parsed: ParsedDocument, corrections: Corrections) -> ParsedDocument:
    return relabel(parsed, corrections.get(parsed.document.source, ()))[0]
