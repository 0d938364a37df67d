"""An open index: what it finds, what it refuses to open, and what another process's build means to it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_documents import BEIJING, CHARGING, NOWHERE, PARKS, REVIEW_2023, TASKS_2024, make_parsed
from vectorstore import generation
from vectorstore.build import build_parsed
from vectorstore.embed import HashingEmbedder
from vectorstore.errors import IndexDamaged, IndexMissing, IndexStale
from vectorstore.index import Index, choose_canary, fuse
from vectorstore.types import Part, Scope, Vectors

_EMBEDDER = HashingEmbedder()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("index") / "data"
    build_parsed([PARKS, CHARGING], data=data, embedder=_EMBEDDER)
    return data


@pytest.fixture(scope="module")
def index(stored: Path) -> Index:
    return Index.open(stored, _EMBEDDER)


@pytest.fixture
def damageable(stored: Path, tmp_path: Path) -> Path:
    return shutil.copytree(stored, tmp_path / "data")


def _quotes(index: Index, text: str, scope: Scope = Scope()) -> list[str]:  # noqa: B008
    return [hit.sentence.quote for hit in index.search(text, 20, scope)]


# What is found


def test_term_is_found_where_it_stands(index: Index) -> None:
    assert _quotes(index, "特高压")[0] == "推动第三条特高压通道开工。"
    assert _quotes(index, "园")[0].startswith("新建公园")
    assert _quotes(index, "ccus")[0] == "企业采用CCUS技术。"
    assert _quotes(index, "120座")[0] == "新建公园120座。"


def test_same_sentence_in_two_places_stays_two_hits_in_the_order_of_the_places(index: Index) -> None:
    hits = [hit for hit in index.search("新增森林3.1万亩", 5) if hit.sentence.quote == "新增森林3.1万亩。"]
    assert [hit.sentence.source for hit in hits] == ["charging.txt", "parks.txt"]


def test_fewer_hits_than_asked_for_are_the_first_of_them(index: Index) -> None:
    assert index.search("新建公园", 2) == index.search("新建公园", 5)[:2]


@pytest.mark.parametrize(("text", "k"), [("", 5), ("。?", 5), ("公园", 0), ("公园", -1)])
def test_nothing_asked_finds_nothing(index: Index, text: str, k: int) -> None:
    assert index.search(text, k) == ()


@pytest.mark.parametrize(
    "scope",
    [
        Scope(regions=frozenset({"上海"})),
        Scope(regions=frozenset({"上海", "北京"}), years=frozenset({2024})),
        Scope(years=frozenset({2023})),
        Scope(part=Part.TASKS),
        Scope(places=frozenset({"镇江"})),
        Scope(sources=frozenset({"charging.txt"})),
    ],
)
def test_everything_inside_the_scope_and_nothing_outside_is_found(index: Index, scope: Scope) -> None:
    inside = [sentence for sentence in index.sentences if scope.allows(sentence)]
    found = [hit.sentence for hit in index.search("新建公园120座", 20, scope)]
    assert sorted(found, key=lambda s: s.id) == sorted(inside, key=lambda s: s.id)


def test_scope_that_nothing_lies_in_finds_nothing(index: Index) -> None:
    assert index.search("公园", 5, Scope(regions=frozenset({"广东"}))) == ()


def test_figure_of_the_other_year_is_not_found_in_the_scope_of_this_one(index: Index) -> None:
    assert _quotes(index, "新建公园", Scope(years=frozenset({2023})))[0] == "新建公园95座。"
    assert _quotes(index, "新建公园", Scope(years=frozenset({2024})))[0] == "新建公园120座。"


@given(st.text(max_size=30), st.integers(1, 12))
def test_any_text_can_be_searched_for_and_gives_the_same_hits_again(index: Index, text: str, k: int) -> None:
    hits = index.search(text, k)
    assert hits == index.search(text, k)
    assert len({hit.sentence.id for hit in hits}) == len(hits) <= k
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_hit_carries_bm25_and_the_cosine_of_its_own_vector(index: Index) -> None:
    question = _EMBEDDER.embed(["新建公园"])[0]
    for hit in index.search("新建公园", 20):
        own = float(_EMBEDDER.embed([hit.sentence.plain])[0] @ question)
        assert hit.dense == pytest.approx(own, abs=1e-5)
        assert (hit.lexical > 0) == bool(set("新建公园") & set(hit.sentence.plain) and "公园" in hit.sentence.plain)


def test_sentence_is_known_by_its_id(index: Index) -> None:
    assert all(index.sentence(sentence.id) is sentence for sentence in index.sentences)
    with pytest.raises(KeyError):
        index.sentence("parks.txt#0-1")


def test_quotes_stand_in_the_texts_that_the_index_keeps(index: Index) -> None:
    texts = {p.document.source: p.document.text for p in index.documents}
    assert all(texts[s.source][s.start : s.end] == s.quote for s in index.sentences)


def test_holds_counts_sentences_and_knows_whole_numbers(index: Index) -> None:
    assert index.holds("新建公园") == 2
    assert index.holds("3.1万亩") == 2
    assert index.holds("20座") == index.holds("量子") == index.holds("") == 0


def test_rarer_term_weighs_more(index: Index) -> None:
    assert index.rarity("量子") > index.rarity("特高压") > index.rarity("新建公园") > 0


def test_threads_find_what_one_finds(index: Index) -> None:
    questions = ["公园", "特高压", "森林", "充电桩"]
    alone = [index.search(q, 5) for q in questions]
    together: list[list[tuple[object, ...]]] = []

    def ask() -> None:
        together.append([index.search(q, 5) for q in questions * 5])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone * 5] * 6


def test_ranks_are_fused_by_their_reciprocals() -> None:
    assert fuse([[7, 8], [8], []]) == {7: 1 / 61, 8: 1 / 62 + 1 / 61}


def test_canary_is_no_sentence_that_stands_twice() -> None:
    twice = make_parsed("a.txt", {TASKS_2024: "这是最长的一句话。", BEIJING: "这是最长的一句话。", NOWHERE: "短句。"})
    vectors = _EMBEDDER.embed([s.plain for s in twice.sentences])
    assert twice.sentences[choose_canary(twice.sentences, vectors)].plain == "短句。"


def test_documents_that_hold_only_equal_sentences_can_be_indexed(tmp_data: Path) -> None:
    same = [make_parsed(name, {REVIEW_2023: "新建公园95座。"}) for name in ("a.txt", "b.txt")]
    build_parsed(same, data=tmp_data, embedder=_EMBEDDER)
    index = Index.open(tmp_data, _EMBEDDER)
    assert [hit.sentence.source for hit in index.search("公园", 5)] == ["a.txt", "b.txt"]
    index.close()


# What is not opened


def test_no_index_is_missing(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="assistant index"):
        Index.open(tmp_path, _EMBEDDER)


class _Liar(HashingEmbedder):
    """Has the name of another embedder and other vectors."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.roll(super().embed(texts), 1, axis=1)


