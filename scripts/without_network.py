"""A command in, the same run without any network and in a hostile environment: ``without_network.py COMMAND ...``.

Linux only: a new network namespace has no way out, not even to a name server, and a loopback that is switched on here.
The environment asks for everything that would send something elsewhere; the program has to work and stay silent.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys

_NOWHERE = "http://192.0.2.1:9"  # an address that documentation may use and nobody has (RFC 5737)

HOSTILE = {
    "ALL_PROXY": _NOWHERE,
    "ANONYMIZED_TELEMETRY": "True",
    "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
    "CHROMA_OTEL_COLLECTION_ENDPOINT": _NOWHERE,
    "CHROMA_OTEL_GRANULARITY": "all",
    "CHROMA_SERVER_HOST": "192.0.2.1",
    "GRADIO_ALLOWED_PATHS": "/",
    "GRADIO_ANALYTICS_ENABLED": "True",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_SHARE": "True",
    "HF_HUB_OFFLINE": "0",
    "HTTPS_PROXY": _NOWHERE,
    "HTTP_PROXY": _NOWHERE,
    "LANGCHAIN_API_KEY": "not-a-key",
    "LANGCHAIN_ENDPOINT": _NOWHERE,
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "not-a-key",
    "LANGSMITH_ENDPOINT": _NOWHERE,
    "LANGSMITH_TRACING": "true",
    "TRANSFORMERS_OFFLINE": "0",
    "all_proxy": _NOWHERE,
    "http_proxy": _NOWHERE,
    "https_proxy": _NOWHERE,
}

_INSIDE = "--inside"  # how this script calls itself in the namespace
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def main(arguments: list[str]) -> int:
    """Run the command; gives its exit status, or 1 where this machine cannot take the network away."""
    if arguments[:1] == [_INSIDE]:
        switch_on_loopback()
        os.environ.update(HOSTILE)
        os.execvp(arguments[1], arguments[1:])
    way = find_way_in()
    if way is None:
        sys.stderr.write("This machine cannot run a command without a network: `unshare -n true` has to work.\n")
        return 1
    return subprocess.run([*way, sys.executable, __file__, _INSIDE, *arguments], check=False).returncode


def find_way_in() -> list[str] | None:
    """Give the command that makes a network namespace here: as root, or as a user of its own; None where none does."""
    if shutil.which("unshare") is None:
        return None
    ways = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])
    return next((way for way in ways if subprocess.run([*way, "true"], capture_output=True).returncode == 0), None)


def switch_on_loopback() -> None:
    """Bring the loopback of the new namespace up; it is there, but down."""
    import fcntl  # only Linux gets here, and the rest of this module can be imported anywhere

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        flags = struct.unpack("16sh", fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))[1]
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
