"""What counts something else than was asked for, or decides a question for another place, is the nearest wording at best."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.beside import is_beside
from assistant.answering.compose import Statement
from assistant.answering.facing import faces, tells_done
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.question.weigh import weigh
from assistant.types import Answer
from tests.answer_fakes import FakeEngine
from tests.made_documents import NOWHERE, REVIEW_2023, TASKS_2024, make_parsed
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex

_HEDGE = "最接近的一句"


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    review = (
        "过半的县建立了噪声台账,将噪声强度降低任务分解到乡镇。\n"
        "兰溪、衢州等14个县出台了渡船补贴办法。\n"
        "累计建成观鸟站9座、驿站6座,均居全国第一,湿地公园增至37个。\n"
        "兰溪、衢州等8个县每年开展航道考核。\n"
        "制定游船台账、浮标码表等24项制度文件。"
    )
    tasks = (
        "开工建设26座泵站,加快建设堤防,建成丰和水厂扩建工程。\n新创建20家星级码头。\n"
        "建成浮桥12座。\n把航次折算成积分,注册船员达到86人。"
    )
    documents = [make_parsed("a.txt", {REVIEW_2023: review, TASKS_2024: tasks}, places=("兰溪", "衢州"))]
    return Assistant(MemoryIndex(documents, open_embedder()), READER, FakeEngine())


def is_sure(answer: Answer) -> bool:
    return answer.refusal is None and _HEDGE not in answer.text


@pytest.mark.parametrize(
    ("beside", "answered"),
    [
        ("噪声强度降低了多少？", "多少县建立了噪声台账？"),
        ("渡船补贴是多少？", "多少县出台了渡船补贴办法？"),
        ("湿地公园居全国第几？", "湿地公园增至多少个？"),
        ("制定游船台账多少项？", "制定制度文件多少项？"),
        ("浮桥有多少座？", "建成浮桥多少座？"),
        ("航次折算成积分多少？", "注册船员达到多少人？"),
        ("航道考核每年几次？", "多少个县每年开展航道考核？"),
        ("2024年建成泵站多少座？", "2024年开工建设泵站多少座？"),
        ("星级码头有多少家？", "新创建星级码头多少家？"),
    ],
)
def test_a_figure_that_counts_something_else_is_no_answer(assistant: Assistant, beside: str, answered: str) -> None:
    assert not is_sure(assistant.ask(f"上海{beside}"))
    assert is_sure(assistant.ask(f"上海{answered}"))


@pytest.mark.parametrize(
    ("question", "quote", "beside"),
    [
        ("株洲市与洛阳市实现渡船卡互认了吗？", "湘潭市与株洲市实现渡船卡互认", True),
        ("湘潭市与株洲市实现渡船卡互认了吗？", "湘潭市与株洲市实现渡船卡互认", False),
        ("株洲第一条航道通航了吗？", "株洲第二条航道通航", True),
        ("株洲第二条航道通航了吗？", "株洲第二条航道通航", False),
        ("株洲的渡船电动化了吗？", "株洲航运交易所揭牌,湘潭实现渡船电动化", True),
        ("湘潭的渡船电动化了吗？", "株洲航运交易所揭牌,湘潭实现渡船电动化", False),
    ],
)
def test_what_others_do_decides_no_question_for_yes_or_no(question: str, quote: str, beside: bool) -> None:
    index = MemoryIndex([make_parsed("b.txt", {NOWHERE: f"{quote}。"}, places=("湘潭", "株洲"))], open_embedder())
    understood = understand(question, (), describe_corpus(index.documents))
    told = Statement(None, "", quote, index.sentences[0])
    assert is_beside(understood, told, weigh(understood, index)) is beside


@pytest.mark.parametrize(
    ("question", "quote", "other"),
    [
        ("没有达标的县有多少？", "33个县被评为达标县", "6个县未达标"),
        ("未出台办法的县有多少？", "14个县出台了办法", "9个县没有出台办法"),
        ("候船时间缩短了多少？", "候船时间缩短到5分钟以内", "候船时间缩短3分钟"),
        ("省级驿站有多少家？", "省级以上驿站300家", "省级驿站300家"),
        ("一年清淤多少处？", "两年清淤23处", "一年清淤23处"),
        ("航道最高流速多少？", "平均流速每秒2米", "最高流速每秒3米"),
        ("航道规划什么时候发布？", "发布《航道规划(2011—2020年)》", "2010年发布《航道规划(2011—2020年)》"),
        ("哪一年全部完成试点？", "自2010年以来开展试点", "2015年全部完成试点"),
        ("低峰间隔多少？", "高峰间隔4分钟", "低峰间隔9分钟"),
        ("2022年分担率达到多少？", "到方案期末分担率达到62%", "2022年分担率达到51%"),
    ],
)
def test_what_faces_the_question_is_told_from_what_answers_it(question: str, quote: str, other: str) -> None:
    assert faces(question, quote, make_sentence(quote))
    assert not faces(question, other, make_sentence(other))


def test_one_of_two_names_in_quotation_marks_is_not_the_other() -> None:
    sentence = make_sentence("推进“无废城市”建设,新增“无废工厂”420家")
    assert faces("无废城市新增多少个？", "新增“无废工厂”420家", sentence)
    assert not faces("无废工厂新增多少家？", "新增“无废工厂”420家", sentence)


@pytest.mark.parametrize(
    "question", ["有没有达标的县？", "达标的县有多少？", "未来达标的县有多少？", "不低于60分的县有多少？"]
)
def test_what_denies_nothing_is_not_turned_round(question: str) -> None:
    assert not tells_done(question, "33个县被评为达标县")