@pytest.mark.parametrize("embedder", [HashingEmbedder(64), _Liar()])
def test_other_embedder_makes_the_index_stale(stored: Path, embedder: HashingEmbedder) -> None:
    with pytest.raises(IndexStale, match="assistant index"):
        Index.open(stored, embedder)


@pytest.mark.parametrize(("name", "module"), [("PROGRAM", generation), ("VERSION", "dense")])
def test_other_main_version_of_program_or_chroma_makes_the_index_stale(
    stored: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: object
) -> None:
    target = f"vectorstore.{module}.{name}" if isinstance(module, str) else f"vectorstore.generation.{name}"
    monkeypatch.setattr(target, "99.0.0")
    with pytest.raises(IndexStale, match=r"99\.0\.0"):
        Index.open(stored, _EMBEDDER)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes()) or bytearray(1)
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def _flip_first(path: Path) -> None:
    content = bytearray(path.read_bytes()) or bytearray(1)
    content[0] ^= 0xFF
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if content else b"\0")


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("damage", [_flip, _flip_first, _truncate, _grow, Path.unlink], ids=lambda d: d.__name__)
def test_damage_of_any_file_is_noticed_and_named(damageable: Path, damage: Callable[[Path], None]) -> None:
    current = generation.locate(damageable, generation.read_pointer(damageable))
    files = [path for path in current.rglob("*") if path.is_file()] + [damageable / "CURRENT"]
    assert len(files) >= 10
    for path in files:
        whole = path.read_bytes()
        damage(path)
        with pytest.raises((IndexDamaged, IndexMissing), match=r"CURRENT|assistant index") as caught:
            Index.open(damageable, _EMBEDDER)
        assert path.name == "CURRENT" or path.name in str(caught.value)
        path.write_bytes(whole)
    Index.open(damageable, _EMBEDDER).close()


def test_missing_generation_is_damage(damageable: Path) -> None:
    shutil.rmtree(damageable / "generations")
    with pytest.raises(IndexDamaged, match="manifest"):
        Index.open(damageable, _EMBEDDER)


