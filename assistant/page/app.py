"""An answerer -> the web page on this machine. It draws what ``assistant.view`` makes and decides nothing.

The only module that imports Gradio; whoever needs it imports it late.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.environment import make_offline

make_offline()  # before Gradio is imported: its analytics read the environment then

import gradio as gr  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import FileResponse, PlainTextResponse, Response  # noqa: E402

from assistant.errors import EngineBusy  # noqa: E402
from assistant.evaluation.background import Evaluations  # noqa: E402
from assistant.library.background import Builder  # noqa: E402
from assistant.library.keep import Library  # noqa: E402
from assistant.llm.change import Models  # noqa: E402
from assistant.page.documents import add_documents  # noqa: E402
from assistant.page.door import TICKET, Door  # noqa: E402
from assistant.page.evaluate import add_evaluation  # noqa: E402
from assistant.page.line import WaitingLine  # noqa: E402
from assistant.page.login import Gate, Login, add_login  # noqa: E402
from assistant.page.memory import Memory  # noqa: E402
from assistant.page.models import add_models  # noqa: E402
from assistant.page.owner import find_owner  # noqa: E402
from assistant.page.reach import Reach, check_reach  # noqa: E402
from assistant.page.routes import add_routes  # noqa: E402
from assistant.page.scope import list_choices, read_scope  # noqa: E402
from assistant.page.server import Guard, serve_app  # noqa: E402
from assistant.page.talk import QUESTION_LIMIT, Answerer, Talk, ask  # noqa: E402
from assistant.users import Watched  # noqa: E402
from assistant.view.conversation import (  # noqa: E402
    draw_exchange,
    draw_exchanges,
    draw_header,
    draw_welcome,
)
from assistant.view.examples import suggest_questions  # noqa: E402
from assistant.view.exchange import Exchange  # noqa: E402
from assistant.view.filter import draw_filter  # noqa: E402
from assistant.view.outdated import mark_outdated  # noqa: E402
from assistant.view.reader import draw_library, draw_sources  # noqa: E402

_HERE = Path(__file__).resolve().parent
_NAMES = ("page", "plain")
_ASSETS = {
    "eval.js": "text/javascript",
    "models.js": "text/javascript",
    "documents.js": "text/javascript",
    "login.css": "text/css",
} | {f"{name}.{kind}": f"text/{media}" for kind, media in (("css", "css"), ("js", "javascript")) for name in _NAMES}
# Our own line is shorter and says where one stands; the framework's only has to be long enough to let everybody see it.
_QUEUE = 64
_ASK = "ask"  # the name of the event that asks, also for programs
_AT_ONCE = 32
_FONTS = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "system-ui", "sans-serif")
_CRASHED = "程序内部出错，详情见终端；可以继续提问。 An internal error, see the terminal; you can go on asking."


@dataclass(frozen=True)
class _Parts:
    """The components that the handlers fill, in the order of their outputs."""

    header: gr.HTML
    choose: gr.HTML
    past: gr.HTML
    now: gr.HTML
    sources: gr.HTML
    box: gr.Textbox
    scope: gr.Textbox
    send: gr.Button
    stop: gr.Button
    talk: gr.State

    def outputs(self) -> list[Any]:
        return [self.past, self.now, self.sources, self.send, self.stop, self.talk]


def build_page(answerer: Answerer, memory: Memory, line: WaitingLine) -> gr.Blocks:
    """Build the page as Gradio blocks; ``memory`` holds the conversations, ``line`` the questions that wait."""
    page: gr.Blocks = gr.Blocks(title="政策文件助手 Policy assistant", analytics_enabled=False, fill_width=True)
    with page:
        parts = _lay_out(answerer)
        _wire(page, answerer, parts, memory, line)
    page.queue(api_open=False, max_size=_QUEUE, default_concurrency_limit=1)
    return page


def _html(value: str | Callable[[], str], name: str) -> gr.HTML:
    # js_on_load would be compiled from text in the browser; our script listens on the document instead
    return gr.HTML(value, elem_id=name, js_on_load=None, apply_default_css=False, container=False, padding=False)


def _lay_out(answerer: Answerer) -> _Parts:
    # drawn once for the first paint; every visit brings both up to date with the index
    header = _html(draw_header(answerer.documents), "pa-header")
    talk = gr.State(None, delete_callback=_leave)
    with gr.Row(elem_id="pa-main", equal_height=False):
        with gr.Column(elem_id="pa-talk", scale=11, min_width=320):
            with gr.Column(elem_id="pa-scroll"):
                past = _html("", "pa-past")
                now = _html("", "pa-now")
            choose = _html(draw_filter(list_choices(answerer.documents)), "pa-choose")
            scope = gr.Textbox("", elem_id="pa-scope", visible="hidden", max_length=4000)
            with gr.Row(elem_id="pa-ask"):
                gr.Button("新对话 New", elem_id="pa-new", scale=0, min_width=60)
                box = gr.Textbox(
                    elem_id="pa-box",
                    label="问题 Question",
                    show_label=False,
                    placeholder="输入问题 · Ask here",
                    lines=1,
                    max_lines=6,
                    max_length=QUESTION_LIMIT,
                    autofocus=True,
                    container=False,
                    scale=8,
                )
                send = gr.Button("提问 Ask", elem_id="pa-send", variant="primary", scale=0, min_width=88)
                stop = gr.Button("停止 Stop", elem_id="pa-stop", variant="stop", scale=0, min_width=88, visible=False)
        with gr.Column(elem_id="pa-side", scale=10, min_width=320):
            sources = _html("", "pa-sources")
    return _Parts(header, choose, past, now, sources, box, scope, send, stop, talk)


def _wire(page: gr.Blocks, answerer: Answerer, parts: _Parts, memory: Memory, line: WaitingLine) -> None:
    def on_load(request: gr.Request) -> list[Any]:
        owner = _owner(request)
        name = str(dict(request.query_params).get("talk", ""))
        documents = answerer.documents
        talk = memory.resume(owner, name, documents) or memory.begin(owner)
        return [draw_header(documents), draw_filter(list_choices(documents)), *show_talk(answerer, talk)]

    def on_ask(question: str, talk: Talk | None, scope: str, request: gr.Request) -> Iterator[list[Any]]:
        place = request.request.scope.get(TICKET) if request.request else None
        try:
            if not question or question.isspace():
                yield [gr.skip()] * 6
                return
            talk = memory.adopt(talk, _owner(request))
            chosen = read_scope(scope, list_choices(answerer.documents))
            yield from show_asking(ask(answerer, talk, question, line, chosen, place), answerer, talk, memory.keep)
        finally:
            line.release(place)

    def on_new(talk: Talk | None, request: gr.Request) -> list[Any]:
        _leave(talk)
        return show_talk(answerer, memory.begin(_owner(request)))

    def on_crash(talk: Talk | None) -> list[Any]:
        if talk is None or not talk.running():
            return [*[gr.skip()] * 3, *_buttons(running=False), talk]  # refused at the door: nothing of ours has failed
        shown = show_crash(talk)
        memory.keep(talk)
        return shown

    outputs = [parts.header, parts.choose, *parts.outputs()]
    page.load(on_load, None, outputs, api_visibility="private", show_progress="hidden")
    asked = gr.on(
        [parts.send.click, parts.box.submit],
        on_ask,
        [parts.box, parts.talk, parts.scope],
        parts.outputs(),
        api_name=_ASK,
        show_progress="hidden",
        concurrency_limit=_AT_ONCE,
        concurrency_id="ask",
        trigger_mode="multiple",  # the conversation itself refuses a second question; "once" loses one asked too soon
    )
    asked.failure(
        on_crash, [parts.talk], parts.outputs(), queue=False, api_visibility="private", show_progress="hidden"
    )
    parts.stop.click(_stop, [parts.talk], None, queue=False, api_name="stop", show_progress="hidden")
    new = next(b for b in page.blocks.values() if isinstance(b, gr.Button) and b.elem_id == "pa-new")
    new.click(on_new, [parts.talk], parts.outputs(), queue=False, api_name="new", show_progress="hidden")


def show_asking(
    exchanges: Iterator[Exchange], answerer: Answerer, talk: Talk, keep: Callable[[Talk], None]
) -> Iterator[list[Any]]:
    """Give the outputs of the page while a question is answered; ``keep`` is told when it is, or was left.

    Each is complete: the browser may leave out all but the newest of those that come close together.
    """
    earlier = ""
    try:
        for exchange in exchanges:
            talk.exchanges = mark_outdated(talk.exchanges, answerer.documents)
            earlier = earlier or draw_exchanges(talk.exchanges[:-1])
            yield [earlier, draw_exchange(exchange), gr.skip(), *_buttons(running=True), talk]
    except EngineBusy:  # a second question in the same conversation; the page offers none, a hasty hand may
        yield [gr.skip()] * 6
        return
    except GeneratorExit:  # the page was closed in the middle
        keep(talk)
        raise
    keep(talk)
    sources = draw_sources(talk.exchanges, answerer.documents)
    yield [earlier, draw_exchange(talk.exchanges[-1]), sources, *_buttons(running=False), talk]


def show_talk(answerer: Answerer, talk: Talk) -> list[Any]:
    """Give the outputs of the page for a conversation that is not being answered: a new one, or one of before."""
    documents = answerer.documents
    if not talk.exchanges:
        welcome = draw_welcome(suggest_questions(documents))
        return [welcome, "", draw_library(documents), *_buttons(running=False), talk]
    talk.exchanges = mark_outdated(talk.exchanges, documents)
    *earlier, newest = talk.exchanges
    sources = draw_sources(talk.exchanges, documents)
    return [draw_exchanges(earlier), draw_exchange(newest), sources, *_buttons(running=False), talk]


def show_crash(talk: Talk) -> list[Any]:
    """Give the outputs of the page after an error of the program: it is said, and the page goes on."""
    *earlier, _ = talk.exchanges
    exchange = talk.fail(_CRASHED)
    return [draw_exchanges(earlier), draw_exchange(exchange), gr.skip(), *_buttons(running=False), talk]


def _owner(request: gr.Request) -> str:
    return find_owner(request.request) if request.request else ""


def _buttons(*, running: bool) -> tuple[Any, Any]:
    return gr.Button(visible=not running), gr.Button(visible=running)


def _stop(talk: Talk | None) -> None:
    if talk is not None:
        talk.stop.set()


def _leave(talk: Talk | None) -> None:
    """Stop what still runs for a page that was closed or has begun a new conversation."""
    _stop(talk)


def build_app(
    answerer: Answerer,
    home: Path,
    evaluations: Evaluations | None = None,
    *,
    builder: Builder | None = None,
    models: Models | None = None,
    login: Login | None = None,
    reach: Reach = Reach(),  # noqa: B008 -- frozen
) -> FastAPI:
    """Build the page with its guard, its assets and the two addresses that say whether it is well.

    ``home`` is the data folder, where conversations and feedback are kept; without ``evaluations`` and
    ``models`` there are no such pages, without ``builder`` the documents can be seen and not changed, without ``login`` everybody comes in.
    """
    memory, line = Memory(home), WaitingLine()
    page = build_page(answerer, memory, line)
    asking = {number for number, function in page.fns.items() if function.api_name == _ASK}
    gate = [Middleware(Gate, login.sessions)] if login else []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for talk in memory.talks():
            talk.stop.set()
        if evaluations is not None:
            evaluations.stop()
        if builder is not None:
            builder.close()

    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[Middleware(Guard, reach), *gate, Middleware(Door, line, asking, {_ASK})],
    )
    _add_basics(app, answerer)
    if login is not None:
        add_login(app, login)
    add_routes(app, memory)
    add_documents(app, lambda: answerer.documents, Library(home) if builder else None, builder)
    if evaluations is not None:
        add_evaluation(app, evaluations)
    if models is not None:
        add_models(app, models, lambda: evaluations is not None and evaluations.state.running)
    return _mount(app, page)


def _add_basics(app: FastAPI, answerer: Answerer) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    def readyz() -> Response:
        ready = bool(answerer.documents)
        return PlainTextResponse("ready" if ready else "no documents", status_code=200 if ready else 503)

    @app.get("/page/{name}")
    def asset(request: Request, name: str) -> Response:
        if name not in _ASSETS:
            return PlainTextResponse("not found", status_code=404)
        return FileResponse(_HERE / name, media_type=_ASSETS[name], headers={"cache-control": "no-cache"})


def _mount(app: FastAPI, page: gr.Blocks) -> FastAPI:
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name="127.0.0.1",
        run_history=False,
        footer_links=[],
        enable_monitoring=False,
        ssr_mode=False,
        show_error=False,
        max_file_size="1kb",
        allowed_paths=[],
        theme=gr.themes.Base(font=_FONTS, font_mono=("ui-monospace", "monospace")),
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    return app


def serve(
    answerer: Answerer,
    *,
    home: Path,
    evaluations: Evaluations | None = None,
    builder: Builder | None = None,
    models: Models | None = None,
    users: Watched | None = None,
    reach: Reach = Reach(),  # noqa: B008 -- frozen
    on_ready: Callable[[str], None],
) -> None:
    """Serve the page until SIGINT or SIGTERM; ``on_ready`` is given its address once it answers.

    ``InputInvalid`` where the address is none of this machine, the port is taken, or others could come in without a
    login; nothing is printed here.
    """
    check_reach(reach, login=users is not None)
    login = Login(users) if users else None
    app = build_app(answerer, home, evaluations, builder=builder, models=models, login=login, reach=reach)
    serve_app(app, reach, on_ready)
