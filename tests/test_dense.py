"""Chroma: the same nearest sentences as exact search, and a scope that leaves out nothing ``Scope.allows``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_documents import CHARGING, PARKS
from vectorstore.dense import DenseIndex, Record, condition_of, record_of
from vectorstore.errors import IndexDamaged
from vectorstore.types import Labels, Part, Scope, Sentence

_REGIONS = ["上海", "上", "北京", "江苏"]
_YEARS = [None, 2023, 2024]
_labels = st.builds(
    Labels,
    region=st.none() | st.sampled_from(_REGIONS),
    year=st.sampled_from(_YEARS),
    part=st.none() | st.sampled_from(Part),
)
_scopes = st.builds(
    Scope,
    regions=st.frozensets(st.sampled_from(_REGIONS), max_size=2),
    places=st.frozensets(st.sampled_from(["镇江", "南京"]), max_size=2),
    years=st.frozensets(st.sampled_from([2023, 2024]), max_size=2),
    part=st.none() | st.sampled_from(Part),
    sources=st.frozensets(st.sampled_from(["a.txt", "b.txt"]), max_size=1),
)


def _scatter(count: int) -> tuple[list[Sentence], np.ndarray]:
    """Sentences of all kinds of labels, with random vectors."""
    random = np.random.default_rng(7)
    vectors = random.standard_normal((count, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sentences = []
    for n in range(count):
        region = random.choice(_REGIONS)
        labels = Labels(str(region), _YEARS[n % 3], [None, *Part][n % 2])
        places = [(), ("镇江",), ("镇江", "南京")][n % 5 % 3]
        regions = (str(region), "江苏") if places and region != "江苏" else (str(region),)
        source = "ab"[n % 7 % 2] + ".txt"
        sentences.append(Sentence(source, n, n + 1, "字", "字", 0, 0, labels, places, regions if n % 11 else ()))
    return sentences, vectors


def _alone(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """No sentence shares its vector."""
    return [[sentence] for sentence in sentences]


_SENTENCES, _VECTORS = _scatter(1500)  # more than the 1000 after which Chroma first writes its graph


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DenseIndex]:
    path = tmp_path_factory.mktemp("dense") / "chroma"
    made = DenseIndex.create(path)
    made.add([s.id for s in _SENTENCES], _VECTORS, _alone(_SENTENCES))
    made.close()
    opened = DenseIndex.open(path)
    yield opened
    opened.close()


@given(_scopes, st.integers(0, len(_SENTENCES) - 1), st.integers(1, 40))
def test_query_finds_what_exact_search_inside_the_scope_finds(
    index: DenseIndex, scope: Scope, asked: int, k: int
) -> None:
    allowed = [n for n, sentence in enumerate(_SENTENCES) if scope.allows(sentence)]
    best = sorted(allowed, key=lambda n: -float(_VECTORS[n] @ _VECTORS[asked]))[:k]
    found = index.query(_VECTORS[asked], k, scope)
    names = {_SENTENCES[n].id for n in allowed}
    assert {name for name, _ in found} <= names
    assert len(found) == len(best)
    assert len({name for name, _ in found} & {_SENTENCES[n].id for n in best}) >= 0.99 * len(best) - 1e-9


def test_cosines_are_those_of_the_vectors_and_fall(index: DenseIndex) -> None:
    positions = {sentence.id: n for n, sentence in enumerate(_SENTENCES)}
    found = index.query(_VECTORS[3], 20)
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True)
    np.testing.assert_allclose(cosines, [_VECTORS[positions[n]] @ _VECTORS[3] for n, _ in found], atol=1e-5)
    assert found[0][0] == _SENTENCES[3].id


def test_every_sentence_finds_itself(index: DenseIndex) -> None:
    found = [index.query(vector, 1)[0][0] for vector in _VECTORS[::10]]
    assert found == [sentence.id for sentence in _SENTENCES[::10]]


class _SmallCalls:
    """A client that takes seven records at a time."""

    def get_max_batch_size(self) -> int:
        return 7

    def close(self) -> None:
        pass


class _Listening:
    """A collection that remembers the ids of every call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def add(self, ids: list[str], embeddings: np.ndarray, metadatas: list[object]) -> None:
        assert len(ids) == len(embeddings) == len(metadatas)
        self.calls.append(ids)


