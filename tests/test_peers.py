"""The plain way that the benchmark compares with is a fair one: real chunks, real citations, the same scores."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("langchain_text_splitters", reason="pip install langchain-text-splitters")

from assistant.evaluation.run import Bench
from assistant.evaluation.score import Asked, Sample, score_answer
from assistant.evaluation.summary import RunFacts
from assistant.question.understand import describe_corpus
from assistant.types import IndexFacts, ModelFacts, Refusal, Role, Turn, Verdict
from benchmarks import peers
from benchmarks.peers import CHUNK, OVERLAP, Chunks, Peer, cut, is_unknowing
from vectorstore.embed import HashingEmbedder
from vectorstore.index import Index
from vectorstore.types import Labels

FACTS = RunFacts(ModelFacts("fake", "00", "F32"), IndexFacts("g", "1"), "2", "0.1")


@dataclass
class FakeWriter:
    """Says the same thing always, and remembers what it was shown."""

    text: str
    shown: list[tuple[str, str]] = field(default_factory=list)

    def write(self, system: str, user: str) -> str:
        self.shown.append((system, user))
        return self.text


@pytest.fixture(scope="module")
def chunks(seed_index: Index, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chunks]:
    made = Chunks(seed_index.documents, HashingEmbedder(), tmp_path_factory.mktemp("chunks"))
    yield made
    made.close()


@pytest.fixture
def peer(seed_index: Index, chunks: Chunks) -> Peer:
    bench = Bench(None, FACTS, {p.document.source: p.document.text for p in seed_index.documents})  # type: ignore[arg-type]
    return Peer(chunks, describe_corpus(seed_index.documents), bench)


def test_chunks_are_exact_pieces_of_their_document_and_cover_it(seed_index: Index) -> None:
    for parsed in seed_index.documents:
        text, pieces = parsed.document.text, cut(parsed)
        assert all(text[piece.start : piece.end] == piece.quote for piece in pieces)
        assert all(len(piece.quote) <= CHUNK for piece in pieces)
        covered = {i for piece in pieces for i in range(piece.start, piece.end)}
        assert not "".join(c for i, c in enumerate(text) if i not in covered).strip()
        assert all(a.end - b.start <= OVERLAP for a, b in pairwise(pieces))


def test_a_chunk_has_the_labels_of_the_part_that_most_of_it_stands_in(seed_index: Index) -> None:
    for parsed in seed_index.documents:
        for piece in cut(parsed):
            inside = [s for s in parsed.sentences if piece.start <= s.start and s.end <= piece.end]
            if inside and len({s.labels for s in inside}) == 1 and sum(len(s.quote) for s in inside) > CHUNK / 2:
                assert piece.labels == inside[0].labels


def test_the_best_chunk_is_the_answer_and_its_own_exact_citation(peer: Peer) -> None:
    answer = replace(peer, count=1).ask("上海2024年要新建多少公共充电桩？")
    assert not answer.refused
    (citation,) = answer.citations
    assert "新建1万个电动汽车公共充电桩" in citation.sentence.quote
    assert answer.text == f"{citation.sentence.quote}[1]"
    assert [claim.verdict for claim in answer.claims] == [Verdict.SUPPORTED]
    sample = Sample("q", ("？",), must=(("1万个",),), evidence=(("新建1万个电动汽车公共充电桩",),))
    asked = Asked(answer.question.scope.regions, answer.question.scope.years)
    scores = score_answer(sample, answer.to_json(), peer.bench.corpus, asked)
    one = {name: scores[name].value for name in ("correct", "citation_recall", "citation_precision", "valid_citations")}
    assert set(one.values()) == {1.0}
    assert asked == Asked(frozenset({"上海"}), frozenset({2024}))


def test_chunks_alone_never_refuse(peer: Peer) -> None:
    answer = peer.ask("天津2024年的地铁票价是多少？")
    assert not answer.refused and len(answer.citations) == 4


def test_a_writer_is_shown_the_four_chunks_the_conversation_and_the_question(peer: Peer) -> None:
    writer = FakeWriter("新建1万个充电桩。")
    history = (Turn(Role.USER, "上海的公园呢？"), Turn(Role.ASSISTANT, "120座。"))
    answer = replace(peer, writer=writer).ask("那充电桩呢？", history)
    rewrite, prompt = writer.shown
    assert "那充电桩呢？" in rewrite[1]
    assert all(citation.sentence.quote in prompt[1] for citation in answer.citations)
    assert "120座" in prompt[1] and "那充电桩呢？" in prompt[1]
    assert answer.text == "新建1万个充电桩。[1][2][3][4]"
    assert [claim.citations for claim in answer.claims] == [(1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("text", "unknowing"),
    [
        ("我不知道。", True),
        ("根据资料，文中没有提到地铁票价。", True),
        ("I don't know.", True),
        ("", True),
        ("新建120座。其他城市未提及。", False),
        ("新建120座", False),
    ],
)
def test_usual_words_for_not_knowing_count_as_a_refusal(peer: Peer, text: str, unknowing: bool) -> None:
    assert is_unknowing(text) is unknowing
    answer = replace(peer, writer=FakeWriter(text)).ask("上海2024年要新建多少公共充电桩？")
    assert answer.refusal is (Refusal.NOT_IN_CORPUS if unknowing else None)
    assert bool(answer.citations) is not unknowing


def test_a_document_without_sentences_has_chunks_without_labels(seed_index: Index) -> None:
    bare = replace(seed_index.documents[0], sentences=())
    assert {piece.labels for piece in cut(bare)} == {Labels()}


def write_questions(path: Path) -> Path:
    source = Path(__file__).resolve().parent.parent / "seeds" / "questions.jsonl"
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    kept = [next(row for row in rows if row["kind"] == kind) for kind in ("fact", "refuse", "followup")]
    path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_table_sets_every_way_beside_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers.py", "--questions", str(write_questions(tmp_path / "q.jsonl"))])
    assert peers.main() == 0
    table = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert table[0][-3:] == ["this program", "best chunk", "four chunks"]
    false_answers = next(row for row in table if row[0] == "false answers")
    assert false_answers[1:] == ["0 of 1", "1 of 1", "1 of 1"]


@pytest.mark.slow
def test_an_instruct_model_adds_the_stuff_prompt_and_answers_for_ours_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests import tiny_gguf

    seeds = sorted((Path(__file__).resolve().parent.parent / "seeds").glob("*.txt"))
    lines = (line for file in seeds for line in file.read_text(encoding="utf-8").splitlines() if line)
    model = tiny_gguf.write_tiny_gguf(
        tmp_path / "tiny.gguf", lines, context=4096
    )  # random weights, room for the chunks

    questions = str(write_questions(tmp_path / "q.jsonl"))
    options = ["--questions", questions, "--model", str(model), "--limit", "1", "--json"]
    monkeypatch.setattr(sys, "argv", ["peers.py", *options])
    assert peers.main() == 0
    measured = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in measured] == ["this program", "best chunk", "four chunks", "stuff prompt"]
    assert {one["run"]["model"]["name"] for one in measured} == {"tiny"}
    assert [(one["all"]["n"], one["all"]["errors"]) for one in measured] == [(1, 0)] * 4
