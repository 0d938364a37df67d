"""Exports of a conversation: every quote with its place, and nothing from outside becomes markup."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.conversations.export import MEDIA, export, list_notes
from assistant.conversations.history import KeptTalk, KeptTurn
from assistant.types import Claim, Refusal, Verdict
from tests.page_fakes import answer_with, ask_for, parse, refuse_with
from tests.test_view import PAYLOADS

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
PARSED = parse()
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def make_talk(asked: str = "几个？", text: str = "1万个[1]。另有公园[2]，再说一次[1]。", more: str = "") -> KeptTalk:
    claims = (Claim("1万个" + more, Verdict.SUPPORTED, "", (1,)), Claim("公园", Verdict.PARTIAL, "", (2,)))
    answer = answer_with(ask_for(asked), text, claims, (PARSED.sentences[2], PARSED.sentences[4]), "摘编" + more)
    refusal = refuse_with(ask_for("北京呢？"), Refusal.OTHER_REGION, PARSED.sentences[2:3])
    turns = (
        KeptTurn(1, asked, AT, answer),
        KeptTurn(2, "北京呢？", AT, refusal),
        KeptTurn(3, "坏的" + more, AT, None, "模型停了"),
    )
    return KeptTalk("a" * 32, asked, AT, turns)


def read_word(packed: bytes) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}


def all_text(talk: KeptTalk, form: str) -> str:
    if form != "docx":
        return export(talk, form).decode()
    return "".join("".join(part.itertext()) for part in read_word(export(talk, form)).values())


@pytest.mark.parametrize("form", list(MEDIA))
def test_every_form_holds_questions_quotes_places_verdicts_and_the_corpus(form: str) -> None:
    talk = make_talk()
    text = all_text(talk, form).replace("\\", "")
    for turn in talk.turns:
        assert turn.asked in text
        for note in list_notes(turn):
            assert note.quote in text
            assert note.place in text
    assert "c" * 64 in text
    assert "✓ 已核对" in text
    assert "◐ 部分" in text
    assert "未作回答" in text
    assert "模型停了" in text


def test_in_markdown_every_footnote_is_cited_and_every_citation_has_its_footnote() -> None:
    text = export(make_talk(), "md").decode()
    defined = re.findall(r"^\[\^([\d-]+)\]: ", text, re.MULTILINE)
    used = re.findall(r"\[\^([\d-]+)\](?!:)", text)
    assert defined == ["1-1", "1-2", "2-1"]
    assert set(used) == set(defined)


def test_in_html_every_link_leads_to_a_note_and_nothing_is_fetched() -> None:
    text = export(make_talk(), "html").decode()
    assert set(re.findall(r'href="#([^"]+)"', text)) == {"n-1-1", "n-1-2"}
    assert set(re.findall(r' id="([^"]+)"', text)) >= {"n-1-1", "n-1-2", "n-2-1"}
    assert not re.search(r"\b(src|url|http)[=(:]", text)
    assert "default-src 'none'" in text


def test_in_word_every_footnote_is_referred_to_once_and_every_part_is_declared() -> None:
    parts = read_word(export(make_talk(), "docx"))
    notes = [n.get(W + "id") for n in parts["word/footnotes.xml"]]
    marks = [n.get(W + "id") for n in parts["word/document.xml"].iter(W + "footnoteReference")]
    assert notes == ["-1", "0", "1", "2", "3"]
    assert marks == ["1", "2", "3"]
    declared = {node.get("PartName") for node in parts["[Content_Types].xml"]} - {None}
    assert declared == {f"/{name}" for name in parts if name.startswith("word/") and "_rels" not in name}
    styles = {node.get(W + "styleId") for node in parts["word/styles.xml"]}
    used = {n.get(W + "val") for p in parts.values() for k in ("pStyle", "rStyle") for n in p.iter(W + k)}
    assert used <= styles


def tags(markup: str) -> list[str]:
    return re.findall(r"<[a-z!/][^>\s]*", markup)


@pytest.mark.parametrize("payload", [*PAYLOADS, "<img src=http://beacon.test/i.png>", "# 一\n- 二\n1. 三", "[^1-1]: x"])
def test_no_text_from_outside_becomes_markup_in_any_form(payload: str) -> None:
    harmless = payload.translate(str.maketrans("<>\"'&|*“”![]()`#-", "〈〉〃〃＆｜＊『』！【】（）‘＃－"))
    hostile, plain = make_talk("问" + payload, more=payload), make_talk("问" + harmless, more=harmless)
    assert tags(export(hostile, "html").decode()) == tags(export(plain, "html").decode())
    word = [[node.tag for node in part.iter()] for part in read_word(export(hostile, "docx")).values()]
    assert word == [[node.tag for node in part.iter()] for part in read_word(export(plain, "docx")).values()]
    text = export(hostile, "md").decode()
    assert not re.search(r"(?<!\\)(<[a-zA-Z/!]|!\[|\]\()", text)
    assert not re.search(r"https?:", text)
    assert len(re.findall(r"^\[\^", text, re.MULTILINE)) == 3


@given(st.text(max_size=60))
def test_any_text_gives_whole_files(text: str) -> None:
    talk = make_talk("问" + text, text="答" + text, more=text)
    talk = replace(talk, title=text)
    export(talk, "html").decode()
    export(talk, "md").decode()
    read_word(export(talk, "docx"))
