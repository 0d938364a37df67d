"""What is kept of conversations: whole, of their owner only, and gone once deleted."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.conversations.history import FILE, History, KeptTurn, fold, is_talk_id
from assistant.conversations.stored import answer_from_json, answer_to_json
from assistant.types import Answer, Claim, Refusal, Verdict
from tests.page_fakes import answer_with, ask_for, parse, refuse_with
from tests.test_view import PAYLOADS
from vectorstore.types import Part, Scope

ME, YOU = "me", "you"
TALK, OTHER = "a" * 32, "b" * 32
AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
PARSED = parse()


def make_answer(text: str = "1万个[1]。") -> Answer:
    scope = Scope(frozenset({"上海"}), frozenset({"崇明"}), frozenset({2024}), Part.TASKS)
    claim = Claim("1万个", Verdict.SUPPORTED, "one number", (1,), "一个数字")
    return answer_with(ask_for("几个？", "上海几个？", scope), text, (claim,), PARSED.sentences[2:3], notes=("注",))


def keep(history: History, talk: str = TALK, turn: int = 1, owner: str = ME, asked: str = "几个充电桩？") -> KeptTurn:
    kept = KeptTurn(turn, asked, AT, make_answer(), documents=(PARSED.document,))
    history.keep(owner, talk, kept)
    return kept


def test_an_answer_is_the_same_after_it_was_stored() -> None:
    for answer in (make_answer(), refuse_with(ask_for("问"), Refusal.OTHER_YEAR, PARSED.sentences[:2])):
        assert answer_from_json(answer_to_json(answer)) == answer


def test_a_stored_answer_of_an_older_program_is_still_read() -> None:
    public = make_answer().to_json()
    answer = answer_from_json({**public, "seconds": {"total": 1, "unknown": 2}})
    assert (answer.text, answer.citations[0].sentence.quote) == ("1万个[1]。", PARSED.sentences[2].quote)


def test_a_conversation_survives_a_restart_with_the_text_that_its_citations_lead_to(tmp_path: Path) -> None:
    kept = keep(History(tmp_path))
    talk = History(tmp_path).read(ME, TALK)
    assert talk is not None
    assert talk.turns == (kept,)
    citation = talk.turns[0].answer.citations[0].sentence  # type: ignore[union-attr]
    assert talk.turns[0].documents[0].text[citation.start : citation.end] == citation.quote


def test_only_the_owner_of_the_folder_may_read_the_file(tmp_path: Path) -> None:
    keep(History(tmp_path))
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()} == {0o600}


def test_nobody_finds_opens_rates_changes_or_deletes_what_is_anothers(tmp_path: Path) -> None:
    history = History(tmp_path)
    keep(history)
    keep(history, owner=YOU, asked="偷换")
    assert history.list(YOU) == ()
    assert history.read(YOU, TALK) is None
    assert not history.rate(YOU, TALK, 1, "down", "")
    assert history.delete(YOU, TALK) == history.delete(YOU) == 0
    talk = history.read(ME, TALK)
    assert talk is not None
    assert (talk.turns[0].asked, talk.turns[0].rating) == ("几个充电桩？", "")


def test_a_search_finds_words_in_questions_and_answers_whatever_their_width_and_case(tmp_path: Path) -> None:
    history = History(tmp_path)
    keep(history)
    keep(history, OTHER, asked="GDP 100% 是什么？")
    assert [line.id for line in history.list(ME, "充电桩 万个")] == [TALK]
    assert [line.id for line in history.list(ME, "ｇｄｐ")] == [OTHER]
    assert [line.id for line in history.list(ME, "100%")] == [OTHER]
    assert history.list(ME, "1_0") == ()
    assert "充电桩" in history.list(ME, "充电桩")[0].found


def test_the_newest_conversation_stands_first_and_its_title_is_its_first_question(tmp_path: Path) -> None:
    history = History(tmp_path)
    keep(history)
    keep(history, OTHER, asked="另一个")
    history.keep(ME, TALK, KeptTurn(2, "后来的问题", AT.replace(hour=9), None, "出错"))
    lines = history.list(ME)
    assert [(line.title, line.turns) for line in lines] == [("几个充电桩？", 2), ("另一个", 1)]


def test_what_is_deleted_is_gone_from_the_file_and_shared_texts_stay_for_others(tmp_path: Path) -> None:
    history = History(tmp_path)
    keep(history, asked="独一无二的问题")
    keep(history, OTHER)
    assert history.delete(ME, TALK) == 1
    other = history.read(ME, OTHER)
    assert other is not None
    assert other.turns[0].documents == (PARSED.document,)
    assert history.delete(ME) == 1
    assert (history.list(ME), history.read(ME, OTHER)) == ((), None)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name == FILE)
    assert "独一无二".encode() not in held


def test_a_rating_stays_with_its_answer_and_a_turn_without_one_takes_none(tmp_path: Path) -> None:
    history = History(tmp_path)
    keep(history)
    history.keep(ME, TALK, KeptTurn(2, "问", AT, None, "出错"))
    assert history.rate(ME, TALK, 1, "down", "应为120座")
    assert not history.rate(ME, TALK, 2, "up", "")
    talk = history.read(ME, TALK)
    assert talk is not None
    assert (talk.turns[0].rating, talk.turns[0].comment) == ("down", "应为120座")


def test_a_broken_answer_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    import sqlite3

    history = History(tmp_path)
    keep(history)
    keep(history, turn=2)
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("UPDATE turns SET answer = '{}' WHERE turn = 1")
    talk = history.read(ME, TALK)
    assert talk is not None
    assert talk.turns[0].answer is None
    assert "无法读取" in str(talk.turns[0].error)
    assert talk.turns[1].answer is not None


@pytest.mark.parametrize("payload", [*PAYLOADS, "'; DROP TABLE talks; --", "%", "_", "\x00", "\ud800"])
def test_hostile_text_is_kept_and_found_as_text(tmp_path: Path, payload: str) -> None:
    history = History(tmp_path)
    answer = replace(make_answer(), text=payload)
    history.keep(ME, TALK, KeptTurn(1, "问" + payload, AT, answer, comment=payload))
    talk = history.read(ME, TALK)
    assert talk is not None
    assert talk.turns[0].answer == answer or "\ud800" in payload
    assert [line.id for line in history.list(ME, "问" + payload.split(" ")[0])] == [TALK]


@given(st.text(max_size=40))
@example("R¸")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_only_names_of_our_making_are_names_of_conversations() -> None:
    assert is_talk_id(TALK)
    assert not any(is_talk_id(value) for value in ("", "A" * 32, "a" * 31, TALK + "\n", None, 7, "../" + "a" * 29))
