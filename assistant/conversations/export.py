"""A kept conversation in; Markdown, one self-contained HTML file or a Word document out.

All three hold the same: each question, the answer with its markers, the verdict of every claim, the quoted sentences as
footnotes with their place (``source#start-end``), and what the answer was made with: model, index, corpus checksum.
Text from documents, questions and models is text in each form: no link, image, heading or formula comes out of it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape as escape_xml

from assistant.conversations.history import KeptTalk, KeptTurn
from assistant.types import Answer, Citation
from assistant.view.text import Links, clean, draw_text, escape
from assistant.view.words import REFUSALS, VERDICTS, name_labels

MEDIA = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|!~$&])")
_AT_LINE_START = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.MULTILINE)
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp|www)([:.])")
_MARKER = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Note:
    """A quoted sentence of an answer and where it stands."""

    name: str  # unique in the conversation: 2-1
    n: int
    quote: str
    place: str  # source#start-end
    about: str  # title and labels


def export(talk: KeptTalk, form: str) -> bytes:
    """Give the file; ``form`` is a key of ``MEDIA``."""
    return {"md": _to_markdown, "html": _to_html, "docx": _to_word}[form](talk)


def list_notes(turn: KeptTurn) -> tuple[Note, ...]:
    """Give the quoted sentences of an answer; of a refusal the nearest ones."""
    if turn.answer is None:
        return ()
    citations = turn.answer.citations or turn.answer.nearest
    return tuple(Note(f"{turn.turn}-{c.n}", c.n, c.sentence.quote, c.sentence.id, _say_about(c)) for c in citations)


def _say_about(citation: Citation) -> str:
    labels = " · ".join(name_labels(citation.sentence.labels))
    return f"{citation.title}（{labels}）" if labels else citation.title


def _say_made(answer: Answer) -> str:
    return (
        f"模型 model {answer.model.name} {answer.model.quantization} · 模型校验 sha256 {answer.model.sha256[:16]} · "
        f"索引 index {answer.index.generation} · 资料校验 corpus sha256 {answer.index.corpus_sha256}"
    )


def _say_state(turn: KeptTurn) -> str:
    """Say what a reader must know before the answer: that it is a refusal, was stopped, or never came."""
    if turn.answer is None:
        return turn.error or "没有回答 no answer"
    if turn.answer.refusal is not None:
        words = REFUSALS[turn.answer.refusal]
        return f"⊘ 未作回答：{words.zh} Not answered: {words.en}"
    return "■ 已停止 stopped" if turn.answer.stopped else ""


def _say_verdicts(answer: Answer) -> Iterator[str]:
    for claim in answer.claims:
        words = VERDICTS[claim.verdict]
        yield f"{words.sign} {words.zh} {words.en}：{claim.text}"


def _say_head(talk: KeptTalk) -> str:
    return f"{talk.created:%Y-%m-%d %H:%M} UTC · {len(talk.turns)} 个问题 questions · 政策文件助手 Policy assistant"


# Markdown


def _to_markdown(talk: KeptTalk) -> bytes:
    parts = [f"# {_mask(talk.title)}", f"*{_mask(_say_head(talk))}*"]
    for turn in talk.turns:
        parts.append(f"## {turn.turn}. {_mask(' '.join(turn.asked.split()))}")
        if state := _say_state(turn):
            parts.append(f"**{_mask(state)}**")
        if turn.answer is not None:
            parts.append(_mark_answer(turn, turn.answer))
            parts += ["\n".join(f"- {_mask(line)}" for line in _say_verdicts(turn.answer))]
            parts += [f"*{_mask(_say_made(turn.answer))}*"]
        parts += [
            f"[^{note.name}]: “{_mask(_flatten(note.quote))}” — {_mask(note.about)} — {_mask(note.place)}"
            for note in list_notes(turn)
        ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8")


def _mark_answer(turn: KeptTurn, answer: Answer) -> str:
    known = {citation.n for citation in answer.citations}
    pieces, position = [], 0
    for marker in _MARKER.finditer(answer.text):
        pieces.append(_mask(answer.text[position : marker.start()], keep_forms=True))
        n = int(marker[1])
        pieces.append(f"[^{turn.turn}-{n}]" if n in known else rf"\[{n}\]")
        position = marker.end()
    pieces.append(_mask(answer.text[position:], keep_forms=True))
    text = "".join(pieces)
    near = "".join(f"[^{note.name}]" for note in list_notes(turn)) if answer.refused else ""
    return text + near


def _mask(text: str, *, keep_forms: bool = False) -> str:
    """Make text harmless in Markdown; an answer's own headings, lists, tables and bold may be kept as such."""
    if keep_forms:
        text = re.sub(r"([\\`_{}\[\]<>!~$&])", r"\\\1", clean(text))
    else:
        text = _AT_LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", clean(text)))
    return _LINK.sub(r"\1\\\2", text)  # else an address becomes a link by itself


