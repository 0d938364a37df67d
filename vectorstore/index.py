"""A generation on disk -> answers to searches.

Opens it, checks it, and looks sentences up by words, by phrase and by vector.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore import dense, generation
from vectorstore.alike import group_alike
from vectorstore.codec import parsed_from_json
from vectorstore.copies import PrivateCopy
from vectorstore.dense import DenseIndex
from vectorstore.embed import embed_query
from vectorstore.errors import IndexDamaged
from vectorstore.generation import Pointer
from vectorstore.lexical import LexicalIndex
from vectorstore.segment import query_terms
from vectorstore.types import Embedder, Hit, Manifest, ParsedDocument, Scope, Sentence, Vectors

DOCUMENTS = "documents.jsonl"
VECTORS = "vectors.npy"
ALIKE = "alike.npy"
LEXICAL = "lexical"
DENSE = "dense"

_RANK_CONSTANT = 60  # of reciprocal rank fusion, as its authors set it (Cormack, Clarke, Buettcher 2009)
_DEPTH = 100  # how far down each list is read, at least; a hit below adds less than 1/160 to a score
_EVERYWHERE = Scope()
_ALIKE = 0.999  # cosine of a vector with itself, allowing for the arithmetic of another machine


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a generation holds, opened."""

    manifest: Manifest
    documents: tuple[ParsedDocument, ...]
    vectors: Vectors
    alike: Mapping[int, Sequence[int]]  # who shares a vector, by the first who has it
    lexical: LexicalIndex
    dense: DenseIndex
    copy: PrivateCopy


class Index:
    """One generation of the index, open for reading. Searches may run in several threads if the embedder allows it."""

    def __init__(self, data: Path, embedder: Embedder, pointer: Pointer, parts: _Parts) -> None:
        self._data = data
        self._embedder = embedder
        self._pointer = pointer
        self._parts = parts
        self.manifest: Manifest = parts.manifest
        self.documents: tuple[ParsedDocument, ...] = parts.documents
        self.sentences: tuple[Sentence, ...] = tuple(s for parsed in parts.documents for s in parsed.sentences)
        self._positions = {sentence.id: position for position, sentence in enumerate(self.sentences)}
        self._allowed = lru_cache(maxsize=64)(self._find_allowed)
        self._held = lru_cache(maxsize=4096)(lambda term: len(parts.lexical.holding(term)))

    @classmethod
    def open(cls, data: Path, embedder: Embedder, *, verify: bool = True) -> Index:
        """Open the current generation.

        File sizes are always compared before anything is read; with ``verify`` also the SHA-256 of all files, and a
        sentence is looked up by its own text. Raises ``IndexMissing``, ``IndexStale`` (another embedder, program or
        Chroma made it), ``IndexDamaged``.
        """
        while True:
            pointer = generation.read_pointer(data)
            try:
                return cls.open_generation(data, pointer, embedder, verify=verify)
            except (IndexDamaged, FileNotFoundError):
                # Two builds may have come and gone since the pointer was read, and the second deleted what it named.
                if generation.read_pointer(data) == pointer:
                    raise

    @classmethod
    def open_generation(cls, data: Path, pointer: Pointer, embedder: Embedder, *, verify: bool = True) -> Index:
        """Open a certain generation, also one that is not published yet; otherwise as :meth:`open`."""
        manifest = generation.read_manifest(data, pointer)
        _check_makers(data, manifest, embedder)
        directory = generation.locate(data, pointer)
        generation.check_files(directory, manifest, contents=verify)
        index = cls(data, embedder, pointer, _open_parts(data, directory, manifest))
        if verify:
            try:
                index._check_canary()
            except BaseException:
                index.close()
                raise
        return index

    def current(self) -> Index:
        """Give this index, or the newly opened current one if there is another by now.

        The caller closes the one it leaves.
        """
        if generation.read_pointer(self._data) == self._pointer:
            return self
        return Index.open(self._data, self._embedder)

    def sentence(self, name: str) -> Sentence:
        """Give the sentence of an id; raises ``KeyError`` where there is none."""
        return self.sentences[self._positions[name]]

    def search(self, text: str, k: int, scope: Scope = _EVERYWHERE) -> tuple[Hit, ...]:
        """Find at most ``k`` sentences inside the scope, best first; the same call gives the same hits.

        Three rankings are fused by reciprocal rank: BM25, the vectors, and the sentences that hold the whole text
        word for word (which matters for names and terms; a longer question stands nowhere word for word). Equal
        scores keep the order of the documents.
        """
        allowed = self._allowed(scope)
        if k < 1 or not query_terms(text) or not allowed.any():
            return ()
        depth = max(_DEPTH, 4 * k)
        lexical = self._parts.lexical.scores(text)
        vector = embed_query(self._embedder, text)
        scores = fuse(
            [
                _rank(np.flatnonzero((lexical > 0) & allowed), lexical)[:depth],
                _rank([p for p in self._parts.lexical.holding(text) if allowed[p]], lexical)[:depth],
                self._nearest(vector, depth, scope),
            ]
        )
        best = sorted(scores, key=lambda position: (-scores[position], position))[:k]
        return tuple(
            Hit(self.sentences[p], scores[p], float(lexical[p]), float(self._parts.vectors[p] @ vector)) for p in best
        )

    def holds(self, term: str) -> int:
        """Count the sentences that hold a term word for word (normalised); 12 does not stand in 120, nor AI in MAIL."""
        return self._held(term)

    def rarity(self, term: str) -> float:
        """Say how telling a term is.

        The inverse document frequency of BM25 over the sentences that hold it, at least 0.
        """
        held = self.holds(term)
        return math.log1p((len(self.sentences) - held + 0.5) / (held + 0.5))

    def close(self) -> None:
        """Let go of the files."""
        self._parts.dense.close()
        self._parts.copy.close()

    def _find_allowed(self, scope: Scope) -> NDArray[np.bool_]:
        return np.array([scope.allows(sentence) for sentence in self.sentences], dtype=np.bool_)

    def _nearest(self, vector: NDArray[np.float32], depth: int, scope: Scope) -> list[int]:
        allowed = self._allowed(scope)
        asked = wanted = min(depth, int(allowed.sum()))
        while True:
            found = self._parts.dense.query(vector, asked, scope)
            cosines = {p: cosine for name, cosine in found for p in self._sharing(name) if allowed[p]}
            if len(cosines) >= wanted or len(found) < asked:
                return _rank(cosines, cosines)[:depth]
            asked *= 2  # some entries only seemed to lie in the scope: one sentence has its year, another its region

    def _sharing(self, name: str) -> Sequence[int]:
        return self._parts.alike[self._positions[name]]

    def _check_canary(self) -> None:
        directory = generation.locate(self._data, self._pointer)
        position = self._positions.get(self.manifest.canary)
        if position is None or len(self.sentences) != self.manifest.sentences:
            raise generation.damaged(directory / DOCUMENTS)
        plain = self.sentences[position].plain
        vector = self._parts.vectors[position]
        if float(self._embedder.embed([plain])[0] @ vector) < _ALIKE:
            raise generation.stale(self._data, self.manifest.embedder, f"{self._embedder.name} (other vectors)")
        if not finds_itself(self._parts.dense, vector) or self._parts.dense.count() != len(self._parts.alike):
            raise generation.damaged(directory / DENSE)
        if not self._parts.lexical.scores(plain)[position] > 0:
            raise generation.damaged(directory / LEXICAL)


