"""The first bytes of a file -> what it really is, whatever its name says; a name that says otherwise is refused."""

from __future__ import annotations

import re

from vectorstore.errors import SourceUnreadable
from vectorstore.types import Media

MEDIA = {
    ".txt": Media.TEXT,
    ".md": Media.MARKDOWN,
    ".html": Media.HTML,
    ".htm": Media.HTML,
    ".pdf": Media.PDF,
    ".docx": Media.DOCX,
}
EXTRACTED = frozenset({Media.PDF, Media.DOCX})  # their text has to be taken out of a file format first

_SUFFIXES = {Media.PDF: ".pdf", Media.DOCX: ".docx", Media.HTML: ".html"}
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Word before 2007, and anything of Office under a password
_PASSWORD = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_OTHERS = (
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3", "SQLite"),
)


def check_kind(data: bytes, media: Media, name: str) -> None:
    """Refuse a file that is not what its name says.

    Raises:
        SourceUnreadable: it is of another type, of one that cannot be read, or under a password.
    """
    if data.startswith(_COMPOUND):
        raise _password(name) if _PASSWORD in data else _other(name, "Word 97–2003")
    for magic, kind in _OTHERS:
        if data.startswith(magic):
            raise _other(name, kind)
    found = _recognise(data)
    if found is media or (found is None and media not in EXTRACTED):
        return
    if found is None:
        raise SourceUnreadable(
            f"{name}：内容不是 {media.value.upper()}，请核对文件类型，或重新导出。 "
            f"It is no {media.value.upper()} file: check its type, or export it again."
        )
    if found is Media.HTML and media is Media.MARKDOWN:
        return  # Markdown may begin with HTML
    raise SourceUnreadable(
        f"{name}：内容其实是 {found.value.upper()}，请把扩展名改为 {_SUFFIXES[found]}。 "
        f"Its content is {found.value.upper()}: give it the extension {_SUFFIXES[found]}."
    )


def _recognise(data: bytes) -> Media | None:
    if b"%PDF-" in data[:1024]:
        return Media.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Media.DOCX  # or another zip: reading it tells
    return Media.HTML if _HTML.match(data.removeprefix(b"\xef\xbb\xbf")[:1024]) else None


def _password(name: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{name}：有密码保护，请去掉密码后再添加。 It is protected by a password: remove that and add it again."
    )


def _other(name: str, kind: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{name}：是 {kind} 文件，请另存为 {'、'.join(MEDIA)} 之一。 "
        f"It is a {kind} file: save it as one of {' '.join(MEDIA)}."
    )