def test_sizes_are_compared_even_without_verifying(damageable: Path) -> None:
    current = generation.locate(damageable, generation.read_pointer(damageable))
    _truncate(next(current.rglob("data_level0.bin")))
    with pytest.raises(IndexDamaged, match="data_level0"):
        Index.open(damageable, _EMBEDDER, verify=False)


def test_file_that_does_not_belong_is_never_given_to_chroma(damageable: Path) -> None:
    current = generation.locate(damageable, generation.read_pointer(damageable))
    (current / "dense" / "chroma.sqlite3-journal").write_bytes(b"\xd9\xd5\x05\xf9 a journal to be played back")
    (current / "dense" / "more.bin").write_bytes(b"more")
    index = Index.open(damageable, _EMBEDDER)
    assert list((damageable / "copies").rglob("chroma.sqlite3"))
    assert not list((damageable / "copies").rglob("more.bin"))
    assert "特高压" in index.search("特高压", 1)[0].sentence.quote
    index.close()


# What goes on beside it


def test_opening_and_searching_changes_no_file_of_the_generation(damageable: Path) -> None:
    current = generation.locate(damageable, generation.read_pointer(damageable))
    before = {path: path.read_bytes() for path in current.rglob("*") if path.is_file()}
    for _ in range(3):
        index = Index.open(damageable, _EMBEDDER)
        index.search("公园", 3)
        index.close()
    assert {path: path.read_bytes() for path in current.rglob("*") if path.is_file()} == before
    assert [path.name for path in (damageable / "copies").iterdir()] == ["GUARD"]


def test_two_readers_of_one_index_do_not_disturb_each_other(stored: Path) -> None:
    one, two = Index.open(stored, _EMBEDDER), Index.open(stored, _EMBEDDER)
    expected = one.search("公园", 3)
    one.close()
    assert two.search("公园", 3) == expected
    two.close()


def test_reader_moves_to_the_new_generation_when_the_pointer_has(tmp_data: Path) -> None:
    build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER)
    old = Index.open(tmp_data, _EMBEDDER)
    assert old.current() is old
    build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)
    new = old.current()
    assert new is not old
    assert new.manifest.generation != old.manifest.generation
    assert "碳惠宜" in new.search("碳惠宜", 1)[0].sentence.quote
    assert new.current() is new
    old.close()
    new.close()


def test_reader_of_a_deleted_generation_goes_on(tmp_data: Path) -> None:
    build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER)
    old = Index.open(tmp_data, _EMBEDDER)
    for _ in range(3):
        build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)
    assert not generation.locate(
        tmp_data, replace(generation.read_pointer(tmp_data), generation=old.manifest.generation)
    ).exists()
    assert old.search("特高压", 1)[0].sentence.quote == "推动第三条特高压通道开工。"
    assert len(old.search("公园", 20, Scope(regions=frozenset({"上海"})))) == 6
    old.close()


def test_generation_that_is_deleted_while_it_is_opened_is_followed_by_the_current_one(
    tmp_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER)
    late = generation.read_pointer(tmp_data)
    for _ in range(2):
        build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)
    read, answers = generation.read_pointer, [late]
    monkeypatch.setattr(generation, "read_pointer", lambda data: answers.pop() if answers else read(data))
    index = Index.open(tmp_data, _EMBEDDER)
    assert index.manifest.generation == read(tmp_data).generation
    index.close()


# The real documents


@pytest.mark.parametrize(
    ("question", "scope", "quote"),
    [
        ("上海2024年要新建多少公共充电桩?", Scope(regions=frozenset({"上海"}), years=frozenset({2024})), "新建1万个"),
        ("哪个城市推动第三条入津特高压通道开工?", Scope(), "第三条入津特高压通道"),
        ("镇江的碳普惠平台叫什么?", Scope(places=frozenset({"镇江"})), "碳惠宜"),
        (
            "上海2023年新增森林多少亩?",
            Scope(regions=frozenset({"上海"}), years=frozenset({2023})),
            "新增森林超过6.7万亩",
        ),
        ("上海2024年新增森林多少亩?", Scope(regions=frozenset({"上海"}), years=frozenset({2024})), "新增森林3.1万亩"),
    ],
)
def test_question_finds_its_evidence_among_the_first_three(
    seed_index: Index, question: str, scope: Scope, quote: str
) -> None:
    assert any(quote in hit.sentence.quote for hit in seed_index.search(question, 3, scope))


def test_every_sentence_of_the_seeds_finds_itself_first(seed_index: Index) -> None:
    plains = [sentence.plain for sentence in seed_index.sentences]
    for sentence in seed_index.sentences:
        assert seed_index.search(sentence.plain, 1)[0].sentence.plain == sentence.plain, plains