def _flatten(text: str) -> str:
    return " ".join(text.split())


# HTML

_STYLE = (
    "body{font:16px/1.75 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif;max-width:46rem;"
    "margin:2rem auto;padding:0 1rem;color:#1d2421;background:#fff;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2.2rem;padding-top:1rem;border-top:1px solid #dcdfdb}"
    "h3{font-size:1rem}.meta,.made{color:#55605a;font-size:.8rem}.state{background:#fbf4e0;padding:.4rem .8rem}"
    ".verdicts{list-style:none;padding:0;color:#55605a;font-size:.85rem}.notes{font-size:.9rem;padding-left:1.6rem}"
    ".notes :target,.notes li:target{background:#fff0b8}.place{color:#55605a;font-size:.8rem}q{quotes:none}"
    "a{color:#17614a}.pa-item{padding-left:1rem}table{border-collapse:collapse}td,th{border:1px solid #dcdfdb;"
    "padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{color:#e4e9e6;background:#191d1b}a{color:#7fcdb0}.state{background:#2d2818}"
    ".meta,.made,.place,.verdicts{color:#a3aea8}.notes li:target{background:#5a4a10}td,th,h2{border-color:#323936}}"
)


def _to_html(talk: KeptTalk) -> bytes:
    turns = "".join(_draw_turn(turn) for turn in talk.turns)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(talk.title)}</title><style>{_STYLE}</style></head><body><h1>{escape(talk.title)}</h1>"
        f'<p class="meta">{escape(_say_head(talk))}</p>{turns}</body></html>\n'
    ).encode()


def _draw_turn(turn: KeptTurn) -> str:
    head = f"<h2>{turn.turn}. {escape(_flatten(turn.asked))}</h2>"
    state = _say_state(turn)
    head += f'<p class="state">{escape(state)}</p>' if state else ""
    if turn.answer is None:
        return f"<section>{head}</section>"
    links = Links({c.n: c for c in turn.answer.citations}, {n.n: f"n-{n.name}" for n in list_notes(turn)}, turn.turn)
    verdicts = "".join(f"<li>{escape(line)}</li>" for line in _say_verdicts(turn.answer))
    notes = "".join(
        f'<li id="n-{note.name}" value="{note.n}"><q>“{escape(note.quote)}”</q> '
        f'<span class="place">{escape(note.about)} · {escape(note.place)}</span></li>'
        for note in list_notes(turn)
    )
    return (
        f"<section>{head}{draw_text(turn.answer.text, (), links)}"
        f'<ul class="verdicts">{verdicts}</ul><ol class="notes">{notes}</ol>'
        f'<p class="made">{escape(_say_made(turn.answer))}</p></section>'
    )


# Word: the few parts that a document needs, see ECMA-376 part 1

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PARTS = ("document", "styles", "footnotes")
_FIRST_NOTE = 1  # -1 and 0 are the separators that Word asks for


def _to_word(talk: KeptTalk) -> bytes:
    notes = {note.name: i for i, note in enumerate((n for t in talk.turns for n in list_notes(t)), _FIRST_NOTE)}
    body = _paragraph(_run(talk.title), "Title") + _paragraph(_run(_say_head(talk)), "Small")
    body += "".join(_write_turn(turn, notes) for turn in talk.turns)
    page = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1440" w:bottom="1440" '
    page += 'w:left="1440" w:header="720" w:footer="720" w:gutter="0"/></w:sectPr>'
    parts = {
        "[Content_Types].xml": _write_types(),
        "_rels/.rels": _write_relations({"rId1": ("officeDocument", "word/document.xml")}),
        "word/_rels/document.xml.rels": _write_relations(
            {"rId1": ("styles", "styles.xml"), "rId2": ("footnotes", "footnotes.xml")}
        ),
        "word/document.xml": f'{_XML}<w:document xmlns:w="{_W}"><w:body>{body}{page}</w:body></w:document>',
        "word/styles.xml": _write_styles(),
        "word/footnotes.xml": _write_footnotes(talk, notes),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text.encode("utf-8"))
    return packed.getvalue()


