"""Statements or a model's drafts in, the checked text with its claims and citations out.

A line of an answer is one or more claims; each is checked against the sentences that it cites before it is written. Citations are
numbered in the order in which they are met, so every ``[n]`` of the text has exactly one citation, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.answering.framing import find_question
from assistant.answering.quote import choose_quote
from assistant.checking.check import Finding, check_claim
from assistant.checking.cite import Draft, neutralise
from assistant.finding.gate import THRESHOLD
from assistant.question.english import frame_quote, write_quantity
from assistant.question.weigh import Weighing
from assistant.reading.orders import drop_invisible, gives_orders
from assistant.reading.quantities import find_quantities
from assistant.types import Citation, Claim, Passage, Verdict
from vectorstore.types import Sentence


@dataclass(frozen=True, slots=True)
class _Words:
    """What a table says by itself."""

    header: str
    missing: str
    covered: str
    nearest: str  # before the nearest wording, which may not be what was asked for
    differing: str  # before several figures for one thing


_CHINESE = _Words(
    "| 对象 | 资料中的说法 |",
    "资料未提及",
    "{total}项中有{found}项在资料中有依据。",
    "下面是资料中最接近的一句，措辞与问题不尽相同，请对照原文判断。",
    "资料中对此的说法不一致，或各指不同的时间、范围，都列在下面，请对照原文判断。",
)
_ENGLISH = _Words(
    "| Subject | What the documents say |",
    "not mentioned",
    "{found} of {total} are covered by the documents.",
    "This is the nearest sentence; its words are not quite those of the question, so please compare it with the source.",
    "The documents differ on this, or speak of different times or scopes; all is below, please compare it with the source.",
)
_BEARS = 0.3  # share of the question that a model's sentence, or one that it cites, has to hold
_TITLED = Finding(Verdict.SUPPORTED, "it is the title of the document that is cited", "这是所引句子所在文件的标题")
_STANDS = (Verdict.SUPPORTED, Verdict.PARTIAL)


@dataclass(frozen=True, slots=True)
class Said:
    """One claim before it is numbered: its words, what it cites, and what the check found."""

    text: str
    cited: tuple[Sentence, ...]
    finding: Finding
    marked: bool = True  # a short answer shares the marker of the quote behind it


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer."""

    said: tuple[Said, ...]
    heading: str = ""  # what the line stands under: the frame that it shares with its neighbours, or its table row


@dataclass(frozen=True, slots=True)
class Written:
    """The text of an answer with its claims and citations."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


def say_statements(composition: Composition, titles: Mapping[str, str], *, english: bool = False) -> tuple[Line, ...]:
    """Check composed statements; one that does not hold is left out. Quotes stay Chinese in an English answer."""
    prose = composition.layout in (Layout.PROSE, Layout.NEAREST, Layout.DIFFERING)
    statements = _ask_once(composition.statements) if prose else composition.statements
    lines = (_line(statement, titles, framed=prose, english=english) for statement in statements)
    said = [line for line in lines if line is not None]
    if composition.layout is not Layout.TABLE:
        return tuple(said)
    rows = dict.fromkeys(line.heading for line in said)
    return tuple(Line(tuple(x for line in said if line.heading == row for x in line.said), row) for row in rows)


def _ask_once(statements: Sequence[Statement]) -> Iterator[Statement]:
    """A question of the document's own stands before the first sentence of its answer, and not before each."""
    shown = ""
    for statement in statements:
        repeated = statement.frame == shown and find_question(shown)
        yield replace(statement, frame="") if repeated else statement
        shown = statement.frame


def _line(statement: Statement, titles: Mapping[str, str], *, framed: bool, english: bool) -> Line | None:
    """Check a statement with its frame; under a heading that says the same the quote stands alone."""
    cited = (statement.sentence,)
    quoted = _said(f"{statement.frame}“{statement.quote}”", cited, titles)
    if quoted.finding.verdict is not Verdict.SUPPORTED:
        return None
    frame_shown = frame_quote(statement.sentence.labels, find_question(statement.frame)) if english else statement.frame
    quote = neutralise(drop_invisible(statement.quote))  # a marker that the document holds is none of ours
    said = [replace(quoted, text=f"{frame_shown if framed else ''}“{quote}”")]
    if statement.short:
        short = replace(_said(statement.short, cited, titles), marked=False)
        if short.finding.verdict is Verdict.SUPPORTED:
            said.insert(0, replace(short, text=write_quantity(short.text)) if english else short)
    elif statement.titled:
        title = titles.get(statement.sentence.source, statement.sentence.source).strip("《》")
        said.insert(0, Said(f"《{title}》", cited, _TITLED, marked=False))
    return Line(tuple(said), "" if framed else statement.row or frame_shown)


def _said(text: str, cited: tuple[Sentence, ...], titles: Mapping[str, str]) -> Said:
    return Said(text, cited, check_claim(text, cited, [titles.get(s.source, s.source) for s in cited]))


def say_drafts(
    drafts: Sequence[Draft],
    passages: Sequence[Passage],
    weighing: Weighing,
    titles: Mapping[str, str],
    counted: Sequence[str] = (),
) -> tuple[Line, ...]:
    """Check what a model wrote. A claim that fails is replaced by the exact quote of what it cites, or left out.

    A failed claim is never shown beside its citation: a reader who sees a number with a marker believes it. None is cited by force.
    """
    lines: list[Line] = []
    for draft in drafts:
        if not _bears_on(draft, weighing):
            continue
        said = _said(
            neutralise(drop_invisible(draft.text)).rstrip("。.;； "), tuple(p.sentence for p in draft.passages), titles
        )
        if said.finding.verdict is Verdict.UNCITED:
            said = _find_support(said, passages, titles)
            if said.finding.verdict is Verdict.UNCITED and not _is_harmless(said.text, weighing):
                continue
        elif said.finding.verdict not in _STANDS:
            replaced = _replace(draft, weighing, titles)
            if replaced is None:
                continue
            said = replaced
        else:
            said = _drop_idle(said, titles)
        told = said.text and _counts(said, weighing.only(counted))
        if told and all(said.text != other.said[0].text for other in lines):
            lines.append(Line((said,)))
    return tuple(lines)


