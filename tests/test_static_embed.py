"""The trained embedder: unit rows, the same everywhere, what its table says, and files that it refuses."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.embed import HashingEmbedder, open_embedder
from vectorstore.errors import EmbedderUnusable
from vectorstore.lexical import LexicalIndex
from vectorstore.static_embed import BUNDLED, FORMAT, StaticEmbedder, features

ROOT = Path(__file__).resolve().parent.parent
_BUNDLED = StaticEmbedder()
_WORDS = ["森林", "林地", "公园"]


def write_table(path: Path, rows: list[list[int]], words: list[str] = _WORDS, *, number: int = FORMAT) -> Path:
    table = np.array(rows, dtype=np.int8)
    np.savez(
        path,
        format=np.int64(number),
        table=table,
        scales=np.full(len(table), 0.01, dtype=np.float32),
        words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
    )
    return path


@given(st.lists(st.text(max_size=60), max_size=4))
def test_gives_one_row_of_unit_length_for_each_text(texts: list[str]) -> None:
    rows = _BUNDLED.embed(texts)
    assert rows.shape == (len(texts), _BUNDLED.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_vector_does_not_depend_on_the_texts_beside(text: str, other: str) -> None:
    np.testing.assert_array_equal(_BUNDLED.embed([text])[0], _BUNDLED.embed([other, text])[1])


def test_is_the_same_in_another_process() -> None:
    program = (
        "from vectorstore.static_embed import StaticEmbedder; import hashlib;"
        "print(hashlib.sha256(StaticEmbedder().embed(['新增森林3.1万亩']).round(4).tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert there == hashlib.sha256(_BUNDLED.embed(["新增森林3.1万亩"]).round(4).tobytes()).hexdigest()


def test_text_without_features_has_cosine_zero_with_a_text_of_another_direction(tmp_path: Path) -> None:
    embedder = StaticEmbedder(write_table(tmp_path / "t.npz", [[9, 0], [9, 0], [9, 0], [9, 0]]))
    empty, punctuation, text = embedder.embed(["", "。。!", "森林"])
    np.testing.assert_array_equal(empty, [0.0, 1.0])
    np.testing.assert_array_equal(empty, punctuation)
    assert empty @ text == 0.0


def test_other_form_of_the_same_text_has_the_same_vector() -> None:
    plain, wide, traditional = _BUNDLED.embed(["新增绿地1000公顷", "新增绿地１０００公顷", "新增綠地1,000公頃"])
    np.testing.assert_array_equal(plain, wide)
    np.testing.assert_array_equal(plain, traditional)


def test_words_of_a_close_vector_are_near_and_others_are_not(tmp_path: Path) -> None:
    embedder = StaticEmbedder(write_table(tmp_path / "t.npz", [[90, 0], [90, 9], [0, 90], [0, 0]]))
    forest, wood, park = embedder.embed(_WORDS)
    assert forest @ wood > 0.99
    assert forest @ park < 0.01


def test_row_of_a_longer_vector_counts_more(tmp_path: Path) -> None:
    embedder = StaticEmbedder(write_table(tmp_path / "t.npz", [[100, 0], [0, 0], [0, 10], [0, 0]]))
    both, forest, park = embedder.embed(["森林公园", "森林", "公园"])
    assert both @ forest > 0.99 > 0.2 > both @ park


def test_features_are_known_words_and_pieces_by_row_and_all_else_by_bucket() -> None:
    vocabulary = {"林": 0, "森林": 1}
    places, weights = features("森林森林", vocabulary, 1)
    found = dict(zip(places.tolist(), weights.tolist(), strict=True))
    assert set(found) == {0, 1, 2}
    assert found[1] == pytest.approx(1 + np.log(2))  # 森林 twice
    assert found[2] == pytest.approx(1 + np.log(3))  # 森 twice and 林森 once share the only bucket


def test_number_is_one_feature_and_not_its_digits() -> None:
    places = [set(features(text, {}, 1 << 30)[0].tolist()) for text in ("120", "12", "0.12")]
    assert all(len(found) == 1 for found in places)
    assert not places[0] & places[1] and not places[1] & places[2]


def test_name_changes_with_the_weights_so_that_an_index_of_others_is_refused(tmp_path: Path) -> None:
    one = StaticEmbedder(write_table(tmp_path / "one.npz", [[1, 0]] * 4))
    other = StaticEmbedder(write_table(tmp_path / "other.npz", [[0, 1]] * 4))
    assert one.name != other.name
    assert one.name == StaticEmbedder(tmp_path / "one.npz").name


def test_card_names_the_digest_of_the_bundled_weights() -> None:
    card = BUNDLED.with_name("README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(BUNDLED.read_bytes()).hexdigest() in card
    assert "CC BY-SA 4.0" in card
    assert BUNDLED.stat().st_size < 7_000_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "No data left"), (b"not an archive at all", "pickle"), (pickle.dumps({"table": 1}), "pickle")],
)
def test_refuses_a_file_that_is_none_of_its_own(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(EmbedderUnusable, match=reason):
        StaticEmbedder(path)


def test_refuses_objects_inside_the_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", format=np.int64(FORMAT), table=np.array([{}]), scales=np.zeros(1), words=np.zeros(1))
    with pytest.raises(EmbedderUnusable, match="allow_pickle"):
        StaticEmbedder(tmp_path / "o.npz")


def test_refuses_what_is_cut_short_missing_or_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "short.npz").write_bytes(BUNDLED.read_bytes()[:100_000])
    write_table(tmp_path / "later.npz", [[1, 0]] * 4, number=FORMAT + 1)
    write_table(tmp_path / "few.npz", [[1, 0]] * 3)
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    for name in ("short", "later", "few", "empty", "missing"):
        with pytest.raises(EmbedderUnusable, match=rf"{name}\.npz"):
            StaticEmbedder(tmp_path / f"{name}.npz")


def test_is_the_default_and_has_a_name() -> None:
    assert open_embedder().name == open_embedder("static-v1").name == _BUNDLED.name
    assert open_embedder(str(BUNDLED)).name == _BUNDLED.name


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("老人每月能领多少钱养老", "提高退休人员基本养老金", "加快建设高速公路网"),
        ("脏水怎么处理", "新增城镇污水日处理能力", "扩大免费师范生教育"),
        ("看病贵", "提高城乡居民基本医保财政补助标准", "推进海上风电建设"),
    ],
)
def test_question_is_nearer_to_what_it_means_than_to_what_it_does_not(question: str, right: str, wrong: str) -> None:
    asked, meant, other = _BUNDLED.embed([question, right, wrong])
    assert asked @ meant > asked @ other + 0.05


def test_finds_more_paraphrases_than_words_or_hashing_among_their_own_sentences() -> None:
    lines = (ROOT / "benchmarks" / "paraphrases.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    sentences = [row["sentence"] for row in rows]
    questions = [row["question"] for row in rows]
    lexical = LexicalIndex.build(sentences)
    found = {"lexical": sum(_is_among_best(lexical.scores(q), i) for i, q in enumerate(questions))}
    for name, embedder in (("static", _BUNDLED), ("hashing", HashingEmbedder())):
        scores = embedder.embed(questions) @ embedder.embed(sentences).T
        found[name] = sum(_is_among_best(row, i) for i, row in enumerate(scores))
    assert found["static"] > found["lexical"] + 3
    assert found["static"] > found["hashing"] + 3


def _is_among_best(scores: np.ndarray, gold: int, count: int = 5) -> bool:
    return scores[gold] > 0 and int((scores >= scores[gold]).sum()) <= count


def test_documents_that_the_paraphrases_ask_about_are_not_trained_on() -> None:
    from training.embedder_data import MEASURED_ON, QUESTION_SETS

    lines = (ROOT / "benchmarks" / "paraphrases.jsonl").read_text(encoding="utf-8").splitlines()
    asked_about = {json.loads(line)["source"] for line in lines}
    assert {source for source in asked_about if not source.endswith(".txt")} == MEASURED_ON
    assert not {"cmrc2018_dev", "drcd_test", "expmrc_cmrc_dev"} & set(QUESTION_SETS)


def test_paraphrases_share_few_words_with_their_sentence() -> None:
    lines = (ROOT / "benchmarks" / "paraphrases.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        question = row["question"]
        pairs = {question[i : i + 2] for i in range(len(question) - 1)}
        assert sum(pair in row["sentence"] for pair in pairs) <= 0.15 * len(pairs), question
