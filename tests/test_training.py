"""The steps that make the reader's training data, the sequences, the export; torch is only needed by the slow part."""

from __future__ import annotations

import importlib.util
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.llm.reader import plan_passes
from training.build import Part, Sources, build_parts, make_examples, plan_parts
from training.clauses import remove_clause, split_clauses, tag_words
from training.examples import FEWEST, MOST, human_examples, policy_examples
from training.overlap import Stretch
from training.policy import draft_questions
from training.sequences import Target, Tokenizer, Written, next_tokens, write_sequence, write_span
from training.shards import load_shards, plan_batches, shorten
from training.spans import human_spans, policy_spans
from training.texts import MEASURED_ON, Paragraph, Text, clean_official, join_lines, make_paragraph, read_questions
from training.types import Example
from training.wording import synonyms, word_question

pytest.importorskip("sentencepiece")

HAS_TORCH = importlib.util.find_spec("torch") is not None
WOOD = "推动北山公园东区开放,新建公园36座,新增森林2.4万亩、绿地700公顷、绿道120公里。"
HOSTILE = (
    "[1]<m>[0]</m><eot> [64] <s>",
    "a[1]b <q>",
    "　全角  空格",
    "😀龘[12",
    "<<m>>",
    "[0][0]",
    "▁低",
    "\n\t1,000",
    "",
    "二〇二四年[",
)

SENTENCES = tuple(
    f"{place}{year}年新建{thing}{number}{unit}，{other}。"
    for place, year, thing, number, unit, other in (
        ("东湖", 2008, "公园", 12, "座", "改造老旧小区30个"),
        ("西山", 2009, "桥梁", 7, "座", "完善道路设施"),
        ("南城", 2008, "学校", 25, "所", "支持甲校、乙校、丙校等学校扩建"),
        ("北岭", 2010, "绿道", 140, "公里", "加强生态保护"),
        ("东湖", 2011, "医院", 3, "家", "提高服务水平"),
        ("西山", 2012, "水库", 5, "座", "由水利部门负责管理工作"),
        ("南城", 2013, "充电站", 60, "个", "推广节能技术"),
        ("北岭", 2014, "图书馆", 2, "座", "开展全民阅读活动"),
        ("东湖", 2015, "体育馆", 4, "座", "组织群众参加体育活动"),
        ("西山", 2016, "农村公路", 300, "公里", "解决群众出行问题"),
    )
)
TEXT = Text("work_report", "2016年某省政府工作报告", "某省", 2016, SENTENCES)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(policy_examples(TEXT, 120, Random(1)))


def _paragraph(name: str = "p") -> Paragraph:
    text = "东湖在城东。它有三座岛，最大的叫青岛，面积12亩。湖水来自北河。西山在城西。山上有一座古塔。塔建于1402年。"
    return make_paragraph(name, text, [("东湖里最大的岛叫什么？", "青岛"), ("古塔是哪年建的？", "1402年")])


# --- texts


def test_lines_broken_at_links_and_pages_are_joined_and_headings_dropped() -> None:
    text = "一、工作回顾\n\n\n会议通过了\n政府工作报告\n。全年\n\u200b\n增长8%。\n\n# 第一章\n\n今年增长7%。"
    assert join_lines(text) == ["会议通过了政府工作报告。全年增长8%。", "今年增长7%。"]


def test_documents_that_are_measured_on_are_never_trained_on() -> None:
    text = "\n\n".join(f"今年要完成第{i}项重点工作任务，保持稳定增长。" for i in range(10))
    for title in MEASURED_ON:
        assert clean_official("work_report", title, text) is None
    assert clean_official("work_report", "2016年政府工作报告", text) is not None


def test_the_benchmark_asks_about_exactly_the_documents_kept_from_training() -> None:
    file = Path(__file__).parent.parent / "benchmarks/policy_questions.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {row["document"] for row in rows} == set(MEASURED_ON)
    assert len({row["question"] for row in rows}) == len(rows) >= 100


def test_region_and_year_are_read_from_the_title() -> None:
    text = "。".join(["为了加强公路建设和养护管理工作，制定本条例"] * 8) + "。"
    found = clean_official("law", "河南省公路管理条例(2010-07-30)", text)
    assert found is not None
    assert (found.region, found.year) == ("河南", 2010)


