"""Where the page is to listen and by which names it may be called -> an open port, or why not."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from assistant.errors import InputInvalid

HOSTS = ("127.0.0.1", "localhost", "testserver")  # the last is what a client without a network says


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the page listens, by which names it may be called, and which proxies are believed."""

    host: str = "127.0.0.1"
    port: int = 7860
    names: tuple[str, ...] = ()  # of hosts, besides those of this machine
    proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For and -Proto count; nobody's otherwise

    @property
    def local(self) -> bool:
        """Whether only this machine can open the page."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host) == ipaddress.ip_address("127.0.0.1")
        except ValueError:
            return False

    def allows(self, host: str) -> bool:
        """Whether a request may call the page by this name.

        A foreign page can make a name of its own lead to this machine, but never an address: where others may open the
        page at all, every address will do, as a container does not know those of its machine.
        """
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if name.lower() in (*HOSTS, *(each.lower() for each in self.names)):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return not self.local


def check_reach(reach: Reach, *, login: bool) -> str | None:
    """Refuse an address that others can reach where nobody has to log in; give a warning where it is open to them."""
    for proxy in reach.proxies:
        _check_proxy(proxy)
    if reach.local:
        return None
    if not login:
        raise InputInvalid(
            f"{reach.host} 不只本机能打开，需要登录：先运行 assistant user add NAME --auth-file FILE，再加 --auth-file FILE；"
            f"或用 --host 127.0.0.1。 Others can reach {reach.host}, so a login is needed: run `assistant user add NAME "
            "--auth-file FILE` and add --auth-file FILE, or use --host 127.0.0.1."
        )
    return (
        "注意：网页没有加密 (TLS)，同一网络里的人能读到密码和对话。请在前面放一个反向代理 (docs/login.md)，或只在可信的网络里使用。"
        " Warning: the page is not encrypted (TLS), so people in the same network can read passwords and conversations. Put a "
        "reverse proxy before it (docs/login.md), or use it in a network that you trust."
    )


def _check_proxy(address: str) -> None:
    try:
        ipaddress.ip_network(address)
    except ValueError as problem:
        raise InputInvalid(
            f"--trusted-proxy {address} 不是地址；应为 127.0.0.1 或 10.0.0.0/24 这样的写法。 "
            f"--trusted-proxy {address} is no address; write it like 127.0.0.1 or 10.0.0.0/24."
        ) from problem


def open_port(host: str, port: int) -> socket.socket:
    """Open a listening socket, or give ``InputInvalid`` that names a free port nearby."""
    if not 0 <= port <= 65535:
        raise InputInvalid(f"端口 {port} 不存在，请用 1 到 65535。 There is no port {port}; use 1 to 65535.")
    try:
        return _listen(host, port)
    except socket.gaierror as problem:
        raise InputInvalid(f"没有 {host} 这个地址。 There is no address {host}.") from problem
    except OSError as problem:
        if problem.errno == errno.EADDRNOTAVAIL:
            raise InputInvalid(
                f"{host} 不是本机的地址；所有地址用 --host 0.0.0.0。 {host} is no address of this machine; "
                "--host 0.0.0.0 stands for all."
            ) from problem
        if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        free = next((p for p in range(max(port, 1023) + 1, min(port + 200, 65536)) if _is_free(host, p)), 0)
        raise InputInvalid(
            f"端口 {port} 已被占用；请改用空闲端口：--port {free}。 Port {port} is taken; use --port {free}."
        ) from problem


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _is_free(host: str, port: int) -> bool:
    try:
        _listen(host, port).close()
    except OSError:
        return False
    return True
