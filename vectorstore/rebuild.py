"""The current generation, amended -> a new one: documents added or left out, labels corrected, the rest as it is.

No file is read and nothing is embedded twice: documents and vectors come from the generation that there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vectorstore import generation
from vectorstore.build import Amend
from vectorstore.codec import parsed_from_json
from vectorstore.errors import IndexMissing
from vectorstore.index import DOCUMENTS, VECTORS
from vectorstore.types import BuildReport, Embedder, ParsedDocument, Vectors
from vectorstore.write import Progress, write_parsed


def rebuild(amend: Amend, *, data: Path, embedder: Embedder, progress: Progress) -> BuildReport:
    """Write and publish the amended generation.

    Raises ``IndexBusy`` where another process is building, and as ``write_parsed`` does.
    """
    with generation.writing(data):
        documents, vectors = _read_current(data, embedder)
        known = (
            {s.plain: vectors[i] for i, s in enumerate(s for p in documents for s in p.sentences)}
            if vectors is not None
            else {}
        )
        remembering = _Remembering(embedder, known)
        return write_parsed(amend(documents), data=data, embedder=remembering, progress=progress)


def _read_current(data: Path, embedder: Embedder) -> tuple[tuple[ParsedDocument, ...], Vectors | None]:
    try:
        pointer = generation.read_pointer(data)
    except IndexMissing:
        return (), None
    manifest = generation.read_manifest(data, pointer)
    directory = generation.locate(data, pointer)
    generation.check_files(directory, manifest, contents=True)
    with (directory / DOCUMENTS).open("rb") as lines:
        documents = tuple(parsed_from_json(json.loads(line)) for line in lines)
    same = (manifest.embedder, manifest.dimensions) == (embedder.name, embedder.dimensions)
    return documents, np.load(directory / VECTORS, allow_pickle=False) if same else None


class _Remembering:
    """An embedder that looks up what was embedded before."""

    def __init__(self, embedder: Embedder, known: dict[str, Vectors]) -> None:
        self._embedder = embedder
        self._known = known

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, self._embedder.embed(new), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimensions)
