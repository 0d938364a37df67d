"""Documents of questions and answers: pairs that differ in one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answer import Assistant
from assistant.answering.framing import find_question, frame_with_question, show_question
from assistant.checking.check import check_claim
from assistant.finding.asked import find_match
from assistant.llm.catalog import bundled
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.question.weigh import Term, weigh
from assistant.types import Answer, Asks, Verdict
from tests.answer_fakes import FakeEngine
from vectorstore.codec import parsed_from_json, parsed_to_json
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.relabel import relabel
from vectorstore.types import Asked, Document, LabelCorrection, Media, ParsedDocument, Sentence

_NOTICE = """芦花里社区居民常见问答

一、宠物

问：宠物能不能带进社区食堂？
答：不能。导盲犬除外，进门时请出示工作证。违反规定的，第一次劝导，第二次取消就餐资格三个月。

问：怎么收费？
答：寄养每天35元，洗澡每次20元。办理年卡的居民打八折。

二、合作食堂

问：几点开饭？晚饭卖到几点？
答：午饭11时开始，晚饭17时开始。晚饭卖到19时30分。

问：七十岁以上的老人有优惠吗？
答：有。凭老年证每餐减免6元，每天最多减免两餐。行动不便的，由志愿者送餐上门。

问：外来租户可以用餐吗？
答：持居住证的租户与居民同价。没有居住证的租户按成本价用餐，不享受减免。租户的访客不得用餐。