def _bears_on(draft: Draft, weighing: Weighing) -> bool:
    """Whether a sentence, or one that it cites, speaks of what was asked; a question of the model's own claims nothing."""
    texts = (draft.text, *(p.sentence.plain for p in draft.passages))
    return not draft.text.endswith(("？", "?")) and (not draft.passages or max(map(weighing.coverage, texts)) >= _BEARS)


def _counts(said: Said, counted: Weighing) -> bool:
    """Whether a sentence, or one that it still cites, speaks of the thing that was to be counted: that both are 新增 is not enough."""
    texts = (said.text, *(sentence.plain for sentence in said.cited))
    return not counted.terms or not said.cited or max(map(counted.coverage, texts)) >= _BEARS


def _is_harmless(text: str, weighing: Weighing) -> bool:
    """Whether a sentence that nothing supports may stand, marked so: it speaks of what was asked, gives no figure and no order."""
    return weighing.coverage(text) > 0 and not find_quantities(text) and not gives_orders(text)


def _drop_idle(said: Said, titles: Mapping[str, str]) -> Said:
    """Cite only what is needed: a sentence without which the claim holds just as well is no evidence for it."""
    for sentence in said.cited[::-1]:
        rest = tuple(s for s in said.cited if s != sentence)
        if rest and (tried := _said(said.text, rest, titles)).finding.verdict is said.finding.verdict:
            said = tried
    return said


def _find_support(said: Said, passages: Sequence[Passage], titles: Mapping[str, str]) -> Said:
    """Cite a sentence that fully supports what the model wrote without a marker, if there is one."""
    for passage in passages:
        tried = _said(said.text, (passage.sentence,), titles)
        if tried.finding.verdict is Verdict.SUPPORTED:
            return tried
    return said


def _replace(draft: Draft, weighing: Weighing, titles: Mapping[str, str]) -> Said | None:
    best = max(draft.passages, key=lambda p: p.coverage, default=None)
    if best is None or best.coverage < THRESHOLD:  # a quote that says nothing of what was asked is no answer either
        return None
    quote = choose_quote(best.sentence, weighing)
    said = _said(f"{frame(best.sentence)}“{quote}”", (best.sentence,), titles)
    return said if said.finding.verdict is Verdict.SUPPORTED else None


def holds_anything(lines: Sequence[Line]) -> bool:
    """Whether at least one claim stands in what it cites."""
    return any(said.finding.verdict in _STANDS for line in lines for said in line.said)


def write(
    lines: Sequence[Line],
    titles: Mapping[str, str],
    layout: Layout,
    empty_rows: Sequence[str] = (),
    *,
    english: bool = False,
) -> Written:
    """Number the citations and put the text together."""
    numbers: dict[str, int] = {}
    citations: list[Citation] = []
    claims: list[Claim] = []
    texts: list[str] = []
    for line in lines:
        text = ""
        for said in line.said:
            cited = []
            for sentence in said.cited:
                if sentence.id not in numbers:
                    numbers[sentence.id] = len(numbers) + 1
                    title = titles.get(sentence.source, sentence.source)
                    citations.append(Citation(numbers[sentence.id], sentence, title))
                cited.append(numbers[sentence.id])
            finding = said.finding
            claims.append(Claim(said.text, finding.verdict, finding.reason, tuple(cited), finding.reason_zh))
            text += said.text + ("".join(f"[{n}]" for n in cited) if said.marked else "") + _stop(said.text)
        texts.append(text)
    return Written(
        _lay_out(lines, texts, layout, empty_rows, _ENGLISH if english else _CHINESE), tuple(claims), tuple(citations)
    )


def _stop(text: str) -> str:
    return "" if text.endswith(("。", "！", "？", "!", "?")) else "。"


def _lay_out(
    lines: Sequence[Line], texts: Sequence[str], layout: Layout, empty_rows: Sequence[str], words: _Words
) -> str:
    if layout is Layout.TABLE:
        return _table(lines, texts, empty_rows, words)
    if layout is Layout.PROSE:
        return "".join(texts)
    if layout in (Layout.NEAREST, Layout.DIFFERING):
        return "\n".join([words.nearest if layout is Layout.NEAREST else words.differing, *texts])
    if len(texts) == 1:
        return f"{lines[0].heading}{texts[0]}"
    out: list[str] = []
    for position, (line, text) in enumerate(zip(lines, texts, strict=True)):
        if line.heading and (position == 0 or lines[position - 1].heading != line.heading):
            out += ([""] if out else []) + [line.heading]
        out.append(f"- {text}")
    return "\n".join(out)


def _table(lines: Sequence[Line], texts: Sequence[str], empty_rows: Sequence[str], words: _Words) -> str:
    rows = [f"| {line.heading} | {text.replace('|', '／')} |" for line, text in zip(lines, texts, strict=True)]
    rows += [f"| {row} | {words.missing} |" for row in empty_rows]
    table = "\n".join([words.header, "| --- | --- |", *rows])
    return f"{table}\n\n{words.covered.format(total=len(rows), found=len(lines))}"
