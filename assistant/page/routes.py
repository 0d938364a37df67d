"""The memory of the page -> the addresses beside the chat: what a person says of an answer, exports, the history.

Each answers only for the owner whom the request names, by login or by cookie; the guard in front has refused foreign origins.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from assistant.conversations.export import MEDIA, export
from assistant.errors import InputInvalid
from assistant.page.memory import Memory
from assistant.page.owner import USER, find_owner, give_cookie
from assistant.view.acts import RECORDED
from assistant.view.plain import draw_history, draw_page, draw_problem

_TITLE = 40  # characters of a file's name


def add_routes(app: FastAPI, memory: Memory) -> None:
    """Add the addresses of conversations to the server."""
    _add_talk_routes(app, memory)
    _add_history_routes(app, memory)


def _add_talk_routes(app: FastAPI, memory: Memory) -> None:
    @app.post("/page/hello")
    def hello(request: Request) -> Response:
        """Give a browser that comes for the first time its name, or say who has logged in."""
        if USER in request.scope:
            return JSONResponse({"user": request.scope[USER]}, headers={"cache-control": "no-store"})
        response = Response(status_code=204)
        return response if find_owner(request) else give_cookie(response)

    @app.post("/page/talks/{name}/{turn}/rating")
    async def rate(request: Request, name: str, turn: int) -> Response:
        value = await read_json(request)
        rating, comment = value.get("rating"), value.get("comment", "")
        if not isinstance(rating, str) or not isinstance(comment, str):
            return say_problem("这条反馈不能记录。 This feedback cannot be recorded.")
        try:
            await run_in_threadpool(memory.rate, find_owner(request), name, turn, rating, comment)
        except InputInvalid as problem:
            return say_problem(str(problem))
        words = RECORDED[rating]
        return JSONResponse({"zh": words.zh, "en": words.en})

    @app.get("/page/talks/{name}/export.{form}")
    def give_export(request: Request, name: str, form: str) -> Response:
        kept = memory.read(find_owner(request), name) if form in MEDIA else None
        if kept is None:
            return PlainTextResponse("没有这个对话。 There is no such conversation.", status_code=404)
        return give_file(export(kept, form), f"{kept.title[:_TITLE]} {kept.created:%Y-%m-%d}.{form}", MEDIA[form])


def _add_history_routes(app: FastAPI, memory: Memory) -> None:
    @app.get("/history")
    def show_history(request: Request, q: str = "") -> Response:
        words = q[:200]
        try:
            body = draw_history(memory.list(find_owner(request), words), words, request.scope.get(USER, ""))
        except InputInvalid as problem:
            body = draw_problem(str(problem))
        return HTMLResponse(draw_page("/history", body), headers={"cache-control": "no-store"})

    @app.post("/history/delete")
    async def delete(request: Request) -> Response:
        name = (await read_form(request)).get("talk", "")
        await run_in_threadpool(memory.delete, find_owner(request), name or None)
        return RedirectResponse("/history", status_code=303)


async def read_json(request: Request) -> dict[str, Any]:
    """Read an object from the body; an empty one where there is none."""
    try:
        value = json.loads(await request.body())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a plain form; the last one of a name counts."""
    text = (await request.body()).decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=50).items()}


def give_file(content: bytes, name: str, media: str) -> Response:
    """Give a file to save; its name is encoded, so that no text ends or adds a header."""
    safe = quote(
        "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in name), safe="", errors="replace"
    )
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{safe}", "cache-control": "no-store"}
    return Response(content, media_type=media, headers=headers)


def say_problem(text: str, status: int = 400) -> Response:
    """Answer with one sentence that the page shows."""
    return JSONResponse({"problem": text}, status_code=status)
