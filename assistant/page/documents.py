"""The library and the builder -> their addresses: the documents page, files coming in, removing, restoring, labels.

Whatever is refused is refused here, on the server, with one sentence; the script of the page only makes it comfortable.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from assistant.errors import AssistantError
from assistant.library.amend import find_lost, is_outdated, show_corrected
from assistant.library.background import Builder
from assistant.library.keep import Kept, Library, Wanted
from assistant.page.routes import read_form, say_problem
from assistant.view.documents import Arrival, Desk, draw_documents, find_place
from assistant.view.plain import draw_page, draw_problem
from vectorstore.confine import too_large
from vectorstore.errors import StoreError
from vectorstore.markup_extracted import show_extracted
from vectorstore.types import ParsedDocument

_STEP = 1 << 20  # bytes that are copied at a time
_MOST_FILES = 1_000  # of one form
_LONGEST_NAME = 400  # characters of a file's name as the browser gives it

Documents = Callable[[], Sequence[ParsedDocument]]


def add_documents(app: FastAPI, documents: Documents, library: Library | None, builder: Builder | None) -> None:
    """Add the documents page; without a library it only shows."""
    if library is None or builder is None:

        @app.get("/documents")
        def show_only() -> Response:
            return _page(draw_documents(documents()))

        return
    desk = _Counter(documents, library, builder)
    if is_outdated(library.shelf, documents()):
        builder.request()  # the program ended before what was changed had come into the index
    _add_pages(app, desk)
    _add_arrivals(app, desk)
    _add_changes(app, desk)


@dataclass(frozen=True, slots=True)
class _Counter:
    """What the handlers share."""

    documents: Documents
    library: Library
    builder: Builder

    def draw(self, *, one: str = "", arrivals: tuple[Arrival, ...] = (), problem: str = "") -> str:
        """Draw the body of the page as things are now."""
        shelf, documents = self.library.shelf, self.documents()
        corrections = self.library.corrections()
        state = shelf.state()
        desk = Desk(
            building=self.builder.state,
            outdated=is_outdated(shelf, documents),
            added=frozenset(a.source for a in state.added),
            removed=state.removed,
            corrections=corrections,
            lost=find_lost(documents, corrections),
            arrivals=arrivals,
            largest=self.library.largest,
        )
        body = draw_documents(show_corrected(documents, corrections), desk, one)
        return (draw_problem(problem) if problem else "") + body

    def keep(self, received: Path, name: str) -> Kept:
        """Read and keep a received file; a full disk is said as what it is."""
        return self.library.add(received, name, self.documents())


def _add_pages(app: FastAPI, desk: _Counter) -> None:
    @app.get("/documents")
    def show() -> Response:
        return _page(desk.draw())

    @app.get("/documents/one")
    def show_one(source: str = "") -> Response:
        if all(p.document.source != source for p in desk.documents()):
            return _page(
                draw_problem("没有这份资料，可能已被移除。 There is no such document; it may have been removed."), 404
            )
        return _page(desk.draw(one=source))

    @app.get("/documents/text")
    def show_text(source: str = "") -> Response:
        parsed = next((p for p in desk.documents() if p.document.source == source), None)
        if parsed is None:
            return PlainTextResponse("没有这份资料。 There is no such document.", status_code=404)
        return PlainTextResponse(show_extracted(parsed.document.text), headers={"cache-control": "no-store"})

    @app.get("/documents/state")
    def state() -> Response:
        return JSONResponse(desk.builder.state.to_json(), headers={"cache-control": "no-store"})


def _add_arrivals(app: FastAPI, desk: _Counter) -> None:
    @app.post("/documents/file")
    async def receive(request: Request, name: str = "") -> Response:
        """Take one file as the body; the index is built when the script says that all have come."""
        received = desk.library.receive()
        try:
            await _save(request.stream(), received, desk.library.largest, name)
            kept = await run_in_threadpool(desk.keep, received, name[:_LONGEST_NAME])
        except (AssistantError, StoreError) as problem:
            return say_problem(str(problem), 422)
        except ClientDisconnect:
            return say_problem("传输中断。 The transfer was broken off.")
        except OSError as problem:
            return say_problem(_say_system(problem), 507)
        finally:
            received.unlink(missing_ok=True)
        zh, en = _say_kept(kept)
        return JSONResponse({"zh": zh, "en": en})

    @app.post("/documents/files")
    async def receive_form(request: Request) -> Response:
        """Take the files of a plain form and show what became of each."""
        async with request.form(max_files=_MOST_FILES, max_fields=20) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
            arrivals = [await _arrive(desk, file) for file in files]
        if any(arrival.kept for arrival in arrivals):
            desk.builder.request()
        problem = "" if arrivals else "没有选择文件。 No file was chosen."
        return _page(desk.draw(arrivals=tuple(arrivals), problem=problem), 200 if arrivals else 400)

    @app.post("/documents/build")
    def build() -> Response:
        desk.builder.request()
        return _back("/documents")


async def _arrive(desk: _Counter, file: UploadFile) -> Arrival:
    name = (file.filename or "")[:_LONGEST_NAME]
    received = desk.library.receive()
    try:
        await _save(_pieces(file), received, desk.library.largest, name)
        kept = await run_in_threadpool(desk.keep, received, name)
    except (AssistantError, StoreError) as problem:
        return Arrival(name, str(problem), kept=False)
    except OSError as problem:
        return Arrival(name, _say_system(problem), kept=False)
    finally:
        received.unlink(missing_ok=True)
    return Arrival(name, "".join(_say_kept(kept)), kept=True)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_STEP):
        yield piece


async def _save(pieces: AsyncIterator[bytes], to: Path, largest: int, name: str) -> None:
    """Write a body to a file; one that is too large is heard to its end, so that the browser hears the answer."""
    size = 0
    with to.open("wb") as file:
        async for piece in pieces:
            size += len(piece)
            if size <= largest:
                file.write(piece)
    if size > largest:
        raise too_large(name.replace("\\", "/").rpartition("/")[2][:_LONGEST_NAME], largest)


def _say_kept(kept: Kept) -> tuple[str, str]:
    parsed = kept.parsed
    sections, sentences = len(parsed.sections), len(parsed.sentences)
    zh, en = f"已添加：{sections} 节，{sentences} 句。", f" Added: {sections} sections, {sentences} sentences."
    without = sum(1 for b in parsed.boilerplate if "no text, perhaps scanned" in parsed.document.text[b.start : b.end])
    if without:
        zh = f"{zh[:-1]}；有 {without} 页没有文字（可能是扫描页），未收入。"
        en = f"{en[:-1]}; {without} pages hold no text, perhaps they were scanned, and are not in it."
    return zh, en


def _say_system(problem: OSError) -> str:
    return f"操作系统报错：{problem.strerror}，文件没有保存，请检查磁盘空间。 The file was not kept: check the disk."


def _add_changes(app: FastAPI, desk: _Counter) -> None:
    library = desk.library

    async def change(act: Callable[[], None], to: str) -> Response:
        try:
            await run_in_threadpool(act)
        except (AssistantError, StoreError) as problem:
            return _page(await run_in_threadpool(desk.draw, problem=str(problem)), 400)
        except OSError as problem:
            return _page(await run_in_threadpool(desk.draw, problem=_say_system(problem)), 507)
        desk.builder.request()
        return _back(to)

    @app.post("/documents/remove")
    async def remove(request: Request) -> Response:
        source = (await read_form(request)).get("source", "")
        return await change(lambda: library.remove(source, desk.documents()), "/documents#pa-removed")

    @app.post("/documents/restore")
    async def restore(request: Request) -> Response:
        source = (await read_form(request)).get("source", "")
        return await change(lambda: library.restore(source), "/documents")

    @app.post("/documents/delete")
    async def delete(request: Request) -> Response:
        source = (await read_form(request)).get("source", "")
        return await change(lambda: library.delete(source), "/documents")

    @app.post("/documents/labels")
    async def label(request: Request) -> Response:
        form = await read_form(request)
        source, start = form.get("source", ""), form.get("start", "")
        wanted = Wanted(form.get("region", ""), form.get("year", ""), form.get("part", ""))
        place = int(start) if start.isascii() and start.isdigit() and len(start) < 12 else -1
        to = find_place(source, max(place, 0), alone=form.get("alone") == "1")
        act = None if form.get("reset") else wanted

        def correct() -> None:
            shown = show_corrected(desk.documents(), library.corrections())
            library.correct(source, place, act, shown)

        return await change(correct, to)

    @app.post("/documents/labels/drop")
    async def drop(request: Request) -> Response:
        form = await read_form(request)
        return await change(lambda: library.drop_lost(form.get("source", ""), form.get("after", "")), "/documents")


def _page(body: str, status: int = 200) -> Response:
    return HTMLResponse(draw_page("/documents", body), status_code=status, headers={"cache-control": "no-store"})


def _back(to: str) -> Response:
    return RedirectResponse(to, status_code=303)