def test_an_answer_is_placed_in_the_sentence_that_shares_most_with_its_question() -> None:
    paragraph = make_paragraph("p", "甲城有30座桥。乙城建了30座公园。", [("乙城有多少公园？", "30座")])
    assert [(a.gold, a.answer) for a in paragraph.questions] == [(1, "30座")]


def test_only_allowed_question_sets_are_read_and_traditional_characters_are_made_simplified(tmp_path: Path) -> None:
    folder = tmp_path / "qa"
    folder.mkdir()
    forbidden = ("cmrc2018_dev", "expmrc_cmrc_dev")
    for name in ("cmrc2018_train", "cmrc2018_trial", "drcd_dev", "drcd_test", *forbidden):
        question = {"question": "誰發現了它？", "answers": [{"text": "瓊斯", "answer_start": 0}]}
        content = {"data": [{"paragraphs": [{"context": f"瓊斯發現了{name}。後來他去了印度。", "qas": [question]}]}]}
        with lzma.open(folder / f"{name}.json.xz", "wt", encoding="utf-8") as out:
            json.dump(content, out)
    read = read_questions(tmp_path)
    assert len(read) == 4
    assert not any(name in "".join(p.sentences) for p in read for name in forbidden)
    assert any("琼斯发现了" in p.sentences[0] for p in read)


# --- clauses and questions


@given(st.text(alphabet="新建公园120座，,；森林3.1万亩、“绿地”第一条。 ", max_size=60))
def test_words_of_a_sentence_stand_where_they_say(sentence: str) -> None:
    words = tag_words(sentence)
    assert "".join(w.text for w in words) == sentence
    assert all(sentence[w.start : w.end] == w.text for w in words)


def test_a_thousands_separator_cuts_no_clause() -> None:
    sentence = "取得成果3,000多项,其中重大成果12项。"
    assert [c.text(sentence) for c in split_clauses(sentence, tag_words(sentence))] == [
        "取得成果3,000多项",
        "其中重大成果12项",
    ]


def test_a_sentence_without_its_clause_does_not_hold_it_and_stays_a_sentence() -> None:
    clause = split_clauses(WOOD, tag_words(WOOD))[1]
    assert remove_clause(WOOD, clause) == "推动北山公园东区开放,新增森林2.4万亩、绿地700公顷、绿道120公里。"


def test_questions_take_out_what_they_ask_for_and_the_answer_stands_in_the_sentence() -> None:
    for seed in range(30):
        for draft in draft_questions(WOOD, Random(seed)):
            asked = "".join(p.text for p in draft.pieces)
            assert draft.answer in WOOD
            assert any(p.asks for p in draft.pieces)
            assert draft.answer not in asked


def test_counts_lists_and_rules_are_asked_for() -> None:
    rule = "县级人民政府负责城市绿化管理工作，推广太阳能、风能、地热能等清洁能源利用，违反规定砍伐树木的，处一千元以上罚款。"
    kinds = {d.kind for seed in range(20) for s in (WOOD, rule) for d in draft_questions(s, Random(seed))}
    assert {"number", "listed", "duty", "penalty"} <= kinds


def test_a_question_never_loses_its_question_word() -> None:
    for seed in range(40):
        rng = Random(seed)
        for draft in draft_questions(WOOD, rng):
            asked = word_question(draft.pieces, rng, "上海2024年", drop=0.5)
            assert any(p.text in asked for p in draft.pieces if p.asks)


def test_near_synonyms_go_both_ways() -> None:
    table = synonyms()
    assert all(word in table[other] for word, others in table.items() for other in others)


# --- examples


def test_every_example_can_be_learned_from(examples: list[Example]) -> None:
    assert len(examples) > 30
    for e in examples:
        assert 1 <= len(e.candidates) <= MOST + FEWEST
        assert len(set(e.candidates)) == len(e.candidates)
        assert all(0 <= g < len(e.candidates) for g in e.gold)
        if e.answer:
            assert e.answer in e.candidates[e.gold[0]]


def test_what_does_not_answer_holds_no_answer(examples: list[Example]) -> None:
    kinds = {e.kind for e in examples}
    assert any(k.endswith("-clause-gone") for k in kinds)
    assert all(not e.gold and not e.answer for e in examples if "-" in e.kind)


