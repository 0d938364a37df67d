"""Documents that repeat each other: each is found as exact search finds it, and the index holds each vector once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.made_documents import NOWHERE, make_parsed
from vectorstore import generation
from vectorstore.alike import embed_texts, find_alike, group_alike
from vectorstore.build import build_parsed
from vectorstore.dense import DenseIndex
from vectorstore.embed import HashingEmbedder
from vectorstore.errors import IndexDamaged, IndexStale
from vectorstore.index import Index, choose_canary
from vectorstore.memory import MemoryIndex
from vectorstore.types import Labels, ParsedDocument, Scope, Sentence, Vectors

pytestmark = pytest.mark.slow  # many indexes, each small; together too long for the fast suite

_COPIES = 300
_EMBEDDER = HashingEmbedder(64)
_CHARACTERS = list("桥路河山田林水电风光车站港湖海城乡村校院药粮棉钢油气热冷高低新旧长短宽窄东西南北")
_LABELS = (Labels("上海", 2023), Labels("北京", 2024), Labels("江苏", 2024))


def _make_lines(count: int, seed: int) -> str:
    random = np.random.default_rng(seed)
    return "\n".join("".join(random.choice(_CHARACTERS, 8 + n % 7)) + "。" for n in range(count))


def _make_documents() -> list[ParsedDocument]:
    """A document with lines of its own, copies of another that differ in name, label and last line; of a third, a few.

    Of the third one no copy is about Shanghai in 2024, though some are about Shanghai and others about 2024.
    """
    form, other = _make_lines(10, seed=1), _make_lines(10, seed=3)
    return [
        make_parsed("alone.txt", {NOWHERE: _make_lines(40, seed=2)}),
        make_parsed("copy.txt", {Labels("上海", 2024): f"{form}\n样本。"}),
        *(make_parsed(f"copy{n:03}.txt", {_LABELS[n % len(_LABELS)]: f"{form}\n编号{n}。"}) for n in range(_COPIES)),
        *(make_parsed(f"other{n}.txt", {_LABELS[n]: other}) for n in range(len(_LABELS))),
    ]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("repeats") / "data"
    build_parsed(_make_documents(), data=data, embedder=_EMBEDDER)
    return data


@pytest.fixture(scope="module")
def index(stored: Path) -> Iterator[Index]:
    opened = Index.open(stored, _EMBEDDER)
    yield opened
    opened.close()


def _missed(index: DenseIndex, vectors: Vectors) -> int:
    return sum(index.query(vector, 1)[0][1] < 0.99 for vector in vectors)


def _write(path: Path, sentences: list[Sentence], vectors: Vectors) -> DenseIndex:
    made = DenseIndex.create(path)
    made.add([s.id for s in sentences], vectors, [[s] for s in sentences])
    made.close()
    return DenseIndex.open(path)


def test_an_entry_for_each_copy_would_hide_the_sentences_that_stand_once(tmp_path: Path) -> None:
    sentences = [s for parsed in _make_documents() for s in parsed.sentences if "编号" not in s.plain]
    vectors = embed_texts(_EMBEDDER, [s.plain for s in sentences])
    firsts = np.unique(find_alike(vectors))
    for name, rows, hidden in (("all", range(len(sentences)), True), ("once", firsts, False)):
        made = _write(tmp_path / name, [sentences[row] for row in rows], vectors[rows])
        assert (_missed(made, vectors[firsts]) > 0) == hidden
        made.close()


_SCOPES = [
    Scope(),
    Scope(regions=frozenset({"上海"})),
    Scope(years=frozenset({2024}), regions=frozenset({"江苏"})),
    Scope(years=frozenset({2024}), regions=frozenset({"上海"})),  # entries of the third seem to lie in it
    Scope(sources=frozenset({"copy007.txt"})),
    Scope(sources=frozenset(f"copy{n:03}.txt" for n in range(0, _COPIES, 2))),
    Scope(sources=frozenset({"alone.txt", "copy299.txt"})),
]


@pytest.mark.parametrize("scope", _SCOPES)
def test_nearest_by_vector_are_those_of_exact_search(index: Index, scope: Scope) -> None:
    vectors = np.asarray(index._parts.vectors)
    allowed = [n for n, sentence in enumerate(index.sentences) if scope.allows(sentence)]
    recalls = []
    for position in range(0, len(index.sentences), 61):
        found = index._nearest(vectors[position], 100, scope)
        cosines = np.sort(vectors[allowed] @ vectors[position])[::-1][:100]
        assert len(found) == len(cosines) and set(found) <= set(allowed)
        near = vectors[found] @ vectors[position] >= cosines[-1] - 1e-5
        recalls.append(float(near.mean()))
    assert np.mean(recalls) >= 0.99


@pytest.mark.parametrize("scope", _SCOPES)
def test_search_finds_what_the_index_in_memory_finds(index: Index, scope: Scope) -> None:
    memory = MemoryIndex(_make_documents(), _EMBEDDER)
    for position in range(0, 50, 3):
        text = index.sentences[position].plain[:6]
        # What is not near by its vector has cosines around 0, which are ranked by how they were rounded.
        on_disk, in_memory = (
            [hit.sentence.id for hit in of.search(text, 20, scope) if hit.dense > 0.1] for of in (index, memory)
        )
        assert on_disk == in_memory


def test_copies_are_found_in_the_order_of_their_documents(index: Index) -> None:
    copy = next(s for s in index.sentences if s.source == "copy000.txt")
    hits = index.search(copy.plain, 20)
    assert [hit.sentence.source for hit in hits] == ["copy.txt", *(f"copy{n:03}.txt" for n in range(19))]


def test_every_vector_is_entered_once(index: Index) -> None:
    different = len({row.tobytes() for row in np.asarray(index._parts.vectors)})
    assert index._parts.dense.count() == different < len(index.sentences) / 5


def test_entries_that_are_missing_from_the_vectors_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = DenseIndex.add
    monkeypatch.setattr(DenseIndex, "add", lambda self, *given: add(self, *(some[:-1] for some in given)))
    with pytest.raises(IndexDamaged, match="dense"):
        build_parsed(_make_documents()[:4], data=tmp_path, embedder=_EMBEDDER)


def test_canary_is_a_sentence_that_the_new_index_finds() -> None:
    sentences = make_parsed("a.txt", {NOWHERE: "这是最长的一句话。\n这句稍短。\n短句。"}).sentences
    vectors = _EMBEDDER.embed([s.plain for s in sentences])
    assert choose_canary(sentences, vectors) == 0
    assert choose_canary(sentences, vectors, lambda position: position != 0) == 1
    assert choose_canary(sentences, vectors, lambda position: False) == 0


def test_index_of_the_form_before_is_stale_and_can_be_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = _make_documents()[:2]
    with monkeypatch.context() as before:
        before.setattr(generation, "FORMAT", 1)
        build_parsed(documents, data=tmp_path, embedder=_EMBEDDER)
    with pytest.raises(IndexStale, match=r"form 1.*assistant index"):
        Index.open(tmp_path, _EMBEDDER)
    build_parsed(documents, data=tmp_path, embedder=_EMBEDDER)
    Index.open(tmp_path, _EMBEDDER).close()


class _Counting(HashingEmbedder):
    """Gives equal texts vectors that differ from call to call, and remembers how many texts it was given."""

    seen = 0

    def embed(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        self.seen += len(texts)
        return super().embed(texts) + np.float32(self.seen * 1e-6)


def test_equal_texts_are_embedded_once_and_have_one_vector() -> None:
    embedder = _Counting(16)
    texts = [f"第{n % 400}条" for n in range(1000)]
    done: list[tuple[int, int]] = []
    vectors = embed_texts(embedder, texts, lambda *step: done.append(step))
    assert embedder.seen == 400
    assert done == [(0, 400), (256, 400), (400, 400)]
    assert (vectors[:200] == vectors[400:600]).all() and not (vectors[0] == vectors[1]).all()


def test_sentences_with_one_vector_are_alike_whatever_their_texts() -> None:
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [1.0, 0.0], [0.6, 0.8]], dtype=np.float32)
    alike = find_alike(rows)
    assert alike.tolist() == [0, 1, 0, 1, 4]
    assert group_alike(alike) == {0: [0, 2], 1: [1, 3], 4: [4]}