芦花里社区居民委员会
2031年3月2日
"""


def _parse(text: str, media: Media = Media.TEXT) -> ParsedDocument:
    return parse(Document("a.txt", text, media, "0" * 64, "芦花里社区居民常见问答"))


def _find(parsed: ParsedDocument, words: str) -> Sentence:
    return next(sentence for sentence in parsed.sentences if words in sentence.plain)


def _asked(text: str, words: str, media: Media = Media.TEXT) -> str:
    asked = _find(_parse(text, media), words).asked
    return asked.plain if asked else ""


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant(MemoryIndex([_parse(_NOTICE)], open_embedder()), bundled(), FakeEngine())


def _cited(answer: Answer) -> list[str]:
    return [citation.sentence.plain for citation in answer.citations]


def test_a_sentence_of_an_answer_knows_its_question_and_one_before_the_first_question_none() -> None:
    assert _asked(_NOTICE, "导盲犬") == "宠物能不能带进社区食堂？"
    assert _asked(_NOTICE.replace("一、宠物", "社区食堂开办两年了。\n\n一、宠物"), "开办两年") == ""


def test_what_stands_behind_the_last_answer_belongs_to_none() -> None:
    assert _asked(_NOTICE, "访客") == "外来租户可以用餐吗？"
    assert _asked(_NOTICE, "芦花里社区居民委员会") == ""


def test_a_heading_ends_an_answer() -> None:
    text = "问：要交钱吗？\n答：不用。\n二、其他事项\n本页由居委会编写，每年更新一次，欢迎大家提出意见。\n问：去哪交？\n答：去居委会。\n"
    assert _asked(text, "每年更新") == "" and _asked(text, "去居委会") == "去哪交？"


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("问：要交押金吗？\n答：不用交，凭身份证即可。\n", Media.TEXT),
        ("Q1：要交押金吗？\nA1：不用交，凭身份证即可。\n", Media.TEXT),
        ("【问】要交押金吗？\n【答】不用交，凭身份证即可。\n", Media.TEXT),
        ("问题一：要交押金吗？\n答复：不用交，凭身份证即可。\n", Media.TEXT),
        ("记者：要交押金吗？\n王明：不用交，凭身份证即可。\n", Media.TEXT),
        ("问：\n要交押金吗？\n答：\n不用交，凭身份证即可。\n", Media.TEXT),
        ("问：要交押金吗？答：不用交，凭身份证即可。\n", Media.TEXT),
        ("**问：要交押金吗？**\n\n**答：**不用交，凭身份证即可。\n", Media.MARKDOWN),
        ("## 问：要交押金吗？\n\n不用交，凭身份证即可。\n", Media.MARKDOWN),
        ("## 1. 要交押金吗？\n\n不用交，凭身份证即可。\n", Media.MARKDOWN),
        ("<p><b>问：</b>要交押金吗？</p><p><b>答：</b>不用交，凭身份证即可。</p>", Media.HTML),
        ("1. 要交押金吗？\n不用交，凭身份证即可。\n2. 丢了怎么办？\n到窗口补一张。\n", Media.TEXT),
    ],
)
def test_questions_are_marked_in_many_ways(text: str, media: Media) -> None:
    parsed = _parse(text, media)
    answer = _find(parsed, "不用交")
    assert answer.asked is not None and answer.asked.plain == "要交押金吗？" and not answer.only_asks
    assert "要交押金吗？" in parsed.document.text[answer.asked.start : answer.asked.end]
    assert all(s.quote == parsed.document.text[s.start : s.end] for s in parsed.sentences)


@pytest.mark.parametrize(
    "text",
    [
        "记者：王明 摄影：李红\n今年新修了三条路，都已经通车。\n",
        "问题一：资金不足\n三个区的改造资金没有到位，工程因此停了下来。\n",
        "钱从哪里来？\n市里拿出两成，社会资本拿出八成，都已经签约。\n",
    ],
)
def test_a_byline_a_trouble_and_a_single_question_of_the_author_ask_nothing(text: str) -> None:
    assert all(sentence.asked is None for sentence in _parse(text).sentences)


def test_the_marks_of_the_speakers_are_read_over_and_stay_in_the_quote() -> None:
    sentence = _find(_parse(_NOTICE), "不能。")
    assert (sentence.plain, sentence.quote) == ("不能。", "答：不能。")


def test_the_question_outlives_storing_and_a_label_that_is_set_by_hand() -> None:
    parsed = _parse(_NOTICE)
    assert parsed_from_json(parsed_to_json(parsed)) == parsed
    changed, lost = relabel(parsed, [LabelCorrection("a.txt", "一、宠物", year=2031)])
    assert not lost and _find(changed, "导盲犬").labels.year == 2031
    assert _find(changed, "导盲犬").asked == _find(parsed, "导盲犬").asked is not None


def test_a_question_is_never_cited(assistant: Assistant) -> None:
    for question in ("宠物能不能带进社区食堂？", "外来租户用餐吗", "食堂几点开饭", "老人有优惠吗", "介绍一下社区食堂"):
        answer = assistant.ask(question)
        cited = [*answer.citations, *answer.nearest]
        assert not any(citation.sentence.only_asks for citation in cited), question


def test_a_document_that_did_not_know_its_questions_would_cite_one() -> None:
    parsed = _parse(_NOTICE)
    without = replace(parsed, sentences=tuple(replace(sentence, asked=None) for sentence in parsed.sentences))
    answer = Assistant(MemoryIndex([without], open_embedder()), bundled(), FakeEngine()).ask("老人有优惠吗")
    cited = [*answer.citations, *answer.nearest]
    assert any(citation.sentence.plain.endswith("？") for citation in cited)


def test_the_same_question_is_given_the_whole_answer_and_another_one_sentence(assistant: Assistant) -> None:
    same, other = assistant.ask("七十岁以上的老人有没有优惠？"), assistant.ask("行动不便的老人能送餐上门吗？")
    assert len(_cited(same)) == 3 and "凭老年证每餐减免6元" in same.text
    assert _cited(other) == ["行动不便的，由志愿者送餐上门。"]


def test_a_verdict_stands_with_its_question(assistant: Assistant) -> None:
    answer = assistant.ask("宠物能带进食堂吗？")
    assert "对“宠物能不能带进社区食堂？”的回答中写道：“不能”" in answer.text
    assert all(claim.verdict is Verdict.SUPPORTED for claim in answer.claims)


def test_the_verdict_on_one_thing_is_none_on_the_exception_to_it(assistant: Assistant) -> None:
    assert "不能" not in [claim.text.strip("“”") for claim in assistant.ask("导盲犬能带进食堂吗？").claims]
    assert "导盲犬除外" in assistant.ask("导盲犬能带进食堂吗？").text


def test_a_short_question_is_told_only_of_what_its_part_is_about(assistant: Assistant) -> None:
    assert "寄养每天35元" in assistant.ask("宠物怎么收费？").text
    assert "寄养每天35元" not in assistant.ask("合作食堂怎么收费？").text


def test_the_question_in_a_frame_is_checked_like_any_quote() -> None:
    sentence = _find(_parse(_NOTICE), "不能。")
    right = "资料对“宠物能不能带进社区食堂？”的回答中写道：“不能”"
    assert check_claim(right, [sentence]).verdict is Verdict.SUPPORTED
    for wrong in (right.replace("宠物", "孩子"), right.replace("“不能”", "“可以”"), right.replace("的回答中", "中")):
        assert check_claim(wrong, [sentence]).verdict is Verdict.UNSUPPORTED, wrong


def test_of_a_long_question_its_end_is_shown() -> None:
    asked = Asked(0, 99, f"{'我们注意到，最近大家都很关心这件事。' * 4}请问什么时候开门？")
    assert show_question(asked).endswith("请问什么时候开门？") and len(show_question(asked)) <= 60
    assert show_question(asked) in asked.plain
    assert find_question(frame_with_question("2031年的资料中写道：", "几点开饭？")) == "几点开饭？"
    assert find_question("2031年的资料中写道：") == ""


def test_another_thing_with_a_part_of_its_name_is_not_the_same_question(assistant: Assistant) -> None:
    assert "持居住证的租户与居民同价" in assistant.ask("外来租户可以用餐吗？").text
    assert len(_cited(assistant.ask("外来务工人员可以用餐吗？"))) < 3


def test_a_longer_word_is_not_told_by_its_beginning() -> None:
    other, same = Term("博士后", 1.0), Term("博士楼", 1.0)
    assert 0.0 < other.match("博士每月1500元") < same.match("博士每月1500元") < 1.0


@pytest.mark.parametrize(("asked", "answered"), [("光伏补贴有多少？", True), ("光伏补贴三年以后怎么办？", False)])
def test_a_figure_is_not_told_by_the_whole_answer_to_a_question_for_none(asked: str, *, answered: bool) -> None:
    text = f"问：{asked}\n答：补贴满三年为止。之后照规定上网。\n\n问：要交押金吗？\n答：不用交，凭身份证即可。\n"
    index = MemoryIndex([_parse(text)], open_embedder())
    question = understand("光伏补贴多少？", (), describe_corpus(index.documents))
    assert question.asks is Asks.QUANTITY
    assert (find_match(question, index, weigh(question, index)) is not None) is answered


@pytest.mark.parametrize(("figure", "differs"), [("888家", True), ("320家", False)])
def test_an_answer_that_another_sentence_contradicts_is_not_given_alone(figure: str, *, differs: bool) -> None:
    text = f"浙江省2031年主要任务\n\n新建社区食堂320家。改造农贸市场75个。\n\n问：浙江2031年要新建多少家社区食堂？\n答：{figure}。\n"
    assistant = Assistant(MemoryIndex([_parse(text)], open_embedder()), bundled(), FakeEngine())
    told = assistant.ask("浙江2031年要新建多少家社区食堂？").text
    assert ("说法不一致" in told and "320家" in told) is differs
