"""The evaluations -> their addresses: the page, starting and stopping, question files, reports."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from assistant.errors import AssistantError
from assistant.evaluation.background import Evaluations
from assistant.page.routes import read_form, say_problem
from assistant.view.evaluate import draw_comparison, draw_evaluation, draw_run
from assistant.view.plain import draw_page, draw_problem


def add_evaluation(app: FastAPI, evaluations: Evaluations) -> None:
    """Add the evaluation page to the server; the guard in front bounds what may be uploaded."""

    @app.get("/eval")
    def show(new: str = "", old: str = "") -> Response:
        compared = ""
        if new and old:
            try:
                compared = draw_comparison(new, evaluations.compare(new, old))
            except AssistantError as problem:
                compared = draw_problem(str(problem))
        body = draw_evaluation(evaluations.state, evaluations.list_runs(), compared)
        return _page(body)

    @app.post("/eval/start")
    async def start(request: Request) -> Response:
        upload = (await read_form(request)).get("questions", "")
        try:
            await run_in_threadpool(evaluations.start, upload)
        except AssistantError as problem:
            return _page(draw_problem(str(problem)), 400)
        return RedirectResponse("/eval", status_code=303)

    @app.post("/eval/resume")
    async def resume(request: Request) -> Response:
        name = (await read_form(request)).get("run", "")
        try:
            await run_in_threadpool(evaluations.resume, name)
        except AssistantError as problem:
            return _page(draw_problem(str(problem)), 400)
        return RedirectResponse("/eval", status_code=303)

    @app.post("/eval/stop")
    def stop() -> Response:
        evaluations.stop()
        return RedirectResponse("/eval", status_code=303)

    @app.get("/eval/state")
    def state() -> Response:
        return JSONResponse(evaluations.state.to_json(), headers={"cache-control": "no-store"})

    @app.post("/eval/questions")
    async def upload(request: Request, name: str = "") -> Response:
        try:
            identity, count = await run_in_threadpool(evaluations.upload, name, await request.body())
        except AssistantError as problem:
            return say_problem(str(problem))
        return JSONResponse({"id": identity, "count": count})

    _add_runs(app, evaluations)


def _add_runs(app: FastAPI, evaluations: Evaluations) -> None:
    @app.get("/eval/runs/{name}")
    def show_run(name: str) -> Response:
        try:
            return _page(draw_run(name, evaluations.read_run(name)))
        except AssistantError as problem:
            return _page(draw_problem(str(problem)), 404)

    @app.get("/eval/runs/{name}/report.html")
    def report(name: str) -> Response:
        try:
            return FileResponse(evaluations.find_report(name), media_type="text/html; charset=utf-8")
        except AssistantError as problem:
            return PlainTextResponse(str(problem), status_code=404)


def _page(body: str, status: int = 200) -> Response:
    script = '<script defer src="/page/eval.js"></script>'
    return HTMLResponse(draw_page("/eval", body + script), status_code=status, headers={"cache-control": "no-store"})
