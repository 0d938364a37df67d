"""The page's drawing: what comes from outside stays text, what is ours leads where it says."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.types import Answer, Claim, Kind, Question, Refusal, Verdict
from assistant.view.conversation import (
    draw_answer,
    draw_exchange,
    draw_tally,
    draw_welcome,
)
from assistant.view.examples import suggest_questions
from assistant.view.exchange import Exchange, keep_documents
from assistant.view.plain import PAGES
from assistant.view.reader import draw_library, draw_sources
from assistant.view.source import Cited, draw_document, list_windows
from assistant.view.text import Links, draw_inline, draw_text, escape, place_claims
from assistant.view.words import VERDICTS
from tests.page_fakes import answer_with, ask_for, parse, refuse_with
from vectorstore.types import Media, ParsedDocument, Scope, Sentence

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</mark></article><iframe src='http://evil.example'></iframe>",
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "![x](http://evil.example/a.png)",
    "[x](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>body{display:none}</style>",
    "<base href='http://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "${alert(1)}{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--<details open ontoggle=alert(1)>",
    "**<b>x</b>** | <td> | “<q>”",
)
TAGS = frozenset(
    re.findall(
        r"\S+",
        "section article header h1 h2 h3 div span p br small b strong i q "
        "mark a button ul ol li nav details summary table thead tbody tr th td kbd form label "
        "textarea input main time select option progress meter code",
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"\S+",
        "class id href title role lang type hidden tabindex aria-labelledby aria-hidden "
        "aria-current data-turn data-turns data-anchor data-head data-running download data-ask data-fill "
        "data-talk data-copy data-rate data-cancel data-switch data-kind data-value data-clear data-none data-again data-zh data-en "
        "aria-pressed rows "
        "maxlength disabled selected min max accept target rel method action name value for type autocomplete open datetime",
    )
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def read(markup: str) -> _Reader:
    """Parse strictly: every element closed in its turn, no comment, nothing but the tags and attributes of ours."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    for tag, attributes in reader.tags:
        assert tag in TAGS, tag
        assert set(attributes) <= ATTRIBUTES, attributes
        link = str(attributes.get("href", "#"))
        ours = link in (*PAGES, "/account") or re.fullmatch(r"/\?talk=[0-9a-f]{32}", link)
        assert (
            link.startswith("#")
            or ours
            or re.fullmatch(
                r"/page/talks/[0-9a-f]{32}/export\.\w+|/eval/runs/[\w-]+(?:/report\.html)?|/\?(?:&?ask=[\w%+.~*-]*)+",
                link,
            )
        )
    return reader


def shape(markup: str) -> Counter[str]:
    return Counter(tag for tag, _ in read(markup).tags)


def everywhere(payload: str) -> Iterator[str]:
    """Every drawing of the page with a payload in every place that holds text from outside."""
    text = f"首页 {payload}\n2024年主要任务:\n新建公园120座{payload}。\n"
    parsed = parse(text, source=payload, title=payload)
    sections = tuple(
        replace(s, reasons=replace(s.reasons, region=payload), labels=replace(s.labels, region=payload))
        for s in parsed.sections
    )
    sentences = tuple(replace(s, labels=replace(s.labels, region=payload)) for s in parsed.sentences)
    parsed = replace(
        parsed, document=replace(parsed.document, publisher=payload), sections=sections, sentences=sentences
    )
    scope = Scope(regions=frozenset({payload}))
    question = ask_for(payload, "改写" + payload, scope)
    claim = Claim(f"新建{payload}", Verdict.PARTIAL, payload, (1,))
    lost = Claim("不在回答里" + payload, Verdict.UNCITED, payload, ())
    table = f"| {payload} | b |\n|---|---|\n| {payload}[1] | d |"
    text = f"短。新建{payload}[1]。\n# {payload}\n- {payload}\n{table}\n**{payload}**“{payload}”"
    answer = answer_with(question, text, (claim, lost), parsed.sentences, payload, notes=(payload,))
    refusal = refuse_with(question, Refusal.NOT_IN_CORPUS, parsed.sentences, payload)
    for result in (answer, replace(answer, stopped=True), refusal):
        exchange = Exchange(1, payload, answer=result, documents=keep_documents(result, (parsed,)))
        yield draw_exchange(exchange)
        yield draw_sources((exchange,), (parsed,))
        yield draw_sources((replace(exchange, documents=()),), (parsed,))
    yield draw_exchange(Exchange(1, payload, understood=question, found=2, draft=payload))
    yield draw_exchange(Exchange(1, payload, error=payload))
    yield draw_library((parsed,))
    yield draw_welcome((payload, *suggest_questions((parsed,))))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_from_outside_becomes_an_element(payload: str) -> None:
    harmless = payload.translate(str.maketrans("<>\"'&|*“”![]()", "〈〉〃〃＆｜＊『』！【】（）"))
    for hostile, plain in zip(everywhere(payload), everywhere(harmless), strict=True):
        if not payload.startswith("**"):  # whose bars and stars are the renderer's own forms
            assert shape(hostile) == shape(plain)
        read(hostile)