def fuse(rankings: Sequence[Sequence[int]]) -> dict[int, float]:
    """Fuse rankings of positions by reciprocal rank: position -> sum of ``1 / (60 + rank)``, ranks from 1."""
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, position in enumerate(ranking, start=1):
            scores[position] += 1.0 / (_RANK_CONSTANT + rank)
    return dict(scores)


def finds_itself(index: DenseIndex, vector: NDArray[np.float32]) -> bool:
    """Say whether the nearest entry to a vector that was entered is that vector."""
    return max((cosine for _, cosine in index.query(vector, 1)), default=0.0) >= _ALIKE


def choose_canary(
    sentences: Sequence[Sentence], vectors: Vectors, finds: Callable[[int], bool] = lambda position: True
) -> int:
    """Give the position of a sentence that only itself is nearest to: the longest such, or just the longest one.

    ``finds`` says whether the new index finds the sentence at a position. No graph of neighbours finds every one, and
    a sentence that it never found would tell nothing of a damage.
    """
    longest = sorted(range(len(sentences)), key=lambda p: (-len(sentences[p].plain), p))
    for position in longest[:_DEPTH]:
        cosines = vectors @ vectors[position]
        cosines[position] = -1.0
        if float(cosines.max()) < 2 * _ALIKE - 1 and finds(position):
            return position
    return longest[0]


def _rank(positions: Iterable[int], scores: Mapping[int, float] | NDArray[np.float32]) -> list[int]:
    return sorted((int(p) for p in positions), key=lambda position: (-scores[position], position))


def _check_makers(data: Path, manifest: Manifest, embedder: Embedder) -> None:
    made = f"{manifest.embedder} ({manifest.dimensions})"
    asked = f"{embedder.name} ({embedder.dimensions})"
    if made != asked:
        raise generation.stale(data, made, asked)
    for name, then, now in (
        ("policy-assistant", manifest.program, generation.PROGRAM),
        ("chromadb", manifest.chromadb, dense.VERSION),
    ):
        if then.split(".")[0] != now.split(".")[0]:
            raise generation.stale(data, f"{name} {then}", f"{name} {now}")


def _open_parts(data: Path, directory: Path, manifest: Manifest) -> _Parts:
    documents = _read_documents(directory / DOCUMENTS)
    vectors = np.load(directory / VECTORS, mmap_mode="r", allow_pickle=False)
    alike = group_alike(np.load(directory / ALIKE, allow_pickle=False))
    lexical = LexicalIndex.load(directory / LEXICAL)
    names = [name for name, _, _ in manifest.files if name.startswith(DENSE + "/")]
    copy = PrivateCopy.make(data / "copies", directory, names)
    try:
        opened = DenseIndex.open(copy.path / DENSE)
    except BaseException:
        copy.close()
        raise
    return _Parts(manifest, documents, vectors, alike, lexical, opened, copy)


def _read_documents(path: Path) -> tuple[ParsedDocument, ...]:
    with path.open("rb") as lines:  # as bytes: a text file would also be cut at U+2028 and the like
        return tuple(parsed_from_json(json.loads(line)) for line in lines)
