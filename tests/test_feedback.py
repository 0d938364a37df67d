"""An objection to an answer is kept, and becomes a question only through a person."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputInvalid
from assistant.evaluation import feedback
from assistant.evaluation.feedback import CANDIDATES, read_candidates, record
from assistant.evaluation.questions import read_questions
from assistant.evaluation.review import append_row, choose_id, find_waiting, make_plain, review
from assistant.types import Role, Turn

TEXT = "甲市2024年新建公园120座。乙市2023年新建公园95座；修建步道37公里。"
CORPUS = {"plan.txt": TEXT}
WRONG = {
    "answer": "95座[1]。",
    "refused": False,
    "citations": [{"n": 1, "quote": "乙市2023年新建公园95座"}],
    "seconds": {"total": 0.1},
}


def keep(home: Path, question: str = "甲市要建多少公园？", **options: Any) -> None:
    record(home, question, WRONG, "120座", **options)


@dataclass
class Script:
    """A person who types these lines; the terminal is closed after the last one."""

    lines: Sequence[str]
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rest: Iterator[str] = iter(self.lines)

    def ask(self, prompt: str, default: str) -> str:
        self.seen.append(prompt)
        line = next(self._rest, None)
        if line is None:
            raise EOFError
        return line or default

    def tell(self, text: str) -> None:
        self.seen.append(text)


def go(home: Path, questions: Path, *lines: str) -> tuple[Any, str]:
    person = Script(lines)
    return review(home, questions, CORPUS, person.ask, person.tell), "\n".join(person.seen)


# accept; turn, answerable, kind as proposed; must, end; must_not, end; evidence, end; add it
ACCEPT = ("a", "", "", "", "120座 | 120 座", "", "95座", "", "新建公园120座", "", "y")


def test_a_candidate_holds_the_conversation_the_answer_and_what_would_be_right(tmp_path: Path) -> None:
    history = (Turn(Role.USER, "甲市要修多少步道？"), Turn(Role.ASSISTANT, "没有。"))
    keep(tmp_path, "那公园呢？", comment="年份错了", turns=history)
    (candidate,) = read_candidates(tmp_path)
    assert candidate.turns == ("甲市要修多少步道？", "那公园呢？")
    assert candidate.answer["answer"] == "95座[1]。"
    assert "seconds" not in candidate.answer
    assert (candidate.correction, candidate.comment) == ("120座", "年份错了")


def test_only_the_owner_can_read_what_people_typed(tmp_path: Path) -> None:
    keep(tmp_path)
    assert stat.S_IMODE((tmp_path / CANDIDATES).stat().st_mode) == 0o600


@given(st.text(min_size=1, max_size=40).filter(str.strip), st.text(max_size=40), st.text(max_size=40).map(str.strip))
def test_any_text_is_kept_as_one_line(question: str, correction: str, comment: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), question, WRONG, correction, comment)
        assert (Path(folder) / CANDIDATES).read_bytes().count(b"\n") == 1
        (candidate,) = read_candidates(Path(folder))
        assert (candidate.turns, candidate.correction, candidate.comment) == ((question,), correction.strip(), comment)


def test_threads_do_not_write_into_each_others_lines(tmp_path: Path) -> None:
    threads = [threading.Thread(target=keep, args=(tmp_path, f"问题{n}？")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {candidate.turns for candidate in read_candidates(tmp_path)} == {(f"问题{n}？",) for n in range(20)}


def test_a_line_that_a_kill_cut_is_left_out_and_spoils_no_other(tmp_path: Path) -> None:
    keep(tmp_path, "一？")
    whole = (tmp_path / CANDIDATES).read_bytes()
    (tmp_path / CANDIDATES).write_bytes(whole + whole[:37])
    keep(tmp_path, "二？")
    assert [candidate.turns for candidate in read_candidates(tmp_path)] == [("一？",), ("二？",)]


@pytest.mark.parametrize("line", ["[]", "1", '{"id": 1}', '{"id": 1, "recorded": "", "turns": [], "answer": {}}'])
def test_a_line_of_another_form_is_left_out(tmp_path: Path, line: str) -> None:
    (tmp_path / CANDIDATES).write_text(f"{line}\n", encoding="utf-8")
    keep(tmp_path)
    assert len(read_candidates(tmp_path)) == 1


def test_what_is_empty_too_long_or_too_much_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputInvalid, match="没有问题"):
        keep(tmp_path, "  ")
    with pytest.raises(InputInvalid, match="太长"):
        keep(tmp_path, comment="长" * 4001)
    with pytest.raises(InputInvalid, match="太长"):
        record(tmp_path, "问？", {"answer": "长" * 200_000})
    keep(tmp_path)
    before = (tmp_path / CANDIDATES).read_bytes()
    monkeypatch.setattr(feedback, "LARGEST_FILE", len(before) + 10)
    with pytest.raises(InputInvalid, match="--review"):
        keep(tmp_path)
    assert (tmp_path / CANDIDATES).read_bytes() == before


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": "q007", "turns": ["旧？"], "must": [["1"]]}', encoding="utf-8")  # no line end
    return path


def test_an_accepted_candidate_becomes_a_row_that_reads_back(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path)
    done, _ = go(tmp_path, questions, *ACCEPT)
    assert (done.accepted, done.rejected, done.left) == (("q008",), 0, 0)
    old, new = read_questions(questions)
    assert old.id == "q007"
    assert (new.id, new.turns, new.kind, new.answerable) == ("q008", ("甲市要建多少公园？",), "fact", True)
    assert new.must == (("120座", "120 座"),)
    assert (new.must_not, new.evidence) == (("95座",), (("新建公园120座",),))


def test_recording_alone_adds_nothing_to_any_question_file(tmp_path: Path, questions: Path) -> None:
    before = questions.read_bytes()
    keep(tmp_path)
    go(tmp_path, questions, "s")
    assert questions.read_bytes() == before


def test_evidence_that_does_not_stand_in_the_corpus_is_asked_for_again(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path)
    lines = ("a", "", "", "", "120座", "", "", "新建公园121座", "新建公园120座", "", "y")
    _, seen = go(tmp_path, questions, *lines)
    assert "不在资料原文中" in seen
    assert read_questions(questions)[-1].evidence == (("新建公园120座",),)


def test_a_quote_of_the_answer_is_taken_by_its_number(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path)
    go(tmp_path, questions, "a", "乙市2023年建了多少公园？", "", "", "95座", "", "", "[1]", "", "y")
    new = read_questions(questions)[-1]
    assert new.turns == ("乙市2023年建了多少公园？",)
    assert new.evidence == (("乙市2023年新建公园95座",),)


def test_what_should_be_refused_is_asked_for_no_key_points(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path, "丙市要建多少公园？")
    go(tmp_path, questions, "a", "", "n", "", "", "y")
    new = read_questions(questions)[-1]
    assert (new.answerable, new.kind, new.must, new.evidence) == (False, "refuse", (), ())


def test_a_row_that_could_never_be_scored_is_written_again(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path)
    nothing = ("a", "", "", "", "", "", "")
    contradiction = ("y", "", "", "", "95座", "", "95座", "", "")
    done, seen = go(tmp_path, questions, *nothing, *contradiction, "y", *ACCEPT[1:])
    assert "至少写一个要点" in seen and "矛盾" in seen
    assert done.accepted == ("q008",)


def test_rejected_and_accepted_ones_never_come_again_and_skipped_ones_do(tmp_path: Path, questions: Path) -> None:
    for question in ("一？", "二？", "三？"):
        keep(tmp_path, question)
    done, _ = go(tmp_path, questions, "r", "s", *ACCEPT)
    assert (done.accepted, done.rejected, done.left) == (("q008",), 1, 1)
    assert [candidate.turns for candidate in find_waiting(tmp_path)] == [("二？",)]


def test_a_terminal_that_closes_in_the_middle_keeps_what_was_decided(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path, "一？")
    keep(tmp_path, "二？")
    before = questions.read_bytes()
    done, _ = go(tmp_path, questions, "r", *ACCEPT[:6])
    assert (done.accepted, done.rejected, done.left) == ((), 1, 1)
    assert questions.read_bytes() == before
    assert [candidate.turns for candidate in find_waiting(tmp_path)] == [("二？",)]


def test_quitting_leaves_the_rest_for_later(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path, "一？")
    keep(tmp_path, "二？")
    assert go(tmp_path, questions, "?", "q")[0].left == 2


def test_a_question_that_the_file_has_already_is_pointed_out(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path, "旧？")
    keep(tmp_path, "新？")
    _, seen = go(tmp_path, questions, "s", "s")
    assert seen.count("已有同样的问题") == 1 and "q007" in seen


def test_only_json_lines_can_be_added_to(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="jsonl"):
        go(tmp_path, tmp_path / "questions.xlsx")


def test_a_new_file_is_begun(tmp_path: Path) -> None:
    keep(tmp_path)
    path = tmp_path / "mine" / "new.jsonl"
    assert go(tmp_path, path, *ACCEPT)[0].accepted == ("q001",)
    assert [sample.id for sample in read_questions(path)] == ["q001"]


@pytest.mark.parametrize(
    ("taken", "identity"),
    [([], "q001"), (["q1", "q09"], "q10"), (["q295", "q003"], "q296"), (["a-7", "a-8", "b9"], "a-9"), (["x"], "q001")],
)
def test_a_new_id_goes_on_from_the_highest(taken: list[str], identity: str) -> None:
    assert choose_id(taken) == identity


def test_the_rest_of_a_question_file_stays_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    before = '\ufeff{"id": "a1", "turns": ["旧？"]}\r\n\r\n'.encode()
    path.write_bytes(before)
    append_row(path, {"id": "a2"})
    assert path.read_bytes() == before + b'{"id": "a2"}\n'
    path.write_bytes("题".encode("gb18030"))
    with pytest.raises(InputInvalid, match="UTF-8"):
        append_row(path, {"id": "a2"})


def test_what_people_typed_cannot_command_the_reviewers_terminal(tmp_path: Path, questions: Path) -> None:
    keep(tmp_path, "问\x1b[2J\x9b31m\u202e？")
    _, seen = go(tmp_path, questions, "s")
    assert "问[2J31m？" in seen and "\x1b" not in seen
    assert make_plain("甲\n乙\t\x00丙") == "甲\n乙丙"


def test_the_command_reviews_and_says_what_came_of_it(
    tmp_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from assistant.cli import app

    seeds = tmp_path / "texts"
    seeds.mkdir()
    (seeds / "plan.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.setenv("ASSISTANT_SEEDS", str(seeds))
    command = ["eval", "--review", "--questions", str(tmp_path / "q.jsonl")]
    assert "没有待审阅" in CliRunner().invoke(app, command).output
    keep(tmp_data, "一？")
    keep(tmp_data, "二？")
    done = CliRunner().invoke(app, command, input="\n".join([*ACCEPT, "r"]) + "\n")
    assert done.exit_code == 0, done.output
    assert "1 added" in done.output and "1 rejected, 0 left" in done.output
    assert read_questions(tmp_path / "q.jsonl")[0].evidence == (("新建公园120座",),)


def test_a_review_without_a_question_file_says_which_option_is_missing(tmp_data: Path) -> None:
    from typer.testing import CliRunner

    from assistant.cli import app

    done = CliRunner().invoke(app, ["eval", "--review"])
    assert isinstance(done.exception, InputInvalid) and "--questions" in str(done.exception)