@given(st.text(max_size=60))
def test_any_text_is_drawn_as_well_formed_markup_of_ours(text: str) -> None:
    for markup in everywhere(text):
        read(markup)
        markup.encode("utf-8")


@given(st.text(alphabet=st.sampled_from("1万个[]|*“”#-\n。新建<&> "), max_size=80))
def test_markdown_forms_never_break_the_markup(text: str) -> None:
    sentence = parse().sentences[0]
    answer = answer_with(ask_for("问"), text, (Claim(text[:9], Verdict.SUPPORTED, "", (1,)),), (sentence,))
    read(draw_answer(answer, 1))


def test_invisible_characters_that_turn_text_around_are_not_shown() -> None:
    assert escape("安全\u202e文本\u2066\x00\ud800") == "安全文本"


def links_to(*sentences: Sentence) -> Links:
    answer = answer_with(ask_for("问"), "", (), sentences)
    return Links({c.n: c for c in answer.citations}, {c.n: f"s-{c.n}" for c in answer.citations}, 7)


def test_a_marker_with_a_citation_is_a_link_and_one_without_is_text() -> None:
    sentence = parse().sentences[0]
    reader = read(draw_inline("甲[1]乙[2]", links_to(sentence)))
    (tag, attributes), *_ = reader.tags
    assert (tag, attributes["href"], attributes["data-turn"]) == ("a", "#s-1", "7")
    assert attributes["title"] == sentence.plain
    assert "".join(reader.text) == "甲引用 citation 1乙[2]"  # the words are for those who listen


def test_only_words_that_stand_in_the_cited_sentence_are_drawn_as_its_quote() -> None:
    links = links_to(parse().sentences[3])  # 淘汰落后产能450项。
    assert "q" in shape(draw_inline("“淘汰落后产能450项”", links))
    assert "q" not in shape(draw_inline("“淘汰落后产能460项”", links))


def test_a_quote_with_a_quotation_inside_is_one_quote() -> None:
    parsed = parse("“绿水青山就是金山银山”实践创新基地增至10个。\n")
    reader = read(draw_inline("文中说“‘绿水青山就是金山银山’实践创新基地增至10个”。", links_to(parsed.sentences[0])))
    assert [tag for tag, _ in reader.tags] == ["q"]


def test_each_claim_is_found_in_order_even_where_two_are_equal() -> None:
    claims = (Claim("新建120座", Verdict.SUPPORTED, "", (1,)), Claim("新建120座", Verdict.PARTIAL, "", (2,)))
    text = "新建120座[1]。新建120座[2]。"
    placed, lost = place_claims(text, claims)
    assert [(text[p.start : p.end], p.claim.verdict) for p in placed] == [
        ("新建120座[1]。", Verdict.SUPPORTED),
        ("新建120座[2]。", Verdict.PARTIAL),
    ]
    assert lost == ()


def test_a_claim_whose_text_holds_markers_in_the_answer_is_found() -> None:
    placed, lost = place_claims("甲[1]和乙[2]。", (Claim("甲和乙。", Verdict.SUPPORTED, "", (1, 2)),))
    assert (placed[0].start, placed[0].end, lost) == (0, 10, ())


