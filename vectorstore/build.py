"""Files -> the index: find, read and parse them, then write a new generation and make it the current one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vectorstore import generation
from vectorstore.confine import read_confined
from vectorstore.corrections import read_source_facts
from vectorstore.errors import SourceUnreadable
from vectorstore.kinds import EXTRACTED, MEDIA
from vectorstore.parse import parse
from vectorstore.read import find_sources, read_document
from vectorstore.types import BuildReport, Embedder, ParsedDocument, SourceFacts
from vectorstore.write import Progress, write_parsed

CORRECTIONS = "sources.toml"

Amend = Callable[[Sequence[ParsedDocument]], Sequence[ParsedDocument]]
"""What is done to the documents of the given files before they are written.

Others are added, some left out, labels corrected."""


def build_index(
    paths: Sequence[Path],
    *,
    data: Path,
    embedder: Embedder,
    skip_unreadable: bool = False,
    progress: Progress | None = None,
    amend: Amend | None = None,
) -> BuildReport:
    """Index files and folders; a ``sources.toml`` in a given folder says more about the files below it.

    ``amend`` is called with the documents of the files while nobody else writes. Raises ``SourceUnreadable`` (also where
    there is no file at all, or two have one name), ``CorrectionInvalid``, ``IndexBusy``.
    """
    began = time.perf_counter()
    report = progress or _be_quiet
    with generation.writing(data):
        parsed, skipped = _parse_all(paths, skip_unreadable, report)
        amended = parsed if amend is None else amend(parsed)
        return write_parsed(amended, data=data, embedder=embedder, progress=report, skipped=skipped, began=began)


def build_parsed(
    parsed: Sequence[ParsedDocument], *, data: Path, embedder: Embedder, progress: Progress | None = None
) -> BuildReport:
    """Index documents that are parsed already. Raises ``SourceUnreadable`` where they hold nothing, ``IndexBusy``."""
    with generation.writing(data):
        return write_parsed(parsed, data=data, embedder=embedder, progress=progress or _be_quiet)


def _parse_all(
    paths: Sequence[Path], skip_unreadable: bool, progress: Progress
) -> tuple[list[ParsedDocument], tuple[tuple[str, str], ...]]:
    sources = _drop_repeats(find_sources(paths))
    if not sources:
        raise SourceUnreadable(
            f"在 {_list(paths)} 里没有找到文件({'、'.join(MEDIA)})。请给出放有文件的文件夹。 "
            f"There is no {' '.join(MEDIA)} file in {_list(paths)}; give a folder that holds some."
        )
    facts = {root: read_source_facts(root / CORRECTIONS) for root in {root for _, root in sources}}
    parsed: list[ParsedDocument] = []
    skipped: list[tuple[str, str]] = []
    for done, (file, root) in enumerate(sources):
        progress("read", done, len(sources))
        try:
            parsed.append(_parse_one(file, root, facts[root]))
        except SourceUnreadable as error:
            if not skip_unreadable:
                raise
            skipped.append((str(file), str(error)))
    progress("read", len(sources), len(sources))
    return parsed, tuple(skipped)


def _parse_one(file: Path, root: Path, facts: Mapping[str, SourceFacts]) -> ParsedDocument:
    known = facts.get(file.relative_to(root).as_posix())
    if MEDIA[file.suffix.lower()] in EXTRACTED:
        return parse(read_confined(file, root=root, facts=known), known)
    return parse(read_document(file, root=root, facts=known), known)


def _drop_repeats(found: Sequence[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    # One file may be given twice, itself and with its folder, or by two spellings of its path.
    unique: dict[Path, tuple[Path, Path]] = {}
    for file, root in found:
        unique.setdefault(file.resolve(), (file, root))
    return list(unique.values())


def _list(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths) or "(none)"


def _be_quiet(stage: str, done: int, total: int) -> None:
    pass
