"""Different vectors and the sentences that share each -> the nearest vectors. The only module that imports chromadb.

A vector is one entry, however many sentences have it (``alike`` says why); its labels are those of all of them. So a
scope may let in an entry that no single sentence of it allows, never leave out one that some sentence allows.
Chroma holds vectors and labels, never texts, and can always be made again from the vectors that the generation keeps
beside it. It writes into its directory even when it only reads, and its query does not see what another process has
written; so a directory is written once, by one process, and every reader works on a copy of its own (see
``generation``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import chromadb
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings
from chromadb.errors import ChromaError
from numpy.typing import NDArray

from vectorstore.errors import IndexDamaged
from vectorstore.types import Scope, Sentence, Vectors

VERSION: str = chromadb.__version__

_COLLECTION = "sentences"
# Chroma's defaults (16, 100, 100) found 57 of 100 neighbours of random vectors, these 90; of 8,000 hashed sentences
# these find 99.6 in 100 of the 50 nearest, and with 16 neighbours 97. No settings help where a vector is entered more
# than some hundred times: of 40 vectors among 10 others entered 300 times each, 39 were never found again.
_HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 200, "ef_search": 200}
_NONE = ""  # Chroma drops None and refuses empty lists
_NO_YEAR = 0
_SEVERAL = ""  # no source has this name
_MOST_TESTS = 100  # SQLite refuses a condition that is nested more than 1,000 deep, as a test for each source would be
_EVERYWHERE = Scope()

Record = dict[str, Any]


class DenseIndex:
    """Vectors, each once, with the labels of their sentences, in a Chroma directory."""

    def __init__(self, client: Any, collection: Collection) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def create(cls, directory: Path) -> DenseIndex:
        """Start an empty index in a new directory."""
        client = _connect(directory)
        collection = client.create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": cast(Any, _HNSW)}
        )
        return cls(client, collection)

    @classmethod
    def open(cls, directory: Path) -> DenseIndex:
        """Open a directory whose files are known to be whole: Chroma can crash the process on others.

        Raises ``IndexDamaged`` where Chroma refuses.
        """
        try:
            client = _connect(directory)
            return cls(client, client.get_collection(_COLLECTION, embedding_function=None))
        except (ChromaError, ValueError) as error:
            raise IndexDamaged(
                f"向量库 {directory} 打不开({error})。请运行 assistant index 重建。 "
                f"The vectors in {directory} cannot be opened; rebuild them: assistant index"
            ) from error

    def add(self, ids: Sequence[str], vectors: Vectors, groups: Sequence[Sequence[Sentence]]) -> None:
        """Add vectors, no two of them equal, under their ids, with the sentences that share each.

        ``vectors`` has the shape ``(len(ids), dimensions)``.
        """
        step = self._client.get_max_batch_size()
        for start in range(0, len(ids), step):
            batch = slice(start, start + step)
            self._collection.add(
                ids=list(ids[batch]),
                embeddings=vectors[batch],
                metadatas=[cast(Any, record_of(sentences)) for sentences in groups[batch]],
            )

    def query(self, vector: NDArray[Any], k: int, scope: Scope = _EVERYWHERE) -> list[tuple[str, float]]:
        """Give the ids of the nearest entries that may lie in the scope and their cosines, nearest first, at most ``k``."""
        found = self._collection.query(
            query_embeddings=[vector], n_results=k, where=cast(Any, condition_of(scope)), include=["distances"]
        )
        distances = found["distances"] or [[]]
        return [(name, 1.0 - float(distance)) for name, distance in zip(found["ids"][0], distances[0], strict=True)]

    def count(self) -> int:
        """How many entries are in it."""
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def record_of(sentences: Sequence[Sentence]) -> Record:
    """Give the flat form of the labels of the sentences that share a vector; every key is always there."""
    sources = sorted({s.source for s in sentences})
    return {
        "source": sources[0] if len(sources) == 1 else _SEVERAL,
        "sources": sources,
        "years": sorted({s.labels.year or _NO_YEAR for s in sentences}),
        "parts": sorted({s.labels.part.value if s.labels.part else _NONE for s in sentences}),
        "places": _gather({*s.places, s.labels.region} for s in sentences),
        # A section's label decides; where there is none, the places that the sentence names.
        "regions": _gather({s.labels.region} if s.labels.region else set(s.regions) for s in sentences),
    }


def condition_of(scope: Scope) -> Record | None:
    """Give the scope as Chroma's ``where``: true wherever ``Scope.allows`` one of the sentences."""
    tests: list[Record] = [
        _any(_contain("places", scope.places)),
        _any(_contain("regions", scope.regions)),
        _any(_contain("years", scope.years)),
        _any(_contain("parts", [scope.part.value, _NONE])) if scope.part else {},
        _of_sources(scope.sources),
    ]
    asked = [test for test in tests if test]
    return {"$and": asked} if len(asked) > 1 else asked[0] if asked else None


def _gather(names: Iterable[Iterable[str | None]]) -> list[str]:
    return sorted({name for some in names for name in some if name}) or [_NONE]


def _of_sources(sources: frozenset[str]) -> Record:
    if len(sources) > _MOST_TESTS:
        return {"source": {"$in": [*sorted(sources), _SEVERAL]}}
    return _any(_contain("sources", sources))


def _contain(key: str, values: Iterable[str] | Iterable[int]) -> list[Record]:
    return [{key: {"$contains": value}} for value in sorted(values)]


def _any(tests: list[Record]) -> Record:
    return {"$or": tests} if len(tests) > 1 else tests[0] if tests else {}


def _connect(directory: Path) -> Any:
    return chromadb.PersistentClient(str(directory), settings=Settings(anonymized_telemetry=False))