def test_a_claim_that_cannot_be_placed_still_shows_its_verdict() -> None:
    claim = Claim("别的话", Verdict.UNSUPPORTED, "数字不在原文", (1,))
    text = "".join(read(draw_answer(answer_with(ask_for("问"), "一句话。", (claim,), ()), 1)).text)
    assert "别的话" in text
    assert "未找到依据" in text
    assert "数字不在原文" in text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_shown_by_sign_and_by_words(verdict: Verdict) -> None:
    claim = Claim("一句话", verdict, "理由在此", ())
    reader = read(draw_answer(answer_with(ask_for("问"), "一句话。", (claim,), ()), 1))
    text = "".join(reader.text)
    assert VERDICTS[verdict].sign in text
    assert VERDICTS[verdict].zh in text
    assert "理由在此" in text
    assert any(tag == "summary" for tag, _ in reader.tags)


def test_signs_and_words_of_verdicts_are_all_different() -> None:
    assert len({v.sign for v in VERDICTS.values()}) == len({v.zh for v in VERDICTS.values()}) == len(Verdict)


def test_the_tally_counts_each_verdict_once() -> None:
    claims = [Claim("a", v, "", ()) for v in (Verdict.SUPPORTED, Verdict.SUPPORTED, Verdict.PARTIAL)]
    text = "".join(read(draw_tally(answer_with(ask_for("问"), "", claims, ()))).text)
    assert text == "3 句：2 已核对，1 部分 3 sentences: 2 supported, 1 partial"


def in_short(answer: Answer) -> bool:
    return "pa-short" in draw_answer(answer, 1)


def test_a_short_first_claim_is_set_apart_and_a_long_one_is_not() -> None:
    short = (Claim("1万个", Verdict.SUPPORTED, "", (1,)), Claim("原文如此", Verdict.SUPPORTED, "", (1,)))
    long = (Claim("上海2024年要新建的公共充电桩一共是一万个而不是两万个", Verdict.SUPPORTED, "", (1,)), short[1])
    sentence = parse().sentences[2]
    assert in_short(answer_with(ask_for("问"), "1万个。原文如此[1]。", short, (sentence,)))
    assert not in_short(answer_with(ask_for("问"), long[0].text + "。原文如此[1]。", long, (sentence,)))
    assert not in_short(answer_with(ask_for("问"), "1万个[1]。", short[:1], (sentence,)))


def test_a_markdown_table_becomes_a_table_with_claims_and_links_in_its_cells() -> None:
    text = "比较如下：\n| 地区 | 任务 |\n|---|:---:|\n| 上海 | 新建公园120座[1] |\n| 北京 | 资料未提及 |\n完。"
    claim = Claim("新建公园120座", Verdict.SUPPORTED, "", (1,))
    placed, _ = place_claims(text, (claim,))
    counts = shape(draw_text(text, placed, links_to(parse().sentences[0])))
    assert (counts["table"], counts["th"], counts["td"], counts["a"], counts["details"]) == (1, 2, 4, 1, 1)


def test_bars_without_a_separator_row_stay_text() -> None:
    assert shape(draw_text("| 甲 | 乙 |\n丙", (), links_to()))["table"] == 0


def test_the_understood_question_is_shown_only_where_it_differs() -> None:
    same = Exchange(1, "上海有什么任务？", understood=ask_for("上海有什么任务？"))
    other = Exchange(1, "那公园呢？", understood=ask_for("那公园呢？", "上海2024年新建多少座公园？"))
    assert "理解为" not in draw_exchange(same)
    assert "上海2024年新建多少座公园？" in draw_exchange(other)


def test_progress_says_how_many_sentences_were_found_and_how_many_questions_are_ahead() -> None:
    question = ask_for("问")
    assert "已找到 6 个句子" in draw_exchange(Exchange(1, "问", understood=question, found=6))
    assert "前面还有 2 个问题" in draw_exchange(Exchange(1, "问", understood=question, found=6, ahead=2))


def test_a_draft_is_marked_as_not_checked() -> None:
    assert "未核对" in draw_exchange(Exchange(1, "问", understood=ask_for("问"), found=1, draft="草稿"))


