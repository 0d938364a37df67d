"""One order on the command line -> a new index, told as lines of JSON: the process in which the page builds.

Started by :mod:`assistant.library.background` only. It may be killed at any moment: the old index stays whole, and it ends by
itself when whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.environment import make_offline

make_offline()  # before anything that reads the environment is imported

from assistant.errors import AssistantError  # noqa: E402
from assistant.library.amend import amend_current, settle  # noqa: E402
from assistant.library.state import Shelf  # noqa: E402
from vectorstore.embed import open_embedder  # noqa: E402
from vectorstore.errors import IndexBusy, StoreError  # noqa: E402
from vectorstore.rebuild import rebuild  # noqa: E402
from vectorstore.types import ParsedDocument  # noqa: E402

_AGAIN = 1.0  # seconds until the next try where another process is building
_GENTLE = 10  # niceness: people who ask come first


class _Nothing(Exception):
    """Every document was removed; the index that there is stays, and nothing of it is shown."""


def main() -> None:
    """Carry out the order in ``sys.argv[1]``: ``{"data": folder, "embedder": name or null}``."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_GENTLE)
    order = json.loads(sys.argv[1])
    try:
        build(Path(order["data"]), order["embedder"])
    except (AssistantError, StoreError) as error:
        _tell({"problem": str(error)})
    except OSError as error:
        _tell({"problem": f"操作系统报错：{error.strerror}，请检查磁盘空间和权限。 The system says: {error.strerror}."})


def build(data: Path, embedder: str | None) -> None:
    """Build; waits where another process is building."""
    shelf = Shelf(data)

    def amend(documents: Sequence[ParsedDocument]) -> list[ParsedDocument]:
        amended = amend_current(shelf, documents)
        if not amended:
            raise _Nothing
        return amended

    while True:
        try:
            report = rebuild(amend, data=data, embedder=open_embedder(embedder), progress=_tell_progress)
        except _Nothing:
            _tell({"built": ""})
            return
        except IndexBusy:
            _tell({"stage": "wait", "done": 0, "total": 0})
            time.sleep(_AGAIN)
            continue
        settle(shelf, report.documents, anew=False)
        _tell({"built": report.manifest.generation})
        return


def _tell_progress(stage: str, done: int, total: int) -> None:
    _tell({"stage": stage, "done": done, "total": total})


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(0, 1024):  # ends when the other end of the pipe is closed, or its holder dies
        pass
    os._exit(1)
