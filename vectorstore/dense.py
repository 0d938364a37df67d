"""Sentences and their vectors -> the nearest sentences inside a scope. The only module that imports chromadb.

Chroma holds vectors and labels, never texts, and can always be made again from the vectors that the generation keeps
beside it. It writes into its directory even when it only reads, and its query does not see what another process has
written; so a directory is written once, by one process, and every reader works on a copy of its own (see
``generation``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import chromadb
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings
from chromadb.errors import ChromaError
from numpy.typing import NDArray

from vectorstore.errors import IndexDamaged
from vectorstore.types import Labels, Part, Scope, Sentence, Vectors

VERSION: str = chromadb.__version__

_COLLECTION = "sentences"
# Chroma's defaults (16, 100, 100) found 57 of 100 neighbours of random vectors, these 90; of 8,000 hashed sentences
# these find 99.6 in 100 of the 50 nearest, and with 16 neighbours 97.
_HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 200, "ef_search": 200}
_NONE = ""  # Chroma drops None and refuses empty lists
_NO_YEAR = 0
_EVERYWHERE = Scope()

Record = dict[str, Any]


class DenseIndex:
    """Vectors with the labels of their sentences, in a Chroma directory."""

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

    def add(self, ids: Sequence[str], vectors: Vectors, sentences: Sequence[Sentence]) -> None:
        """Add sentences under their ids; ``vectors`` has the shape ``(len(ids), dimensions)``."""
        step = self._client.get_max_batch_size()
        for start in range(0, len(ids), step):
            batch = slice(start, start + step)
            self._collection.add(
                ids=list(ids[batch]),
                embeddings=vectors[batch],
                metadatas=[cast(Any, record_of(sentence)) for sentence in sentences[batch]],
            )

    def query(self, vector: NDArray[Any], k: int, scope: Scope = _EVERYWHERE) -> list[tuple[str, float]]:
        """Give the ids of the nearest sentences inside the scope and their cosines, nearest first, at most ``k``."""
        found = self._collection.query(
            query_embeddings=[vector], n_results=k, where=cast(Any, condition_of(scope)), include=["distances"]
        )
        distances = found["distances"] or [[]]
        return [(name, 1.0 - float(distance)) for name, distance in zip(found["ids"][0], distances[0], strict=True)]

    def count(self) -> int:
        """How many sentences are in it."""
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def record_of(sentence: Sentence) -> Record:
    """Give the flat form in which Chroma keeps the labels of a sentence; every key is always there."""
    labels = sentence.labels
    return {
        "source": sentence.source,
        "region": labels.region or _NONE,
        "year": labels.year or _NO_YEAR,
        "part": labels.part.value if labels.part else _NONE,
        "section": sentence.section,
        "places": list(sentence.places) or [_NONE],
        "regions": list(sentence.regions) or [_NONE],
    }


def labels_of(record: Record) -> Labels:
    """Read the labels from their flat form."""
    return Labels(
        region=record["region"] or None,
        year=record["year"] or None,
        part=Part(record["part"]) if record["part"] else None,
    )


def condition_of(scope: Scope) -> Record | None:
    """Give the scope as Chroma's ``where``; says the same as ``Scope.allows``."""
    tests: list[Record] = [
        _any([{"$or": [{"places": {"$contains": p}}, {"region": p}]} for p in sorted(scope.places)]),
        _any([_of_region(region) for region in sorted(scope.regions)]),
        {"year": {"$in": sorted(scope.years)}} if scope.years else {},
        {"part": {"$in": [scope.part.value, _NONE]}} if scope.part else {},
        {"source": {"$in": sorted(scope.sources)}} if scope.sources else {},
    ]
    asked = [test for test in tests if test]
    return {"$and": asked} if len(asked) > 1 else asked[0] if asked else None


def _of_region(region: str) -> Record:
    """A label decides; where there is none, the places that the sentence names."""
    return {"$or": [{"region": region}, {"$and": [{"region": _NONE}, {"regions": {"$contains": region}}]}]}


def _any(tests: list[Record]) -> Record:
    return {"$or": tests} if len(tests) > 1 else tests[0] if tests else {}


def _connect(directory: Path) -> Any:
    return chromadb.PersistentClient(str(directory), settings=Settings(anonymized_telemetry=False))