def test_a_stopped_answer_says_so_and_keeps_its_text() -> None:
    stopped = Exchange(1, "问", draft="说到一半", stopped=True)
    assert "已停止" in draw_exchange(stopped)
    assert "说到一半" in draw_exchange(stopped)
    answer = answer_with(ask_for("问"), "一句。", (Claim("一句", Verdict.UNCITED, "", ()),), (), stopped=True)
    assert "已停止" in draw_exchange(Exchange(1, "问", answer=answer))


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refusal_is_called_one_and_links_to_the_nearest_sentences(refusal: Refusal) -> None:
    parsed = parse()
    answer = refuse_with(
        Question("问", "问", Kind.FACT, ask_for("问").asks, Scope(), ()), refusal, parsed.sentences[:2]
    )
    exchange = Exchange(3, "问", answer=answer, documents=(parsed,))
    reader = read(draw_exchange(exchange))
    links = [a["href"] for tag, a in reader.tags if tag == "a"]
    panel = read(draw_sources((exchange,), (parsed,)))
    assert "未作回答" in "".join(reader.text)
    assert len(links) == 2
    assert {f"#{a['id']}" for tag, a in panel.tags if tag == "mark" and "id" in a} == set(links)


def cited_exchange(parsed: ParsedDocument, *positions: int, turn: int = 1) -> Exchange:
    sentences = [parsed.sentences[p] for p in positions]
    text = "".join(f"第{n}句[{n}]。" for n in range(1, len(positions) + 1))
    claims = [Claim(f"第{n}句", Verdict.SUPPORTED, "", (n,)) for n in range(1, len(positions) + 1)]
    answer = answer_with(ask_for("问"), text, claims, sentences, parsed.document.title)
    return Exchange(turn, "问", answer=answer, documents=keep_documents(answer, (parsed,)))


def test_every_marker_leads_to_the_one_element_that_holds_exactly_its_quote() -> None:
    parsed = parse()
    exchange = cited_exchange(parsed, 4, 0, 2)
    links = [a["href"] for tag, a in read(draw_exchange(exchange)).tags if tag == "a"]
    panel = draw_sources((exchange,), (parsed,))
    for link, position in zip(links, (4, 0, 2), strict=True):
        start = panel.index(f'id="{str(link)[1:]}"')
        assert panel.count(f'id="{str(link)[1:]}"') == 1
        shown = panel[panel.index(">", start) + 1 : panel.index("</mark>", start)]
        assert shown == escape(parsed.sentences[position].quote)


def test_the_panel_shows_the_whole_text_in_order_with_boilerplate_greyed() -> None:
    parsed = parse()
    markup = draw_sources((cited_exchange(parsed, 2),), (parsed,))
    text = "".join("".join(read(markup).text).split())
    for line in parsed.document.text.splitlines():
        assert "".join(line.split()) in text
    assert '<span class="pa-grey">首页 资讯 国内 聚焦' in markup


def test_sections_are_headed_by_their_labels_and_the_reasons_for_them() -> None:
    text = "".join(read(draw_sources((cited_exchange(parse(), 2),), ())).text)
    order = (
        "上海2023年 2023回顾 review",
        "2023年工作回顾:",
        "上海2024年 2024任务 tasks",
        "2024年主要任务:",
        "推动深远海",
    )
    places = [text.rindex(words) for words in order]
    assert places == sorted(places)
    assert "地名：崇明、临港" in text


def test_the_newest_answers_first_citation_is_the_open_one_and_its_others_are_marked_lightly() -> None:
    parsed = parse()
    markup = draw_sources((cited_exchange(parsed, 0), cited_exchange(parsed, 3, 4, turn=2)), (parsed,))
    marks = [a for tag, a in read(markup).tags if tag == "mark"]
    states = {a["class"].split()[-1]: a["data-turns"] for a in marks}
    assert states == {"pa-mark": "1", "pa-current": "2", "pa-other": "2"}


def test_a_document_cited_in_two_turns_is_sent_once() -> None:
    parsed = parse()
    markup = draw_sources((cited_exchange(parsed, 0), cited_exchange(parsed, 0, turn=2)), (parsed,))
    assert shape(markup)["article"] == 1
    assert 'data-turns="1 2"' in markup


