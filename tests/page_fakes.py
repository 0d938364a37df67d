"""An answerer without a model or an index, for tests of the page: real texts, simple rules, honest spans."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.errors import AssistantError
from assistant.evaluation.background import Evaluations
from assistant.evaluation.run import Bench
from assistant.evaluation.summary import RunFacts
from assistant.llm.catalog import bundled
from assistant.llm.change import Models
from assistant.llm.held import Held
from assistant.page.reach import Reach
from assistant.types import (
    Answer,
    Asks,
    Citation,
    Claim,
    Event,
    Finished,
    Found,
    IndexFacts,
    Kind,
    ModelFacts,
    Passage,
    Piece,
    Question,
    Refusal,
    Seconds,
    Turn,
    Understood,
    Verdict,
)
from assistant.users import Watched
from tests.answer_fakes import FakeEngine
from vectorstore.types import (
    Boilerplate,
    Document,
    LabelReasons,
    Labels,
    Media,
    ParsedDocument,
    Part,
    Scope,
    Section,
    Sentence,
)

MODEL, INDEX = ModelFacts("fake-reader", "0" * 64, "Q8_0"), IndexFacts("g1", "c" * 64)
TASKS = Labels("上海", 2024, Part.TASKS)
REVIEW = Labels("上海", 2023, Part.REVIEW)
TEXT = """首页 资讯 国内 聚焦

上海市政府工作报告摘编

2023年工作回顾:

新增光伏装机94.6万千瓦。新增森林超过6.7万亩、绿地1044公顷。

2024年主要任务:

推动深远海海上风电建设,新建1万个电动汽车公共充电桩。淘汰落后产能450项。推动世博文化公园南区开园,新建公园120座。

