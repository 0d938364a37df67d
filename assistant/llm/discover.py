"""an address -> what is served there: which program, which model, how it takes a grammar, how much it reads.

Addresses and names are taken as people write them; a server is asked until it makes sense or nothing is left to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import AssistantError, EngineCrashed, ModelMissing
from assistant.llm.catalog import LARGEST_CONTEXT
from assistant.llm.exchange import TRIES, Address, Kind, ask

_LLAMA_SERVER, _LLAMA_PYTHON = "llamacpp", "me"  # owner of the models of llama-server and of llama-cpp-python
_WRITES_NOTHING = re.compile(r"embed|rerank|\bbge-|whisper|\btts\b|\bclip\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Served:
    """A model behind an address."""

    address: Address  # with the right path, and its kind
    model: str  # as the server calls it
    context: int  # tokens
    count_path: str = ""  # where it counts tokens; empty where it does not
    others: tuple[str, ...] = ()  # models that it has besides


def discover(address: Address) -> Served:
    """Ask the server which model it has, what it is and how much it reads.

    Raises:
        AssistantError: it cannot be reached, refuses the key, or does not have the model.
    """
    address, models = _list_models(address)
    known = [str(model.get("id", "")) for model in models]
    name = _choose(address.model, known)
    model = next((m for m in models if m.get("id") == name), {})
    owner = str(model.get("owned_by", ""))
    kind = address.kind or _find_kind(address, owner)
    counts = {_LLAMA_SERVER: "../tokenize", _LLAMA_PYTHON: "../extras/tokenize/count"}
    return Served(
        address=replace(address, kind=kind),
        model=name,
        context=address.context or _find_context(address, kind, model),
        count_path=counts.get(owner, ""),
        others=tuple(other for other in known if other != name and not _WRITES_NOTHING.search(other)),
    )


def name_model(model: str) -> str:
    """What people call a model that a server names by the path of its file."""
    return re.split(r"[/\\]", model)[-1].removesuffix(".gguf") if model.endswith(".gguf") else model


def _list_models(address: Address) -> tuple[Address, list[dict[str, Any]]]:
    """The first of the possible addresses that lists models, and these."""
    first: AssistantError | None = None
    for url in _possible_urls(address.url):
        place = replace(address, url=url)
        try:
            listed = ask(place, "GET", "/models", tries=1 if first else TRIES).get("data")
        except (ModelMissing, EngineCrashed) as error:  # no such interface, or no answer in this protocol
            first = first or error
            if isinstance(error, EngineCrashed) and isinstance(error.__cause__, OSError):
                break
            continue
        if isinstance(listed, list):
            return place, [model for model in listed if isinstance(model, dict)]
    if address.model and isinstance(first, ModelMissing):
        return address, []  # a server without a list; it knows its model when it is asked
    raise first or ModelMissing(
        f"{address.url} 不是 OpenAI 协议的接口，请检查 ASSISTANT_LLM_URL(通常以 /v1 结尾)。 {address.url} does not speak OpenAI's "
        "protocol; check ASSISTANT_LLM_URL, which mostly ends with /v1."
    )


def _possible_urls(url: str) -> Iterator[str]:
    yield url
    parts = urlsplit(url)
    tried = {url}
    for path in (f"{parts.path}/v1", "/v1"):
        other = f"{parts.scheme}://{parts.netloc}{path}"
        if other not in tried and not re.search(r"/v\d+$", parts.path):
            tried.add(other)
            yield other


def _choose(wanted: str, known: list[str]) -> str:
    if not wanted:
        return (
            next((name for name in known if not _WRITES_NOTHING.search(name)), known[0] if known else "") or "default"
        )
    if not known or wanted in known:
        return wanted
    shorter = [name for name in known if wanted.lower() in _short_names(name)]
    if len(shorter) != 1:
        raise ModelMissing(
            f"服务器上没有模型 {wanted}，有：{'、'.join(known[:10])}。请用 ASSISTANT_LLM_MODEL 指定。 The server has no model {wanted}; "
            f"it has: {', '.join(known[:10])}. Name one with ASSISTANT_LLM_MODEL."
        )
    return shorter[0]


def _short_names(name: str) -> set[str]:
    """How else a model may be called: without its tag, its maker, or the path of its file."""
    last = name_model(name).rpartition("/")[2]
    return {short.lower() for short in (name, last, name.removesuffix(":latest"), last.removesuffix(":latest"))}


def _find_kind(address: Address, owner: str) -> Kind:
    if owner in (_LLAMA_SERVER, _LLAMA_PYTHON):
        return Kind.LLAMA
    if owner == "vllm":
        try:
            version = str(ask(address, "GET", "../version").get("version", ""))
            numbers = [int(part) for part in version.split(".")[:2]]
        except (AssistantError, ValueError):
            return Kind.VLLM
        return Kind.VLLM if numbers >= [0, 11] else Kind.VLLM_GUIDED
    with suppress(AssistantError):
        if "version" in ask(address, "GET", "../api/version"):
            return Kind.OLLAMA
    return Kind.PLAIN


def _find_context(address: Address, kind: Kind, model: dict[str, Any]) -> int:
    name, said = model.get("id"), model.get("max_model_len") or (model.get("meta") or {}).get("n_ctx")
    with suppress(AssistantError, AttributeError, TypeError):  # not there, or of another form
        if said is None and kind is Kind.LLAMA:
            said = (ask(address, "GET", "../props").get("default_generation_settings") or {}).get("n_ctx")
        elif said is None and kind is Kind.OLLAMA:  # only models that are loaded stand there
            running = ask(address, "GET", "../api/ps").get("models") or []
            said = next((m.get("context_length") for m in running if name in (m.get("name"), m.get("model"))), None)
        elif said is None and kind is Kind.PLAIN:  # LM Studio
            loaded = ask(address, "GET", "../api/v0/models").get("data") or []
            said = next((m.get("loaded_context_length") for m in loaded if m.get("id") == name), None)
    return said if isinstance(said, int) and said >= 256 else LARGEST_CONTEXT