def test_a_document_that_changed_since_is_not_shown_around_an_old_quote() -> None:
    old, new = parse(), parse("前面多了一行。\n" + parse().document.text)
    answer = answer_with(ask_for("问"), "一[1]。", (), old.sentences[:1])
    assert keep_documents(answer, (new,)) == ()
    markup = draw_sources((Exchange(1, "问", answer=answer, documents=()),), (new,))
    assert "不在当前索引中" in markup
    assert escape(old.sentences[0].quote) in markup


def long_document(sentences: int) -> ParsedDocument:
    return parse("".join(f"第{i:04}句。\n" for i in range(sentences)))


def test_of_a_long_document_only_windows_around_the_citations_are_sent_and_the_gaps_are_counted() -> None:
    parsed = long_document(1000)
    cited = [Cited(parsed.sentences[i], (1,)) for i in (300, 310, 700)]
    places = {(c.sentence.start, c.sentence.end): c for c in cited}
    assert list_windows(parsed.sentences, places) == [(260, 350), (660, 740)]
    text = "".join(read(draw_document(parsed, cited, "k", "", 1)).text)
    assert "略去 260 句" in text
    assert "略去 309 句" in text
    assert "略去 259 句" in text
    assert ("第0260句" in text, "第0259句" in text) == (True, False)
    assert ("第0740句" in text, "第0741句" in text) == (True, False)


@given(st.sets(st.integers(0, 499), min_size=1, max_size=8))
def test_windows_hold_every_citation_and_never_overlap(positions: set[int]) -> None:
    parsed = long_document(500)
    places = {(s.start, s.end): Cited(s, (1,)) for s in (parsed.sentences[p] for p in positions)}
    windows = list_windows(parsed.sentences, places)
    assert all(any(a <= p <= b for a, b in windows) for p in positions)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(windows))


def test_an_html_document_is_shown_without_its_tags() -> None:
    parsed = parse("2024年任务:\n<p>新建<b>公园</b>120座。\n", media=Media.HTML)
    parsed = replace(parsed, sentences=(replace(parsed.sentences[0], plain="新建公园120座。"),))
    text = "".join(read(draw_sources((cited_exchange(parsed, 0),), (parsed,))).text)
    assert "新建公园120座。" in text
    assert "<p>" not in text


def test_examples_come_from_the_labels_and_quantities_of_the_loaded_documents() -> None:
    questions = suggest_questions((parse(),))
    assert "上海2024年的主要任务有哪些？" in questions
    assert "上海2024年要淘汰多少项落后产能？" in questions
    assert not any("北京" in q for q in questions)
    assert suggest_questions(()) == ()


def test_a_document_without_labels_is_asked_for_by_its_title() -> None:
    plain = parse("一座城市建成了公园。\n", title="城市公园见闻")
    assert suggest_questions((plain,)) == ("“城市公园见闻”主要讲了什么？",)
    assert not any("上海绿色低碳工作摘编" in question for question in suggest_questions((parse(),), limit=20))


def test_examples_compare_two_regions_where_the_index_holds_them() -> None:
    first, second = parse(), parse(source="b.txt")
    second = replace(
        second, sections=tuple(replace(s, labels=replace(s.labels, region="江苏")) for s in second.sections)
    )
    questions = suggest_questions((first, second), limit=9)
    assert "比较上海和江苏2024年的任务" in questions
    assert not any("比较" in question for question in suggest_questions((first,), limit=9))


def test_the_library_counts_what_it_leaves_out() -> None:
    assert "还有 3 份" in draw_library([parse()] * 5, limit=2)


def test_a_message_in_both_languages_is_parted_at_its_full_stop_and_any_other_stays_whole() -> None:
    both = draw_exchange(Exchange(1, "问", error="端口“1。2”已被占用；请换。 Port 1 is taken. Try 2."))
    assert '<span class="zh">端口“1。2”已被占用；请换。</span>' in both
    assert '<span class="en" lang="en">Port 1 is taken. Try 2.</span>' in both
    assert "甲。 Not 乙" in draw_exchange(Exchange(1, "问", error="甲。 Not 乙"))