def _write_types() -> str:
    kinds = {"document": "document.main", "styles": "styles", "footnotes": "footnotes"}
    overrides = "".join(
        f'<Override PartName="/word/{part}.xml" ContentType="{_WORD}.{kinds[part]}+xml"/>' for part in _PARTS
    )
    return (
        f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _write_relations(relations: dict[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{name}" Type="{_R}/{kind}" Target="{target}"/>'
        for name, (kind, target) in relations.items()
    )
    return f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def _write_styles() -> str:
    def style(name: str, size: int, more: str = "", spacing: str = "") -> str:
        return (
            f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/>'
            f'<w:pPr>{spacing}</w:pPr><w:rPr>{more}<w:sz w:val="{size}"/></w:rPr></w:style>'
        )

    fonts = '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Microsoft YaHei"/>'
    before = '<w:spacing w:before="360" w:after="80"/>'
    grey = '<w:color w:val="55605A"/>'
    return (
        f'{_XML}<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>{fonts}<w:sz w:val="21"/>'
        '<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
        '<w:spacing w:after="120" w:line="300" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
        f"{style('Title', 32, '<w:b/>')}{style('Question', 24, '<w:b/>', before)}"
        f"{style('Small', 17, grey)}{style('State', 21, '<w:b/>')}"
        '<w:style w:type="character" w:styleId="Mark"><w:name w:val="footnote reference"/><w:rPr>'
        '<w:vertAlign w:val="superscript"/></w:rPr></w:style></w:styles>'
    )


def _write_footnotes(talk: KeptTalk, numbers: dict[str, int]) -> str:
    separators = "".join(
        f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{mark}/></w:r></w:p></w:footnote>'
        for kind, number, mark in (
            ("separator", -1, "separator"),
            ("continuationSeparator", 0, "continuationSeparator"),
        )
    )
    sign = '<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:footnoteRef/></w:r>'
    rows = "".join(
        f'<w:footnote w:id="{numbers[note.name]}">'
        + _paragraph(sign + _run(f" “{_flatten(note.quote)}” {note.about} · {note.place}"), "Small")
        + "</w:footnote>"
        for turn in talk.turns
        for note in list_notes(turn)
    )
    return f'{_XML}<w:footnotes xmlns:w="{_W}">{separators}{rows}</w:footnotes>'


def _write_turn(turn: KeptTurn, numbers: dict[str, int]) -> str:
    parts = [_paragraph(_run(f"{turn.turn}. {_flatten(turn.asked)}"), "Question")]
    if state := _say_state(turn):
        parts.append(_paragraph(_run(state), "State"))
    if turn.answer is None:
        return "".join(parts)
    cited: set[int] = set()
    lines = filter(str.strip, turn.answer.text.split("\n"))
    parts += [_paragraph(_write_line(line, turn, numbers, cited)) for line in lines]
    rest = [note for note in list_notes(turn) if note.n not in cited]
    if rest:
        parts.append(_paragraph("".join(_write_mark(numbers[note.name]) for note in rest)))
    parts += [_paragraph(_run(line), "Small") for line in _say_verdicts(turn.answer)]
    return "".join([*parts, _paragraph(_run(_say_made(turn.answer)), "Small")])


def _write_line(line: str, turn: KeptTurn, numbers: dict[str, int], cited: set[int]) -> str:
    runs, position = [], 0
    known = turn.answer is not None and not turn.answer.refused
    for marker in _MARKER.finditer(line):
        name = f"{turn.turn}-{int(marker[1])}"
        if not known or name not in numbers or int(marker[1]) in cited:
            continue  # Word numbers its footnotes itself; a second mark of the same sentence stays as it is written
        cited.add(int(marker[1]))
        runs += [_run(line[position : marker.end()]), _write_mark(numbers[name])]
        position = marker.end()
    return "".join([*runs, _run(line[position:])])


def _write_mark(number: int) -> str:
    return f'<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:footnoteReference w:id="{number}"/></w:r>'


def _run(text: str) -> str:
    plain = "".join(c for c in clean(text) if c in "\t\n" or c >= " ").replace("\ufffe", "").replace("\uffff", "")
    return f'<w:r><w:t xml:space="preserve">{escape_xml(plain)}</w:t></w:r>' if plain else ""


def _paragraph(runs: str, style: str = "") -> str:
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}{runs}</w:p>"
