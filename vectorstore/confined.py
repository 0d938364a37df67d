"""One order on the command line -> the file read and parsed, as JSON on standard output: the process that may die of it.

Started by :mod:`vectorstore.confine` only. What a parser does not expect ends this process with a traceback; whoever started
it takes that as "damaged" and goes on. The limits are set when all is imported, so that they count what the file takes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vectorstore.codec import parsed_to_json
from vectorstore.errors import SourceUnreadable
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import ParsedDocument


def main() -> None:
    """Carry out the order in ``sys.argv[1]``."""
    order = json.loads(sys.argv[1])
    limit(order["memory"], order["seconds"], order["output"])
    answer = json.dumps(carry_out(order), ensure_ascii=False).encode("utf-8", "replace")
    with open(
        1, "wb", closefd=False
    ) as output:  # buffered, whatever was asked of Python: a short write is an error then
        output.write(answer)


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Read the file; ``problem`` says why it cannot be."""
    path, root = Path(order["path"]), order["root"]
    try:
        document = read_document(path, root=Path(root) if root else None)
    except SourceUnreadable as error:
        return {"problem": str(error)}
    return {"parsed": parsed_to_json(parse(document) if order["whole"] else ParsedDocument(document, (), (), ()))}


def limit(memory: int, seconds: int, output: int) -> None:
    """Bound this process: memory beyond what it has now, processor time, and what it writes; no core dump."""
    try:
        import resource
    except ImportError:  # Windows: only the time that the parent waits is bounded there
        return
    wanted = {
        resource.RLIMIT_AS: _address_space() + memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # At the lower limit of time the system says which one it was, at the upper one it only kills.
        above = min(allowed + 1, hard) if kind == resource.RLIMIT_CPU and hard >= 0 else allowed + 1
        resource.setrlimit(kind, (allowed, above if kind == resource.RLIMIT_CPU else allowed))


def _address_space() -> int:
    """Give the bytes of address space that the interpreter and its libraries have by now."""
    import resource

    statistics = Path("/proc/self/statm")
    if not statistics.exists():  # not Linux
        return 1 << 30
    return int(statistics.read_text().split()[0]) * resource.getpagesize()