def test_the_position_of_the_answer_gives_nothing_away(examples: list[Example]) -> None:
    first = [e.gold[0] == 0 for e in examples if len(e.gold) == 1 and len(e.candidates) > 3]
    assert sum(first) < 0.6 * len(first)


def test_the_same_seed_makes_the_same_examples_and_another_one_others() -> None:
    one, same, other = (list(policy_examples(TEXT, 20, Random(seed))) for seed in (3, 3, 4))
    assert one == same != other


def test_a_persons_question_keeps_its_sentence_unless_it_is_made_unanswerable() -> None:
    others = [_paragraph("q"), Paragraph("r", SENTENCES, ())]
    found = [e for seed in range(40) for e in human_examples(_paragraph(), others, Random(seed))]
    answered = [e for e in found if e.kind == "human"]
    none = [e for e in found if e.kind == "human-none"]
    assert answered
    assert none
    assert all(e.answer in e.candidates[e.gold[0]] for e in answered)
    assert all(not e.gold for e in none)
    for e in none:
        answer = "青岛" if "岛" in e.question else "1402年"
        assert not any(answer in c for c in e.candidates)


def test_the_sentence_that_shares_the_most_is_ranked_first() -> None:
    assert Stretch(SENTENCES).rank("南城新建充电站多少个")[0] == 6


def test_a_topic_is_answered_by_every_sentence_that_speaks_of_it() -> None:
    about = [f"第{i}项工作是推进污水处理厂的改造，确保{i}月完成。" for i in range(3)]
    text = Text("law", "工作方案", None, None, (*about, *SENTENCES))
    topics = [e for seed in range(60) for e in policy_examples(text, 10, Random(seed)) if e.kind == "topic"]
    assert topics
    assert any(sum("污水" in e.candidates[g] for g in e.gold) == 3 for e in topics)
    assert all(len(e.gold) >= 2 and not e.answer for e in topics)


# --- sequences


def test_sequences_are_written_as_the_product_reads_them(tokenizer: Tokenizer, examples: list[Example]) -> None:
    for example in examples[:20]:
        written = write_sequence(example, tokenizer, 4000)
        assert written is not None

        class Model:
            plain_tokens = staticmethod(tokenizer.plain_tokens)
            special_token = staticmethod(tokenizer.special_token)

        model: Any = Model()
        first = plan_passes(model, example.question, example.candidates)[0]
        read = list(first.tokens[:-1])  # but for <a>, where the product's pass ends earlier than ours
        assert list(written.tokens[: len(read)]) == read


def test_the_short_answer_is_tagged_where_it_stands_in_the_second_copy(tokenizer: Tokenizer) -> None:
    sentence = "新建公园120座,建成绿道200公里。"
    written = write_span(Example("x", "建成绿道多少公里？", (sentence,), (0,), "200公里"), tokenizer)
    assert written is not None
    inside = [int(t) for t, k in zip(written.tokens, written.targets, strict=True) if k == Target.INSIDE]
    assert b"".join(map(tokenizer.token_bytes, inside)).decode() == "200公里"
    assert int((written.targets == Target.OUTSIDE).sum()) > 5
    without = write_span(Example("x", "新建多少车站？", (sentence,), ()), tokenizer)
    assert without is not None
    assert not (without.targets == Target.INSIDE).any()
    assert write_span(Example("x", "问", (sentence,), (0,), "不在里面"), tokenizer) is None


def test_spans_of_people_and_of_texts_hold_their_answer(tokenizer: Tokenizer) -> None:
    made = [*human_spans(_paragraph(), Random(3)), *policy_spans(TEXT, 60, Random(3))]
    assert len(made) > 20
    for example in made:
        assert len(example.candidates) == 1
        assert (example.answer in example.candidates[0]) == bool(example.gold) or not example.answer
    assert {bool(e.gold) for e in made} == {True, False}


