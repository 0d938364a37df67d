"""The models on this machine and the one that answers -> another one in its place, without a restart.

The new one is started and has to answer once before the old one is let go; where it does not, nothing has changed, and a
sentence says why.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from assistant.errors import AssistantError, InputInvalid, ModelMissing, ModelUnusable
from assistant.llm.catalog import Form, ModelSpec, current_model, list_models, use_model
from assistant.llm.engine import Engine, LanguageModel
from assistant.llm.held import Held
from assistant.llm.memory import available_memory, needed_memory, suggest_smaller
from assistant.llm.offers import Offer, Use, find_offer, list_offers
from assistant.llm.remote import RemoteEngine
from assistant.llm.template import apply_template

_CRASHED = "程序内部出错，详情见终端。 An internal error, see the terminal."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A model whose file is on this machine."""

    spec: ModelSpec
    memory: int | None  # bytes that it needs; None where its file cannot be read
    fits: bool  # beside the one that runs
    answers: bool  # it is the one that runs
    offer: Offer | None  # what is known of it, where it is one that can be fetched


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that a page shows of the models."""

    answers: ModelSpec
    known: tuple[Known, ...]
    fetchable: tuple[tuple[Offer, bool], ...]  # those that are not here, and whether each would fit
    free: int  # bytes of memory
    next_start: str  # the model that answers after a restart
    server: str = ""  # where the one that answers runs, if not here
    served: tuple[str, ...] = ()  # what else that server has


@dataclass(frozen=True, slots=True)
class Change:
    """How far the last change of the model is."""

    name: str = ""  # of the model that is to answer; empty before the first
    running: bool = False
    problem: str = ""  # why it does not


Start = Callable[[ModelSpec], LanguageModel]


class Models:
    """Lists the models and changes the one that answers; every method may be called from any thread.

    Args:
        held: the model that answers.
        home: the data folder, where the choice is kept.
        server: the address of the server that answers in the place of the models here; empty where none does.
        may_change: whether those who use the page may change the model; all of them share it.
        ignore_memory: start a model also where it seems not to fit.
        start: begins to load a model, as ``start_engine`` does.
        free: gives the bytes of memory that can be had.
    """

    def __init__(
        self,
        held: Held,
        home: Path,
        start: Start,
        *,
        server: str = "",
        may_change: bool = True,
        ignore_memory: bool = False,
        free: Callable[[], int] = available_memory,
    ) -> None:
        self._held = held
        self._home = home
        self._start = start
        self._server = server
        self.may_change = may_change
        self._ignore_memory = ignore_memory
        self._free = free
        self._lock = threading.Lock()
        self._change = Change()
        self._thread: threading.Thread | None = None

    @property
    def change(self) -> Change:
        """How far the change under way is, or how the last one ended."""
        with self._lock:
            return self._change

    def list(self) -> Shelf:
        """Give what there is now; ``ModelUnusable`` where the user's choice cannot be read."""
        running, free = self._held.current, self._free()
        known = tuple(self._know(spec, running.spec, free) for spec in list_models(self._home))
        here = {one.spec.name for one in known}
        offers = [o for o in list_offers() if o.kind is Use.INSTRUCT and o.name not in here]
        served = running.engine.others if isinstance(running.engine, RemoteEngine) else ()
        return Shelf(
            answers=running.spec,
            known=known,
            fetchable=tuple((offer, offer.memory <= free) for offer in offers),
            free=free,
            next_start=running.spec.name if self._server else _name_next(self._home),
            server=self._server,
            served=served,
        )

    def begin(self, name: str) -> None:
        """Begin to change to a model of the list; the one that answers goes on until the new one has shown that it can.

        Raises:
            InputInvalid: nobody may, a server answers, the model answers already, or another change is under way.
            ModelMissing: there is no such model, or its file is gone.
            ModelUnusable: it does not fit into the memory.
        """
        if not self.may_change:
            raise InputInvalid(
                "在这个网页上不能换模型；启动时加 --allow-model-change 才可以。 The model cannot be changed on this page; it can be where "
                "it was started with --allow-model-change."
            )
        if self._server:
            raise InputInvalid(
                "现在由 ASSISTANT_LLM_URL 的服务器回答，换模型请在那里换。 The server of ASSISTANT_LLM_URL answers; change its model there."
            )
        running = self._held.current.spec
        one = next((o for o in self.list().known if o.spec.name == name), None)
        if one is None:
            raise ModelMissing(f"没有名为 {name[:80]} 的模型。 There is no model {name[:80]}.")
        if one.answers:
            raise InputInvalid(f"现在就由 {running.name} 回答。 {running.name} answers already.")
        self._check(one)
        with self._lock:
            if self._change.running:
                raise InputInvalid(
                    f"正在启动 {self._change.name}，请等它结束。 {self._change.name} is being started; wait for it."
                )
            self._change = Change(name, running=True)
            self._thread = threading.Thread(target=self._run, args=(one.spec,), name="model-change", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the change; whether it has come."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return not self.change.running

    def _know(self, spec: ModelSpec, running: ModelSpec, free: int) -> Known:
        memory = _weigh(spec)
        answers = not self._server and (spec.name, spec.sha256) == (running.name, running.sha256)
        # a reader is always let in, here as at the start: it takes less than the page itself
        spared = spec.form is Form.READER or self._ignore_memory
        fits = answers or (memory is not None and (memory <= free or spared))
        return Known(spec, memory, fits, answers, find_offer(spec.name))

    def _check(self, one: Known) -> None:
        """Refuse a model that cannot be had, and name one that can."""
        spec, need = one.spec, one.memory
        if need is None:
            raise ModelMissing(
                f"{spec.name} 的文件读不了：{spec.path}。请放回文件，或换别的模型。 The file of {spec.name} cannot be read: {spec.path}. "
                "Put it back, or choose another model."
            )
        if one.fits:
            return
        free, old = self._free(), _weigh(self._held.current.spec) or 0
        need_gb, free_gb = f"{need / 10**9:.1f} GB", f"{free / 10**9:.1f} GB"
        instead = self._suggest(free)
        if need <= free + old:
            raise ModelUnusable(
                f"{spec.name} 约需 {need_gb}，与正在回答的模型一起放不下（可用 {free_gb}）。请运行 assistant model use {spec.name} 后重启"
                f"网页，或换小一些的：{instead}。 {spec.name} needs about {need_gb} and does not fit beside the model that answers "
                f"({free_gb} are free); run `assistant model use {spec.name}` and start the page anew, or take a smaller one: {instead}."
            )
        raise ModelUnusable(
            f"内存不够：{spec.name} 约需 {need_gb}，可用 {free_gb}。请关掉别的程序，或换小一些的：{instead}。 {spec.name} needs about "
            f"{need_gb} of memory, {free_gb} are free; close other programs, or take a smaller one: {instead}."
        )

    def _suggest(self, free: int) -> str:
        """Name the largest model that fits: one that is here, or one to fetch."""
        here = [one for one in self.list().known if one.fits and one.memory is not None]
        writers = [one for one in here if one.spec.form is Form.INSTRUCT]
        offer = suggest_smaller(free)
        if not writers and offer is not None:
            return f"assistant model pull {offer.name}"
        largest = max(writers or here, key=lambda one: one.memory or 0, default=None)
        return largest.spec.name if largest else "assistant model list"

    def _run(self, spec: ModelSpec) -> None:
        problem = ""
        try:
            engine = self._start(spec)
            try:
                check_answering(spec, engine)
                use_model(self._home, spec.name)  # kept before it answers: a choice that cannot be kept is none
            except BaseException:
                engine.close()
                raise
            self._held.exchange(spec, engine)
        except AssistantError as error:
            problem = str(error)
        except OSError as error:
            problem = f"选择无法保存（{error.strerror}）。 The choice cannot be kept: {error.strerror}."
        except BaseException:
            problem = _CRASHED
            raise
        finally:
            with self._lock:
                self._change = replace(self._change, running=False, problem=problem)
            if problem:
                _LOG.warning("%s: %s", spec.name, problem)


def start_engine(spec: ModelSpec, *, threads: int | None, home: Path) -> LanguageModel:
    """Begin to load a model in a process of its own."""
    engine = Engine(spec, threads=threads, home=home)
    engine.start()
    return engine


def check_answering(spec: ModelSpec, engine: LanguageModel) -> None:
    """Let a model do once what it is for; raises the engine's errors where it cannot."""
    if spec.form is Form.READER:
        engine.score("这里写了什么？", ("这里写了一句话。",))
    else:
        prompt = replace(apply_template(spec.template or "", "", "你好"), fixed=0)  # not worth keeping its state
        for _ in engine.generate(prompt, max_tokens=1):
            pass


def _name_next(home: Path) -> str:
    try:
        return current_model(home).name
    except ModelMissing:
        return ""


def _weigh(spec: ModelSpec) -> int | None:
    """Bytes of memory that a model needs; ``None`` where its file cannot be read."""
    try:
        state = spec.path.stat()
        return _weigh_file(spec, state.st_size, state.st_mtime_ns)
    except (OSError, ModelUnusable):
        return None


@lru_cache(maxsize=64)
def _weigh_file(spec: ModelSpec, size: int, changed: int) -> int:
    """Read a header once: that of a large model holds a vocabulary of megabytes."""
    del size, changed  # only tell one state of the file from another
    return needed_memory(spec)
