"""Settings in, findings about the installation, the index and the model out; each says what is wrong and what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from assistant.errors import AssistantError
from assistant.settings import Settings
from vectorstore.errors import StoreError

_ENGINE = "llama-cpp-python"
_PACKAGES = (_ENGINE, "chromadb", "langchain", "gradio", "bm25s", "rjieba", "opencc")
_FREE = 500 * 2**20  # bytes; an index of a few thousand pages and its successor


@dataclass(frozen=True, slots=True)
class Health:
    """One thing that was looked at."""

    healthy: bool
    text: str
    there: bool = True  # False: it is missing, and nothing needs it

    @property
    def mark(self) -> str:
        """One character in front of the text."""
        return ("✓" if self.there else "·") if self.healthy else "✗"


def examine(settings: Settings) -> Iterator[Health]:
    """Look at everything, one after the other; the next check runs also where one before it failed."""
    yield Health(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}")
    model = _try(_model, settings)
    served = bool(settings.llm_url) and model.healthy and not settings.embedder
    for package in _PACKAGES:
        yield _package(package, needed=not (served and package == _ENGINE))
    for look in (_disk, _index, _memory):
        yield _try(look, settings)
    yield model
    yield _try(_answer, settings)


def _package(name: str, *, needed: bool) -> Health:
    try:
        return Health(True, f"{name} {version(name)}")
    except PackageNotFoundError:
        if needed:
            return Health(False, f"{name}：没有安装，请运行 make serve。 Not installed: run make serve.")
        unneeded = f"{name}：没有安装；由模型服务器回答，不需要它。 Not installed, and not needed: a server answers."
        return Health(True, unneeded, there=False)


def _try(look: Callable[[Settings], str], settings: Settings) -> Health:
    try:
        return Health(True, look(settings))
    except (AssistantError, StoreError) as error:
        return Health(False, str(error))


def _disk(settings: Settings) -> str:
    place = next(p for p in (settings.data, *settings.data.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < _FREE:
        raise StoreError(f"磁盘只剩 {free // 2**20} MB：{place}，请清理。 Only {free // 2**20} MB free at {place}.")
    return f"磁盘可用 {free // 2**30} GB free"


def _index(settings: Settings) -> str:
    from vectorstore.embed import open_embedder
    from vectorstore.index import Index

    index = Index.open(settings.data, open_embedder(settings.embedder))
    try:
        facts = index.manifest
        return f"索引 index {facts.generation}：{facts.documents}份文件 documents，{facts.sentences}个句子 sentences"
    finally:
        index.close()


def _memory(settings: Settings) -> str:
    from assistant.llm.catalog import current_model
    from assistant.llm.memory import check_memory, say_memory

    if not settings.llm_url:
        check_memory(current_model(settings.data))
    return say_memory()


def _model(settings: Settings) -> str:
    from assistant.llm.catalog import current_model, verify_model

    if settings.llm_url:
        return _server(settings)
    spec = current_model(settings.data)
    verify_model(spec, home=settings.data)
    return f"模型 model {spec.name} {spec.quantization}：文件完整 file intact"


def _server(settings: Settings) -> str:
    from assistant.llm.catalog import Form
    from assistant.llm.remote import RemoteEngine
    from assistant.open import open_model

    spec, engine = open_model(settings)
    engine.close()
    told = f"模型服务器 model server {settings.llm_url}：{spec.name}，{spec.form.value}，{spec.context} tokens"
    if not isinstance(engine, RemoteEngine):
        return told
    if spec.form is Form.INSTRUCT:
        told += f"，语法 grammar {engine.address.kind}"
    others = ", ".join(engine.others[:8])
    return (
        f"{told}。还有 others: {others}(用 ASSISTANT_LLM_MODEL 选 chooses)"
        if others and not settings.llm_model
        else told
    )


def _answer(settings: Settings) -> str:
    """Ask the model itself one thing: that it loads and runs on this processor, or answers at its address."""
    from assistant.llm.catalog import Form
    from assistant.llm.template import apply_template
    from assistant.open import open_model

    spec, engine = open_model(settings)
    try:
        if spec.form is Form.READER:
            engine.score("有几个句子？", ["这里有一个句子。"])
        else:
            "".join(engine.generate(apply_template(spec.template or "chatml", "", "你好"), max_tokens=1))
    finally:
        engine.close()
    return f"模型能运行 the model runs: {spec.name}"
