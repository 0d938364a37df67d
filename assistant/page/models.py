"""The models on this machine -> their addresses: the page, the change to another one, and how far that is."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from assistant.errors import AssistantError, InputInvalid
from assistant.llm.change import Models
from assistant.page.routes import read_form
from assistant.view.models import draw_models
from assistant.view.plain import draw_page, draw_problem


def add_models(app: FastAPI, models: Models, measuring: Callable[[], bool]) -> None:
    """Add the page of models to the server; ``measuring`` says whether an evaluation is under way."""

    def draw(problem: str = "") -> str:
        said = draw_problem(problem) if problem else ""
        try:
            return said + draw_models(models.list(), models.change, may_change=models.may_change)
        except AssistantError as error:
            return said + draw_problem(str(error))

    def change(name: str) -> None:
        if measuring():
            raise InputInvalid(
                "评测正在进行，换模型会让结果混在一起；请先停止评测。 An evaluation is under way and its figures would be "
                "mixed; stop it first."
            )
        models.begin(name)

    @app.get("/models")
    def show() -> Response:
        return _page(draw())

    @app.post("/models/use")
    async def use(request: Request) -> Response:
        name = (await read_form(request)).get("model", "")
        try:
            await run_in_threadpool(change, name)
        except AssistantError as problem:
            return _page(await run_in_threadpool(draw, str(problem)), 400)
        return RedirectResponse("/models", status_code=303)

    @app.get("/models/state")
    def state() -> Response:
        now = models.change
        value = {"name": now.name, "running": now.running, "problem": now.problem}
        return JSONResponse(value, headers={"cache-control": "no-store"})


def _page(body: str, status: int = 200) -> Response:
    script = '<script defer src="/page/models.js"></script>'
    return HTMLResponse(draw_page("/models", body + script), status_code=status, headers={"cache-control": "no-store"})
