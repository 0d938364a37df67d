"""An answerer -> the web page on this machine. It draws what ``assistant.view`` makes and decides nothing.

The only module that imports Gradio; whoever needs it imports it late.
"""

from __future__ import annotations

import weakref
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
from starlette.middleware.trustedhost import TrustedHostMiddleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import FileResponse, PlainTextResponse, Response  # noqa: E402

from assistant.errors import EngineBusy  # noqa: E402
from assistant.page_server import HOSTS, Guard, check_host, serve_app  # noqa: E402
from assistant.page_talk import QUESTION_LIMIT, Answerer, Talk, ask  # noqa: E402
from assistant.view import (  # noqa: E402
    draw_exchange,
    draw_exchanges,
    draw_header,
    draw_welcome,
)
from assistant.view_examples import suggest_questions  # noqa: E402
from assistant.view_reader import draw_library, draw_sources  # noqa: E402

_HERE = Path(__file__).resolve().parent
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}
_QUEUE = 8  # questions that wait; one more is refused at once
_AT_ONCE = 4  # conversations that may wait for the model and see their place; the model itself takes one at a time
_FONTS = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "system-ui", "sans-serif")
_CRASHED = "程序内部出错，详情见终端；可以继续提问。 An internal error, see the terminal; you can go on asking."


@dataclass(frozen=True)
class _Parts:
    """The components that the handlers fill, in the order of their outputs."""

    past: gr.HTML
    now: gr.HTML
    sources: gr.HTML
    box: gr.Textbox
    send: gr.Button
    stop: gr.Button
    talk: gr.State

    def outputs(self) -> list[Any]:
        return [self.past, self.now, self.sources, self.send, self.stop, self.talk]


def build_page(answerer: Answerer, talks: weakref.WeakSet[Talk] | None = None) -> gr.Blocks:
    """Build the page as Gradio blocks; ``talks`` collects the conversations, for whoever ends the server."""
    known: weakref.WeakSet[Talk] = weakref.WeakSet() if talks is None else talks
    page: gr.Blocks = gr.Blocks(title="政策文件助手 Policy assistant", analytics_enabled=False, fill_width=True)
    with page:
        parts = _lay_out(answerer)
        _wire(page, answerer, parts, known)
    page.queue(api_open=False, max_size=_QUEUE, default_concurrency_limit=1)
    return page


def _html(value: str | Callable[[], str], name: str) -> gr.HTML:
    # js_on_load would be compiled from text in the browser; our script listens on the document instead
    return gr.HTML(value, elem_id=name, js_on_load=None, apply_default_css=False, container=False, padding=False)


def _lay_out(answerer: Answerer) -> _Parts:
    # functions are called anew for each visit, so that a reload shows the index as it is then
    _html(lambda: draw_header(answerer.documents), "pa-header")
    talk = gr.State(None, delete_callback=_leave)
    with gr.Row(elem_id="pa-main", equal_height=False):
        with gr.Column(elem_id="pa-talk", scale=11, min_width=320):
            with gr.Column(elem_id="pa-scroll"):
                past = _html(lambda: draw_welcome(suggest_questions(answerer.documents)), "pa-past")
                now = _html("", "pa-now")
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
            sources = _html(lambda: draw_library(answerer.documents), "pa-sources")
    return _Parts(past, now, sources, box, send, stop, talk)


def _wire(page: gr.Blocks, answerer: Answerer, parts: _Parts, talks: weakref.WeakSet[Talk]) -> None:
    def on_ask(question: str, talk: Talk | None) -> Iterator[list[Any]]:
        talk = talk or Talk()
        talks.add(talk)
        yield from show_asking(answerer, talk, question)

    def on_new(talk: Talk | None) -> list[Any]:
        _leave(talk)
        return show_new(answerer)

    def on_crash(talk: Talk | None) -> list[Any]:
        return show_crash(talk)

    page.load(Talk, None, parts.talk, api_visibility="private", show_progress="hidden")
    asked = gr.on(
        [parts.send.click, parts.box.submit],
        on_ask,
        [parts.box, parts.talk],
        parts.outputs(),
        api_name="ask",
        show_progress="hidden",
        concurrency_limit=_AT_ONCE,
        concurrency_id="ask",
        trigger_mode="multiple",  # the conversation itself refuses a second question; "once" loses one asked too soon
    )
    asked.failure(on_crash, [parts.talk], parts.outputs(), api_visibility="private", show_progress="hidden")
    parts.stop.click(_stop, [parts.talk], None, queue=False, api_name="stop", show_progress="hidden")
    new = next(b for b in page.blocks.values() if isinstance(b, gr.Button) and b.elem_id == "pa-new")
    new.click(on_new, [parts.talk], parts.outputs(), queue=False, api_name="new", show_progress="hidden")


def show_asking(answerer: Answerer, talk: Talk, question: str) -> Iterator[list[Any]]:
    """Give the outputs of the page while a question is answered.

    Each is complete: the browser may leave out all but the newest of those that come close together.
    """
    earlier = ""
    if not question or question.isspace():
        yield [gr.skip()] * 6
        return
    try:
        for exchange in ask(answerer, talk, question):
            earlier = earlier or draw_exchanges(talk.exchanges[:-1])
            yield [earlier, draw_exchange(exchange), gr.skip(), *_buttons(running=True), talk]
    except EngineBusy:  # a second question in the same conversation; the page offers none, a hasty hand may
        yield [gr.skip()] * 6
        return
    sources = draw_sources(talk.exchanges, answerer.documents)
    yield [earlier, draw_exchange(talk.exchanges[-1]), sources, *_buttons(running=False), talk]


def show_new(answerer: Answerer) -> list[Any]:
    """Give the outputs of the page for an empty conversation."""
    documents = answerer.documents
    welcome = draw_welcome(suggest_questions(documents))
    return [welcome, "", draw_library(documents), *_buttons(running=False), Talk()]


def show_crash(talk: Talk | None) -> list[Any]:
    """Give the outputs of the page after an error of the program: it is said, and the page goes on."""
    if talk is None or not talk.exchanges:
        return [*[gr.skip()] * 3, *_buttons(running=False), talk]
    *earlier, _ = talk.exchanges
    exchange = talk.fail(_CRASHED)
    return [draw_exchanges(earlier), draw_exchange(exchange), gr.skip(), *_buttons(running=False), talk]


def _buttons(*, running: bool) -> tuple[Any, Any]:
    return gr.Button(visible=not running), gr.Button(visible=running)


def _stop(talk: Talk | None) -> None:
    if talk is not None:
        talk.stop.set()


def _leave(talk: Talk | None) -> None:
    """Stop what still runs for a page that was closed or has begun a new conversation."""
    _stop(talk)


def build_app(answerer: Answerer) -> FastAPI:
    """Build the page with its guard, its assets and the two addresses that say whether it is well."""
    talks: weakref.WeakSet[Talk] = weakref.WeakSet()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for talk in list(talks):
            talk.stop.set()

    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS)), Middleware(Guard)],
    )

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

    return _mount(app, build_page(answerer, talks))


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


def serve(answerer: Answerer, *, host: str = "127.0.0.1", port: int = 7860, on_ready: Callable[[str], None]) -> None:
    """Serve the page until SIGINT or SIGTERM; ``on_ready`` is given its address once it answers.

    ``InputInvalid`` where the host is not this machine or the port is taken; nothing is printed here.
    """
    check_host(host)
    serve_app(build_app(answerer), host, port, on_ready)