def test_no_call_is_larger_than_chroma_allows() -> None:
    collection = _Listening()
    index = DenseIndex(_SmallCalls(), collection)  # type: ignore[arg-type]
    index.add([s.id for s in _SENTENCES[:20]], _VECTORS[:20], _alone(_SENTENCES[:20]))
    assert [len(call) for call in collection.calls] == [7, 7, 6]
    assert [name for call in collection.calls for name in call] == [s.id for s in _SENTENCES[:20]]


@pytest.mark.slow
def test_more_sentences_than_one_call_to_chroma_takes_are_all_kept(tmp_path: Path) -> None:
    count = 6000
    sentences = [Sentence("a.txt", n, n + 1, "字", "字", 0, 0, Labels()) for n in range(count)]
    angles = np.linspace(0.0, 3.0, count)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    index = DenseIndex.create(tmp_path / "chroma")
    index.add([s.id for s in sentences], vectors, _alone(sentences))
    assert index.count() == count
    index.close()


_sentences = st.builds(
    Sentence,
    source=st.sampled_from(["a.txt", "b.txt", "c.txt"]),
    start=st.just(0),
    end=st.just(1),
    quote=st.just("字"),
    plain=st.just("字"),
    section=st.just(0),
    paragraph=st.just(0),
    labels=_labels,
    places=st.lists(st.sampled_from(["镇江", "南京"]), unique=True).map(tuple),
    regions=st.lists(st.sampled_from(_REGIONS), unique=True).map(tuple),
)


def _meets(record: Record, condition: Record | None) -> bool:
    """What Chroma's ``where`` says of a record."""
    if condition is None:
        return True
    ((key, test),) = condition.items()
    if key in ("$and", "$or"):
        return (all if key == "$and" else any)(_meets(record, part) for part in test)
    ((operator, value),) = test.items()
    return bool(value in record[key] if operator == "$contains" else record[key] in value)


@given(_sentences, _scopes)
def test_entry_of_one_sentence_lies_in_the_scopes_that_allow_it_and_no_other(sentence: Sentence, scope: Scope) -> None:
    assert _meets(record_of([sentence]), condition_of(scope)) == scope.allows(sentence)


@given(st.lists(_sentences, min_size=2, max_size=4), _scopes)
def test_entry_of_several_sentences_lies_in_every_scope_that_allows_one(group: list[Sentence], scope: Scope) -> None:
    record = record_of(group)
    if any(scope.allows(sentence) for sentence in group):
        assert _meets(record, condition_of(scope))
        many = replace(scope, sources=scope.sources and scope.sources | {f"{n}.txt" for n in range(200)})
        assert _meets(record, condition_of(many))


@given(st.lists(_sentences, min_size=1, max_size=3))
def test_every_record_has_the_same_keys_and_no_value_that_chroma_drops(group: list[Sentence]) -> None:
    record = record_of(group)
    assert set(record) == {"source", "sources", "years", "parts", "places", "regions"}
    assert all(value is not None and value != [] for value in record.values())


def test_scope_of_more_sources_than_a_condition_may_be_deep_is_answered(index: DenseIndex) -> None:
    sources = frozenset({"a.txt", *(f"{n}.txt" for n in range(3000))})
    found = index.query(_VECTORS[3], 40, Scope(sources=sources))
    assert len(found) == 40 and all(name.startswith("a.txt") for name, _ in found)


def test_empty_scope_is_no_condition() -> None:
    assert condition_of(Scope()) is None


def test_two_indexes_are_open_at_once_without_mixing(tmp_path: Path) -> None:
    made = []
    for name, parsed in (("one", PARKS), ("two", CHARGING)):
        index = DenseIndex.create(tmp_path / name)
        count = len(parsed.sentences)
        index.add([s.id for s in parsed.sentences], np.eye(count, 16, dtype=np.float32), _alone(parsed.sentences))
        made.append(index)
    first, second = made
    assert first.query(np.eye(16, dtype=np.float32)[0], 1)[0][0] == PARKS.sentences[0].id
    second.close()
    assert first.query(np.eye(16, dtype=np.float32)[1], 1)[0][0] == PARKS.sentences[1].id
    first.close()


def test_directory_without_our_collection_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="assistant index"):
        DenseIndex.open(tmp_path / "empty")
