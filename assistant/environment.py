"""The process environment in, the same without anything that phones home out; called before any other import.

The libraries underneath read their environment when they are imported, and some of what a shell may hold would send
questions and documents to other machines (tracing), open the page to others, or replace the local store by a server.
Standard library only, so that nothing is imported before it has run.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_SET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    # With each event, Gradio sums up all events of before in a table, for a page that we do not show: never, and of one.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "OTEL_SDK_DISABLED": "true",
    "TRANSFORMERS_OFFLINE": "1",
}

# Anything under these names would change what our own code asks of the library: trace to a server, share the page,
# serve more folders, talk to a remote store.
_REMOVED = ("CHROMA_", "GRADIO_", "LANGCHAIN_", "LANGGRAPH_", "LANGSMITH_", "OTEL_")
_KEPT = frozenset({"GRADIO_TEMP_DIR"})  # where uploads lie: a choice of this machine, not of a remote one

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def make_offline(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make an environment safe, in place. Calling it again changes nothing."""
    for name in [n for n in environment if n.upper().startswith(_REMOVED) and n.upper() not in _KEPT]:
        del environment[name]
    environment.update(_SET)
    # Threads that wait for work by spinning make everything several times slower where cores are shared.
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    _reach_ourselves_directly(environment)


def _reach_ourselves_directly(environment: MutableMapping[str, str]) -> None:
    """Keep requests to this machine away from a proxy; a proxy itself stays, downloads that a person asks for need it."""
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [host.strip() for host in environment.get(name, "").split(",") if host.strip()]
        if "*" not in hosts:
            hosts += [host for host in _LOOPBACK if host not in hosts]
            environment[name] = ",".join(hosts)