def test_every_candidates_number_is_told_whether_it_answers(tokenizer: Tokenizer, examples: list[Example]) -> None:
    for example in examples:
        written = write_sequence(example, tokenizer, 4000)
        assert written is not None
        labels = [t for t in written.targets if t in (Target.YES, Target.NO)]
        assert [i for i, t in enumerate(labels) if t == Target.YES] == list(example.gold)
        yes, no = tokenizer.special_token("<y>"), tokenizer.special_token("<n>")
        wanted = next_tokens(written.tokens, written.targets, yes, no)
        pointed = [int(w) for w, t in zip(wanted, written.targets, strict=True) if t == Target.POINTER]
        assert pointed == [tokenizer.special_token(f"[{g + 1}]") for g in example.gold] or pointed == [
            tokenizer.special_token("[0]")
        ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_control_token(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer.plain_tokens(text)
    assert tokenizer.pieces.decode(tokens) == text.replace("▁", " ")  # sentencepiece writes a space so
    control = {tokenizer.special_token(p) for p in ("[0]", "[1]", "[12]", "[64]", "<m>", "</m>", "<q>", "<eot>", "<s>")}
    assert not control & set(tokens)


def test_shortening_leaves_out_the_last_candidates_only(tokenizer: Tokenizer) -> None:
    example = Example("x", "新建多少座公园？", SENTENCES, (1,), "7座")
    written = write_sequence(example, tokenizer, 4000)
    assert written is not None
    cut = shorten(written.tokens, written.targets, 120)
    fewer = write_sequence(Example("x", "新建多少座公园？", SENTENCES[: _count(cut)], (1,), "7座"), tokenizer, 4000)
    assert cut is not None
    assert fewer is not None
    assert len(cut.tokens) <= 120
    assert (cut.tokens == fewer.tokens).all()
    assert (cut.targets == fewer.targets).all()
    last = write_sequence(Example("x", "新建多少座公园？", SENTENCES, (9,), ""), tokenizer, 4000)
    assert last is not None
    assert shorten(last.tokens, last.targets, 120) is None


def _count(written: Written | None) -> int:
    assert written is not None
    return int(np.isin(written.targets, (Target.YES, Target.NO)).sum())


# --- shards


def test_a_killed_build_goes_on_and_ends_with_the_same_files(tmp_path: Path) -> None:
    sources = Sources((_paragraph("a"), _paragraph("b"), _paragraph("c")), (TEXT,))
    parts = plan_parts(sources, 2, 1)
    whole, again = tmp_path / "whole", tmp_path / "again"
    build_parts(sources, parts, whole, seed=5)
    build_parts(sources, parts[:3], again, seed=5)
    (again / f"{parts[3].name}.npz.unfinished").write_bytes(b"half a file")
    build_parts(sources, parts, again, seed=5)
    one, other = (load_shards(folder.glob("*.npz")) for folder in (whole, again))
    assert len(one.tokens)
    assert (one.tokens == other.tokens).all()
    assert (one.targets == other.targets).all()


def test_nothing_that_is_held_out_is_trained_on() -> None:
    paragraphs = tuple(_paragraph(f"paragraph {i}") for i in range(120))
    held = {p.name for p in paragraphs if p.held_out}
    assert 0 < len(held) < 30
    sources = Sources(paragraphs, ())
    kept = list(make_examples(sources, Part("human-0", 0, 120, False, 704), 0))
    validation = list(make_examples(sources, Part("validation-human", 0, 120, True, 704), 0))
    assert len(validation) == 2 * len(held)
    assert len(kept) == 2 * (120 - len(held))


@settings(max_examples=25)
@given(st.lists(st.integers(10, 800), min_size=1, max_size=200), st.integers(0, 3))
def test_batches_hold_each_sequence_at_most_once_and_never_a_longer_one(lengths: list[int], epoch: int) -> None:
    sizes = np.array(lengths, np.int32)
    batches = plan_batches(sizes, (128, 256, 704), 1024, seed=1, epoch=epoch)
    seen = [int(i) for _, rows in batches for i in rows]
    assert len(seen) == len(set(seen))
    for length, rows in batches:
        assert len(rows) == max(1, 1024 // length)
        assert (sizes[rows] - 1 <= length).all()


def test_the_order_of_batches_depends_on_seed_and_epoch_alone() -> None:
    sizes = np.full(300, 100, np.int32)
    one, same, next_epoch = (plan_batches(sizes, (128,), 1024, 1, e) for e in (0, 0, 1))
    assert all((a[1] == b[1]).all() for a, b in zip(one, same, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(one, next_epoch, strict=True))


# --- what needs torch


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TORCH, reason="torch is only needed to train")
def test_llama_cpp_gives_the_logits_of_pytorch_and_the_tokens_of_sentencepiece(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    import torch
    from llama_cpp import Llama

    from training.export import quantise, read_gguf, write_gguf
    from training.model import Reader, Shape

    torch.manual_seed(0)
    shape = {"vocabulary": tokenizer.size, "width": 128, "layers": 2, "heads": 4, "feed_forward": 256, "context": 512}
    model = Reader(Shape(**shape)).eval()
    weights = {k: v.numpy() for k, v in model.state_dict().items()}
    file = tmp_path / "f32.gguf"
    write_gguf(file, weights, shape, "test", quantised=False)
    tokens = [1, *tokenizer.plain_tokens(WOOD * 4)]
    llama = Llama(str(file), n_ctx=512, n_batch=512, n_threads=1, logits_all=True, verbose=False, type_k=0, type_v=0)
    llama.eval(tokens)
    with torch.no_grad():
        wanted = model.logits(model(torch.tensor([tokens])))[0].numpy()
    assert np.abs(llama.scores[: len(tokens)] - wanted).max() < 1e-3
    for text in (*HOSTILE, WOOD):
        assert llama.tokenize(text.encode(), add_bos=False, special=False) == tokenizer.plain_tokens(text)
    back, same = read_gguf(file)
    assert same == shape
    assert all(np.array_equal(back[k], weights[k]) for k in weights)
    write_gguf(tmp_path / "q8.gguf", weights, shape, "test", quantised=True)
    quantise(file, tmp_path / "q4.gguf")
    assert (tmp_path / "q4.gguf").stat().st_size < (tmp_path / "q8.gguf").stat().st_size < file.stat().st_size


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TORCH, reason="torch is only needed to train")
@pytest.mark.parametrize("muon", [False, True])
def test_a_killed_run_goes_on_to_the_weights_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, muon: bool
) -> None:
    import torch

    from training import train as training

    parts = tmp_path / "parts"
    sources = Sources(tuple(_paragraph(f"n{i}") for i in range(40)), (TEXT,))
    build_parts(sources, plan_parts(sources, 1, 1), parts, seed=5)

    def run(out: Path) -> None:
        budget = {"minutes": 0.0, "steps": 6, "checkpoint_minutes": 0.0, "validate_minutes": 99.0}
        shape = {"width": 64, "layers": 1, "heads": 2, "feed_forward": 64, "context": 1024}
        machine = {"device": "cpu", "threads": 1, "compile": False, "seed": 1, "warm_start": None}
        work: dict[str, Any] = {"buckets": (256,), "batch_tokens": 512, "rate": 1e-3, "muon": muon}
        training.train(training.Run(parts=parts, out=out, **work, **shape, **machine, **budget))

    run(tmp_path / "whole")
    original = training.make_batches

    def killed_after_three(*given: Any) -> Iterator[Any]:
        yield from islice(original(*given), 3)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "make_batches", killed_after_three)
        run(tmp_path / "killed")
    run(tmp_path / "killed")
    whole, killed = (torch.load(tmp_path / n / "last.pt", weights_only=True) for n in ("whole", "killed"))
    assert whole["state"]["step"] == killed["state"]["step"] == 6
    assert all(torch.allclose(whole["weights"][k], killed["weights"][k], atol=1e-5) for k in whole["weights"])


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TORCH, reason="torch is only needed to train")
@pytest.mark.parametrize("layers", [2, 3, 5])
def test_a_deeper_model_starts_where_the_shallower_one_stood(layers: int) -> None:
    import torch

    from training.model import Reader, Shape
    from training.train import deepen

    def make(count: int) -> Reader:
        return Reader(Shape(vocabulary=300, width=64, layers=count, heads=2, feed_forward=64, context=64))

    shallow, deep = make(2), make(layers)
    weights = {name: value.numpy() for name, value in shallow.state_dict().items()}
    deep.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in deepen(weights, layers).items()})
    tokens = torch.randint(0, 300, (2, 30), generator=torch.Generator().manual_seed(1))
    assert torch.equal(shallow(tokens), deep(tokens))
    with pytest.raises(ValueError, match="more than 1"):
        deepen(weights, 1)