免责声明:转载内容仅供参考。
"""


def parse(
    text: str = TEXT, source: str = "shanghai.txt", title: str = "上海绿色低碳工作摘编", media: Media = Media.TEXT
) -> ParsedDocument:
    """Cut a text as simply as the page needs it: sentences end at a full stop, a "年" heading begins a section."""
    document = Document(source, text, media, "0" * 64, title, "测试出版社", date(2024, 2, 1))
    starts = [m.start() for m in re.finditer(r"^20\d\d年.*:$", text, re.MULTILINE)]
    sections = [Section(source, 0, starts[0] if starts else len(text), (), Labels(), LabelReasons())]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        heading = text[start:].split("\n", 1)[0]
        part = Part.TASKS if "任务" in heading else Part.REVIEW
        labels = Labels("上海", int(heading[:4]), part)
        reasons = LabelReasons("地名：崇明、临港", "标题：" + heading, "标题：" + heading)
        sections.append(Section(source, start, end, (heading,), labels, reasons))
    greyed = re.finditer(r"^(首页|免责声明).*$", text, re.MULTILINE)
    grey = tuple(Boilerplate(m.start(), m.end(), "导航") for m in greyed)
    sentences = []
    for found in re.finditer(r"[^\n。]+。", text):
        if any(b.start <= found.start() < b.end for b in grey):
            continue
        number = max(i for i, s in enumerate(sections) if s.start <= found.start() or i == 0)
        paragraph = text.count("\n", 0, found.start())
        sentences.append(
            Sentence(source, found.start(), found.end(), found[0], found[0], number, paragraph, sections[number].labels)
        )
    return ParsedDocument(document, grey, tuple(sections), tuple(sentences))


def ask_for(text: str, standalone: str | None = None, scope: Scope | None = None) -> Question:
    """A question that was understood in the simplest way."""
    return Question(text, standalone or text, Kind.FACT, Asks.QUANTITY, scope or Scope(), ())


def answer_with(
    question: Question,
    text: str,
    claims: Sequence[Claim],
    sentences: Sequence[Sentence],
    title: str = "上海绿色低碳工作摘编",
    **more: object,
) -> Answer:
    """Make an answer that cites the given sentences as 1, 2, … in their order."""
    return Answer(
        question=question,
        text=text,
        claims=tuple(claims),
        citations=tuple(Citation(n, s, title) for n, s in enumerate(sentences, 1)),
        model=MODEL,
        index=INDEX,
        seconds=Seconds(total=0.4),
        **more,  # type: ignore[arg-type]
    )


def refuse_with(question: Question, refusal: Refusal, nearest: Sequence[Sentence], title: str = "摘编") -> Answer:
    """A refusal that shows the given sentences."""
    refused = answer_with(question, "资料中没有找到答案。", (), (), refusal=refusal)
    near = tuple(Citation(n, s, title) for n, s in enumerate(nearest, 1))
    return Answer(**{**{f: getattr(refused, f) for f in Answer.__slots__}, "nearest": near})


@dataclass
class FakeAssistant:
    """Answers with the sentence that shares most characters with the question; refuses where that is few."""

    parsed: tuple[ParsedDocument, ...] = field(default_factory=lambda: (parse(),))
    pause: float = 0.0  # seconds between two pieces of the draft
    pieces: int = 4
    draft: str = "草稿"
    ahead: int = 0
    problem: AssistantError | None = None
    crash: Exception | None = None
    histories: list[tuple[Turn, ...]] = field(default_factory=list)
    stops: list[threading.Event] = field(default_factory=list)
    scopes: list[Scope | None] = field(default_factory=list)

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        return self.parsed

    def waiting(self) -> int:
        return self.ahead

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        scope: Scope | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        stop = stop or threading.Event()
        self.histories.append(tuple(history))
        self.stops.append(stop)
        self.scopes.append(scope)
        understood = ask_for(question, "上海2024年" + question if question.startswith("那") else question, scope)
        yield Understood(understood)
        if self.problem:
            raise self.problem
        best = self._best(understood.standalone)
        yield Found(tuple(Passage(n, s, 1.0, 1.0) for n, s in enumerate(best, 1)))
        if self.crash:
            raise self.crash
        shown = 0
        while shown < self.pieces and not stop.wait(self.pause):
            shown += 1
            yield Piece(f"{self.draft}{shown}，")
        yield Finished(self._finish(understood, best, stopped=stop.is_set()))

    def _best(self, question: str) -> list[Sentence]:
        every = [s for parsed in self.parsed for s in parsed.sentences]
        return sorted(every, key=lambda s: -len(set(s.plain) & set(question)))[:3]

    def _finish(self, question: Question, best: list[Sentence], *, stopped: bool) -> Answer:
        if not best or len(set(best[0].plain) & set(question.standalone)) < 5:
            return refuse_with(question, Refusal.NOT_IN_CORPUS, best)
        quote = best[0].quote.rstrip("。")
        claims = (
            Claim("1万个", Verdict.SUPPORTED, "数字在引用的句子里", (1,)),
            Claim(f"原文是：“{quote}”", Verdict.PARTIAL, "只核对了数字", (1,)),
        )
        return answer_with(question, f"1万个。原文是：“{quote}”[1]。", claims, best[:1], stopped=stopped)


@dataclass
class Graded:
    """The fake as an evaluation asks it: one whole answer."""

    answerer: FakeAssistant

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        *_, last = self.answerer.stream(question, history)
        assert isinstance(last, Finished)
        return last.answer


def make_evaluations(answerer: FakeAssistant, home: Path) -> Evaluations:
    """Two labelled questions about the documents of the fake."""
    questions = home / "questions.jsonl"
    row = {
        "kind": "fact",
        "turns": ["上海2024年要新建多少个电动汽车公共充电桩？"],
        "must": [["1万"]],
        "answerable": True,
    }
    rows = [json.dumps({"id": f"q{n}", **row}, ensure_ascii=False) for n in range(2)]
    questions.write_text("\n".join(rows), encoding="utf-8")
    facts = RunFacts(MODEL, INDEX, prompts="22", program="0.1")
    corpus = {parsed.document.source: parsed.document.text for parsed in answerer.parsed}
    return Evaluations(home / "reports", questions, lambda: Bench(Graded(answerer), facts, corpus))


def make_models(home: Path) -> Models:
    """The bundled reader, said to be running, and whatever is registered in ``home``."""
    return Models(Held(bundled(), FakeEngine()), home, lambda _: FakeEngine())


class Served:
    """A page on a free port of this machine, in a thread of its own."""

    def __init__(self, answerer: FakeAssistant, users: Watched | None = None, reach: Reach | None = None) -> None:
        import uvicorn

        from assistant.page.app import build_app
        from assistant.page.login import Login
        from assistant.page.server import Closing, configure

        reach = reach or Reach(port=0)
        self._home = TemporaryDirectory(prefix="page-")
        self.home = Path(self._home.name)
        self.evaluations = make_evaluations(answerer, self.home)
        self.models = make_models(self.home)
        login = Login(users) if users else None
        self._closing = Closing(
            build_app(answerer, self.home, self.evaluations, models=self.models, login=login, reach=reach)
        )
        self._server = uvicorn.Server(configure(self._closing, reach, patience=5))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""

    def __enter__(self) -> Served:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.servers[0].get_loop().call_soon_threadsafe(self._closing.close)
        self._server.should_exit = True
        self._thread.join(10)
        self._home.cleanup()
