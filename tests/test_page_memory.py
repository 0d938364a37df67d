"""What a person says of answers, saves, finds again and deletes: through the memory, and through the addresses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.conversations.history import FILE, KeptTurn, Line
from assistant.errors import InputInvalid
from assistant.evaluation.feedback import read_candidates
from assistant.page.memory import Memory
from assistant.page.owner import COOKIE
from assistant.page.talk import Talk, ask
from assistant.view.acts import write_copy
from assistant.view.conversation import draw_exchange
from assistant.view.documents import draw_documents
from assistant.view.plain import draw_history
from assistant.view.reader import draw_sources
from tests.page_fakes import FakeAssistant, parse
from tests.test_view import PAYLOADS, read, shape

ME = "me"
QUESTION = "上海2024年要新建多少个电动汽车公共充电桩？"


def talk_of(memory: Memory, answerer: FakeAssistant, *questions: str, owner: str = ME) -> Talk:
    talk = memory.begin(owner)
    for question in questions:
        list(ask(answerer, talk, question))
        memory.keep(talk)
    return talk


def test_a_conversation_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    answerer = FakeAssistant()
    talk = talk_of(Memory(tmp_path), answerer, QUESTION, "那新建公园多少座？")
    again = Memory(tmp_path).resume(ME, talk.id, answerer.documents)
    assert again is not None
    assert again is not talk
    assert again.history() == talk.history()
    assert [replace(e, found=None) for e in talk.exchanges] == [
        replace(e, understood=e.understood) for e in again.exchanges
    ]
    assert (again.id, again.asked) == (talk.id, 2)


def test_two_pages_that_open_one_conversation_share_it(tmp_path: Path) -> None:
    memory, answerer = Memory(tmp_path), FakeAssistant()
    talk = talk_of(memory, answerer, QUESTION)
    assert memory.resume(ME, talk.id, answerer.documents) is talk
    assert memory.resume("another", talk.id, answerer.documents) is None


def test_an_old_answer_leads_to_the_text_it_was_made_from_and_says_that_the_index_has_changed(tmp_path: Path) -> None:
    answerer = FakeAssistant()
    talk = talk_of(Memory(tmp_path), answerer, QUESTION)
    same = Memory(tmp_path).resume(ME, talk.id, answerer.documents)
    changed = parse("全新的文字。\n")
    changed = replace(changed, document=replace(changed.document, sha256="1" * 64))
    for documents in ((changed,), ()):
        other = Memory(tmp_path).resume(ME, talk.id, documents)
        assert same is not None
        assert other is not None
        panel = draw_sources(other.exchanges, documents)
        assert "新建1万个电动汽车公共充电桩" in panel
        assert "淘汰落后产能450项" in panel  # the text around it, too
        assert "当前索引中已改变或移除" in panel
    assert "当前索引中已改变或移除" not in draw_sources(same.exchanges, answerer.documents)


def test_a_wrong_answer_becomes_one_candidate_with_what_the_person_says(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    talk = talk_of(memory, FakeAssistant(), "第一问？上海公园", QUESTION)
    for _ in range(2):  # sent twice in haste
        memory.rate(ME, talk.id, 2, "down", "应为2万个")
    [candidate] = read_candidates(tmp_path)
    assert candidate.turns == ("第一问？上海公园", QUESTION)
    assert candidate.correction == "应为2万个"
    assert candidate.answer["citations"]
    assert 'data-rate="down" aria-pressed="true"' in draw_exchange(talk.exchanges[-1])
    memory.rate(ME, talk.id, 1, "up", "")
    assert len(read_candidates(tmp_path)) == 1


@pytest.mark.parametrize(
    ("owner", "turn", "rating", "comment"),
    [("you", 1, "down", ""), (ME, 2, "down", ""), (ME, 1, "best", ""), (ME, 1, "down", "长" * 4001), ("", 1, "up", "")],
)
def test_feedback_on_nothing_or_on_what_is_anothers_is_not_recorded(
    tmp_path: Path, owner: str, turn: int, rating: str, comment: str
) -> None:
    memory = Memory(tmp_path)
    talk = talk_of(memory, FakeAssistant(), QUESTION)
    with pytest.raises(InputInvalid):
        memory.rate(owner, talk.id, turn, rating, comment)
    assert read_candidates(tmp_path) == ()


def test_what_was_deleted_is_not_kept_again_by_a_page_that_still_shows_it(tmp_path: Path) -> None:
    memory, answerer = Memory(tmp_path), FakeAssistant()
    talk = talk_of(memory, answerer, QUESTION)
    assert memory.delete(ME, talk.id) == 1
    list(ask(answerer, talk, "再问一句：上海公园"))
    memory.keep(talk)
    assert memory.list(ME, "") == ()


def test_a_visitor_without_a_name_is_answered_and_nothing_is_kept(tmp_path: Path) -> None:
    talk = talk_of(Memory(tmp_path), FakeAssistant(), QUESTION, owner="")
    assert talk.exchanges[-1].answer is not None
    assert not (tmp_path / FILE).exists()


def test_a_history_that_is_broken_never_stands_in_the_way_of_an_answer(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    memory = Memory(tmp_path)
    talk = talk_of(memory, FakeAssistant(), QUESTION)
    assert talk.exchanges[-1].answer is not None
    assert memory.resume(ME, "a" * 32, ()) is None
    with pytest.raises(InputInvalid, match="历史文件无法读取"):
        memory.list(ME, "")


def test_a_copied_answer_holds_its_footnotes() -> None:
    talk = Talk()
    *_, exchange = ask(FakeAssistant(), talk, QUESTION)
    assert exchange.answer is not None
    lines = write_copy(exchange.answer).splitlines()
    assert lines[0] == exchange.answer.text
    assert lines[-1].startswith("[1] “推动深远海海上风电建设,新建1万个电动汽车公共充电桩。”——上海绿色低碳工作摘编")
    assert lines[-1].endswith(exchange.answer.citations[0].sentence.id)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_titles_searches_and_documents_stay_text(payload: str) -> None:
    def draw(text: str) -> list[str]:
        parsed = parse(f"2024年主要任务:\n新建公园120座{text}。\n", source=text, title=text)
        sections = tuple(replace(s, headings=(text,), reasons=replace(s.reasons, year=text)) for s in parsed.sections)
        lines = (Line("a" * 32, text, datetime.now(UTC), 1, text),)
        return [
            draw_history(lines, text),
            draw_history((), text),
            draw_documents((replace(parsed, sections=sections),)),
        ]

    for hostile, plain in zip(draw(payload), draw("普通"), strict=True):
        assert set(shape(hostile)) == set(shape(plain))
        read(hostile)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    from assistant.page.app import build_app

    with TestClient(build_app(FakeAssistant(), tmp_path), follow_redirects=False) as opened:
        opened.post("/page/hello")
        yield opened


def keep_for(client: TestClient, home: Path) -> str:
    from assistant.page.owner import read_owner

    owner = read_owner({COOKIE: client.cookies[COOKIE]})
    return talk_of(Memory(home), FakeAssistant(), QUESTION, owner=owner).id


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_given_once(client: TestClient) -> None:
    again = client.post("/page/hello")
    assert "set-cookie" not in again.headers
    client.cookies.clear()
    given = client.post("/page/hello").headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given
    assert client.post("/page/hello", headers={"origin": "http://evil.example"}).status_code == 403


def test_a_conversation_is_listed_saved_rated_and_deleted_through_its_addresses(
    client: TestClient, tmp_path: Path
) -> None:
    name = keep_for(client, tmp_path)
    listed = client.get("/history", params={"q": "充电桩"})
    assert f'href="/?talk={name}"' in listed.text
    assert "'unsafe" not in listed.headers["content-security-policy"]
    for form in ("md", "html", "docx"):
        saved = client.get(f"/page/talks/{name}/export.{form}")
        assert saved.status_code == 200
        assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E4%B8%8A")
        assert len(saved.content) > 500
    said = client.post(f"/page/talks/{name}/1/rating", json={"rating": "down", "comment": "错"})
    assert said.json()["zh"] == "已记录，待人工审阅"
    assert read_candidates(tmp_path)[0].correction == "错"
    assert client.post("/history/delete", data={"talk": name}).headers["location"] == "/history"
    assert client.get(f"/page/talks/{name}/export.md").status_code == 404
    assert "充电桩" not in client.get("/history").text


def test_another_browser_sees_and_reaches_nothing(client: TestClient, tmp_path: Path) -> None:
    name = keep_for(client, tmp_path)
    client.cookies.clear()
    for _ in range(2):  # without a name, and with another one
        assert name not in client.get("/history").text
        assert client.get(f"/page/talks/{name}/export.md").status_code == 404
        assert client.post(f"/page/talks/{name}/1/rating", json={"rating": "down"}).status_code == 400
        client.post("/history/delete", data={"talk": name})
        client.post("/history/delete", data={"talk": ""})
        client.post("/page/hello")
    with sqlite3.connect(tmp_path / FILE) as base:
        assert base.execute("SELECT count(*) FROM talks").fetchone() == (1,)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"rating": 1}', b'{"rating": "down", "comment": []}'])
def test_what_is_no_feedback_is_refused_with_a_sentence(client: TestClient, tmp_path: Path, body: bytes) -> None:
    name = keep_for(client, tmp_path)
    answer = client.post(f"/page/talks/{name}/1/rating", content=body)
    assert answer.status_code == 400
    assert json.loads(answer.text)["problem"]


@pytest.mark.parametrize("path", ["/page/talks/x/export.md", "/page/talks/../x/export.md", "/page/talks/%00/export.md"])
def test_names_that_are_none_lead_nowhere(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


def test_the_list_of_documents_shows_sections_labels_and_reasons(client: TestClient) -> None:
    text = client.get("/documents").text
    assert "上海绿色低碳工作摘编" in text
    assert "地名：崇明、临港" in text


def test_a_kept_turn_without_an_answer_is_drawn_with_its_reason(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.history.keep(ME, "a" * 32, KeptTurn(1, "问", datetime.now(UTC), None, "模型停了"))
    talk = memory.resume(ME, "a" * 32, ())
    assert talk is not None
    assert "模型停了" in draw_exchange(talk.exchanges[0])
