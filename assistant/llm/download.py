"""an address -> a file on the disk, whole: resumed where it broke off, never half under its own name.

What has come lies in ``NAME.part``, with what the server said of it in ``NAME.part.json``; both stay after Ctrl-C or a lost
connection, and the next call goes on there. Only a file that is known to be the same is gone on with (``If-Range``).
Standard library only. The one module that fetches anything from another machine, and only where a person asked for it.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from assistant.errors import DownloadFailed

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte, until a connection counts as lost
TRIES = 6  # connections in a row that brought nothing
LONGEST_PAUSE = 30.0
_LOST = (OSError, http.client.HTTPException)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    done: int  # bytes on the disk
    total: int | None  # bytes in all; None where the server does not say
    rate: float  # bytes in a second, lately

    @property
    def left(self) -> float | None:
        """Seconds that it will still take at this rate."""
        return None if self.total is None or self.rate <= 0 else (self.total - self.done) / self.rate


@dataclass(frozen=True, slots=True)
class Known:
    """What the server said of the file that a part belongs to."""

    url: str
    mark: str = ""  # its ETag or, where it has none, when it was changed last
    total: int | None = None


class Changed(Exception):
    """The part on the disk belongs to another file than the server has now; it was thrown away."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    reserve: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch an address into ``target.part`` and give the part's path; the caller checks it and renames it.

    Args:
        url: http or https; redirects are followed, but never from https to http.
        target: the file's later place.
        size: bytes that the file has to have, where they are known.
        report: told how far it is, at most ten times a second.
        reserve: asked before anything is written, with the bytes that are still to come; may raise.
        pause: waits between two tries.

    Raises:
        DownloadFailed: the server does not have the file, has one of another size, or cannot be reached.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with _alone(part):
        fetch = _Fetch(url, part, size, _Meter(report), reserve)
        fruitless, furthest = 0, fetch.have()
        while True:
            try:
                if fetch.connect():
                    return part
                reason = "the connection ended before the file did"
            except Changed:
                reason = "the file changed on the server"
            except _LOST as error:
                reason = _explain(error)
            fruitless = 0 if fetch.have() > furthest else fruitless + 1
            furthest = max(furthest, fetch.have())
            if fruitless >= TRIES:
                raise _lost(url, part, reason)
            pause(min(LONGEST_PAUSE, 2.0**fruitless - 0.5))


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    lock = FileLock(part.with_name(part.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DownloadFailed(
            f"另一个进程正在下载 {part.name}。 Another process is fetching {part.name} already; wait for it."
        ) from error
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


class _Meter:
    """Tells how far it is, and how fast it went lately."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._marks: list[tuple[float, int]] = []

    def tell(self, done: int, total: int | None, *, now: bool = False) -> None:
        moment = time.monotonic()
        if self._marks and not now and moment - self._marks[-1][0] < 0.1:
            return
        self._marks = [*self._marks[-100:], (moment, done)]
        began, had = self._marks[0]
        span = moment - began
        self._report(Progress(done, total, (done - had) / span if span > 0 else 0.0))


class _Fetch:
    """One file on its way; ``connect`` may be called until it says that the file is whole."""

    def __init__(self, url: str, part: Path, size: int | None, meter: _Meter, reserve: Callable[[int], None]) -> None:
        self._url, self._part, self._size, self._meter, self._reserve = url, part, size, meter, reserve
        self._notes = part.with_name(part.name + ".json")
        self._opener = urllib.request.build_opener(_SafeRedirects)

    def have(self) -> int:
        """Bytes on the disk."""
        return self._part.stat().st_size if self._part.exists() else 0

    def connect(self) -> bool:
        """Ask for what is missing and write it down; whether the file is whole then."""
        known = self._known()
        if self.have() and (known is None or not known.mark):
            self._forget()  # nobody can say whether the rest would belong to it
        have = self.have()
        if have and have == (known.total if known else None):
            return self._check_size(have)
        try:
            with self._opener.open(self._request(have, known), timeout=TIMEOUT) as reply:
                return self._receive(reply, have, known)
        except urllib.error.HTTPError as error:
            return self._judge(error)

    def _request(self, have: int, known: Known | None) -> urllib.request.Request:
        request = urllib.request.Request(self._url, headers={"Accept-Encoding": "identity"})
        request.add_header("User-Agent", "policy-assistant")
        if have and known:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", known.mark)
        return request

    def _receive(self, reply: Any, have: int, known: Known | None) -> bool:
        headers: Message = reply.headers
        total = _total(reply.status, headers, have)
        if reply.status != 206 or _range_start(headers) != have:
            have = 0  # it sends the file from its beginning, because it changed or because it always does
        if total is not None and self._size is not None and total != self._size:
            raise self._wrong_size(total)
        self._reserve((total if total is not None else self._size or 0) - have)
        self._note(Known(self._url, _mark(headers), total))
        with self._part.open("r+b" if have else "wb") as file:
            file.seek(have)
            file.truncate()
            done = self._copy(reply, file, have, total)
        return done == total if total is not None else self._check_size(done)

    def _copy(self, reply: IO[bytes], file: BinaryIO, done: int, total: int | None) -> int:
        self._meter.tell(done, total)
        while chunk := reply.read(CHUNK if total is None else min(CHUNK, total - done)):
            _write(file, chunk)
            done += len(chunk)
            self._meter.tell(done, total)
        self._meter.tell(done, total, now=True)
        return done

    def _check_size(self, done: int) -> bool:
        if self._size is not None and done != self._size:
            self._forget()
            raise self._wrong_size(done)
        return True

    def _judge(self, error: urllib.error.HTTPError) -> bool:
        if error.code == 416:  # the part is longer than the file, or as long
            self._forget()
            raise Changed from error
        if error.code in _AGAIN:
            raise error
        raise DownloadFailed(
            f"服务器答复 {error.code}：{self._url}。请换一个 --source。 The server says {error.code} {error.reason} for "
            f"{self._url}; try another --source."
        ) from error

    def _known(self) -> Known | None:
        try:
            known = Known(**json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return known if known.url == self._url or known.mark.startswith('"') else None

    def _note(self, known: Known) -> None:
        facts = {"url": known.url, "mark": known.mark, "total": known.total}
        self._notes.write_text(json.dumps(facts), encoding="utf-8")

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _wrong_size(self, total: int) -> DownloadFailed:
        return DownloadFailed(
            f"服务器上的文件有 {total} 字节，应为 {self._size} 字节：{self._url}。请换一个 --source。 The server's file has {total} "
            f"bytes and should have {self._size}: {self._url}; try another --source."
        )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but leaves https for nothing else, and opens no local file."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Check where it leads first."""
        scheme, before = urlsplit(newurl).scheme, urlsplit(req.full_url).scheme
        if scheme not in ("http", "https") or (before == "https" and scheme == "http"):
            raise DownloadFailed(
                f"服务器转向了不安全的地址 {newurl}。 The server redirects to an unsafe address: {newurl}."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def remove_part(target: Path) -> None:
    """Throw away what has come of a file."""
    for suffix in (".part", ".part.json"):
        with suppress(FileNotFoundError):
            target.with_name(target.name + suffix).unlink()


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:  # a full disk is no lost connection: trying again does not help
        raise DownloadFailed(
            f"写不了文件({error.strerror})，请清理磁盘；已下载的部分已保留。 Cannot write the file: {error.strerror}; make room. "
            "What came is kept."
        ) from error


def _total(status: int, headers: Message, have: int) -> int | None:
    if status == 206:
        size = str(headers.get("Content-Range", "")).rpartition("/")[2]
        if size.isdigit():
            return int(size)
    length = str(headers.get("Content-Length", ""))
    return int(length) + (have if status == 206 else 0) if length.isdigit() else None


def _range_start(headers: Message) -> int | None:
    start = str(headers.get("Content-Range", "")).removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else None


def _mark(headers: Message) -> str:
    tag = str(headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(headers.get("Last-Modified", ""))


def _explain(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _lost(url: str, part: Path, reason: str) -> DownloadFailed:
    kept = part.stat().st_size if part.exists() else 0
    return DownloadFailed(
        f"连不上 {urlsplit(url).netloc}({reason})；已下载的 {kept >> 20} MB 已保留，再运行一次会接着下载，或换 --source。 "
        f"{urlsplit(url).netloc} cannot be reached ({reason}); the {kept >> 20} MB that came are kept: run it again to go on, "
        "or use another --source."
    )
