"""A claim and the sentences that it cites in, a verdict with its reason out; no judge model.

What is checked, in this order; the first that fails decides:

1. words in quotation marks stand in a cited sentence, character by character;
2. every number (with its unit), year and date stands in a cited sentence, next to words that the claim has too;
   a year may also come from the sentence's label;
3. every number is said of the place, the year and the item of a list that the sentence says it of;
4. every place stands in a cited sentence or is its label;
5. nothing is turned round: no negation on one side only, no word facing its opposite;
6. enough of the claim's telling words stand in the cited sentences.

What is not checked: whether two true halves were joined by a false "because", and who did what to whom inside one clause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.checking.belongs import find_other, read_claim
from assistant.reading.lexicon import load_lexicon
from assistant.reading.pairs import read_figures
from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.types import Verdict
from vectorstore.gazetteer import Gazetteer
from vectorstore.normalize import normalize
from vectorstore.segment import words
from vectorstore.types import Part, Sentence

_SUPPORTED = 0.7  # share of telling words; below it a paraphrase may say something else
_PARTIAL = 0.4
_ITEM_END = re.compile(r"[,，、;；。！？!?\n]")
_COLON = re.compile("[:：]")  # what is denied behind it (下列内容:不合格的…) is not denied before it
_NAMED = re.compile(r"《([^《》]{2,})》|「([^「」]{2,})」|\"([^\"]{2,})\"")
# Our own words around a quote; they are no statement about the world.
_FRAME = re.compile(r"(?:的(?:任务|回顾|资料)|资料)中(?:提出|写道)[:：]|(?:提出|写道|指出|提到)[:：]|^谈到|时[,，]$")
_ANSWERED = "”的回答中写道"
_PART_WORDS = {Part.REVIEW: ("回顾", "完成"), Part.TASKS: ("任务", "计划")}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check says of one claim."""

    verdict: Verdict
    reason: str  # English, names what was found or missed
    reason_zh: str


def check_claim(claim: str, cited: Sequence[Sentence], titles: Sequence[str] = ()) -> Finding:
    """Check one claim (without its markers) against the sentences that it cites; their documents' titles may be named."""
    if not cited:
        return Finding(Verdict.UNCITED, "the sentence cites nothing", "这句话没有引用")
    source = _Source(tuple(cited))
    for title in titles:
        claim = claim.replace(f"《{title}》", "")
    for asked in (s.asked.plain for s in cited if s.asked):
        claim = _drop_question(claim, asked)
    for test in (_check_quotes, _check_numbers, _check_pairs, _check_places, _check_part, _check_direction):
        failure = test(claim, source)
        if failure is not None:
            return failure
    return _check_words(claim, source)


def _drop_question(claim: str, asked: str) -> str:
    """Leave out the document's own question in the frame, where a cited sentence answers it: it states nothing."""
    for start, end in find_quotes(claim):
        if claim[end:].startswith(_ANSWERED) and claim[: start - 1].endswith("对") and claim[start:end] in asked:
            return f"{claim[: start - 2]}中写道{claim[end + len(_ANSWERED) :]}"
    return claim


@dataclass(frozen=True, slots=True)
class _Source:
    """The cited sentences, with what the tests need of them."""

    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return "\n".join(s.plain for s in self.sentences)

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(item for s in self.sentences for item in split_items(s.plain))


def split_items(text: str) -> tuple[str, ...]:
    """Cut a sentence into the items of its enumerations and clauses; a comma inside a number does not cut."""
    guarded = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return tuple(item for item in (piece.strip() for piece in _ITEM_END.split(guarded)) if item)


def _unsupported(reason: str, reason_zh: str) -> Finding:
    return Finding(Verdict.UNSUPPORTED, reason, reason_zh)


def find_quotes(text: str) -> tuple[tuple[int, int], ...]:
    """Offsets of what stands inside the outermost curly quotation marks; a quote may hold quotes."""
    spans: list[tuple[int, int]] = []
    depth = start = 0
    for position, sign in enumerate(text):
        if sign == "“":
            depth += 1
            start = position + 1 if depth == 1 else start
        elif sign == "”" and depth:
            depth -= 1
            if depth == 0:
                spans.append((start, position))
    return tuple(spans)


def _check_quotes(claim: str, source: _Source) -> Finding | None:
    quotes = [claim[start:end] for start, end in find_quotes(claim)]
    quotes += [next(group for group in m.groups() if group is not None) for m in _NAMED.finditer(claim)]
    for quote in quotes:
        if not any(quote in s.plain or quote in s.quote for s in source.sentences):
            return _unsupported(
                f"the quoted words “{quote}” do not stand in the cited sentence", f"引号内的“{quote}”不在所引的句子里"
            )
    return None


def _check_numbers(claim: str, source: _Source) -> Finding | None:
    stated = find_quantities(source.text)
    label_years = {s.labels.year for s in source.sentences}
    for quantity in find_quantities(claim):
        if quantity.measure is Measure.YEAR and int(quantity.value) in label_years:
            continue
        if not any(quantity.equals(other) for other in stated):
            return _unsupported(
                f"“{quantity.text}” does not stand in the cited sentence", f"“{quantity.text}”不在所引的句子里"
            )
        if quantity.measure is not Measure.QUANTITY or _is_in_row(quantity, source):
            continue
        if not _is_about_the_same(quantity, claim, source):
            return _unsupported(
                f"“{quantity.text}” stands in the cited sentence, but about something else",
                f"所引的句子里有“{quantity.text}”，但说的是别的事",
            )
    return None


def _is_in_row(quantity: Quantity, source: _Source) -> bool:
    """Whether it is one of figures side by side (分别为8、6、7), whose items stand before them all."""
    figures = [f for s in source.sentences for f in read_figures(s.plain)]
    return any(f.row is not None and f.quantity.equals(quantity) for f in figures)


def _check_pairs(claim: str, source: _Source) -> Finding | None:
    """Each figure belongs to the place, the year and the item that the source gives it to."""
    for figure in read_claim(claim):
        other = find_other(figure, source.sentences)
        if other is not None:
            stated = figure.quantity.text
            return _unsupported(
                f"“{stated}” stands in the cited sentence, but is said of: {other}",
                f"所引的句子里有“{stated}”，但说的是：{other}",
            )
    return None


def _is_about_the_same(quantity: Quantity, claim: str, source: _Source) -> bool:
    """Whether the number stands in the item of the source that the claim's words fit best, among those that hold such a unit."""
    mine = _telling(_item_around(claim, quantity), drop=quantity.text)
    if not mine:
        return True
    fits: list[tuple[int, bool]] = []
    for item in source.items:
        stated = find_quantities(item)
        if any(other.unit == quantity.unit or quantity.equals(other) for other in stated):
            overlap = sum(_stands_in(word, normalize(item)) for word in mine)
            fits.append((overlap, any(quantity.equals(other) for other in stated)))
    best = max((overlap for overlap, _ in fits), default=0)
    if best == 0:  # the noun may stand in the clause before the number
        return len(find_quantities(source.text)) == 1
    return any(overlap == best and equal for overlap, equal in fits)


def _item_around(claim: str, quantity: Quantity) -> str:
    start = max((m.end() for m in _ITEM_END.finditer(claim, 0, quantity.start)), default=0)
    end = next((m.start() for m in _ITEM_END.finditer(claim, quantity.end)), len(claim))
    return claim[start:end]


def _check_places(claim: str, source: _Source) -> Finding | None:
    known = {place for s in source.sentences for place in (*s.places, *s.regions, s.labels.region)}
    known |= {m.place.name for m in Gazetteer.load().find_places(source.text, aliases=True)}
    for mention in Gazetteer.load().find_places(claim):
        if mention.place.name not in known:
            return _unsupported(
                f"{mention.place.name} is not what the cited sentence is about",
                f"所引的句子说的不是{mention.place.name}",
            )
    return None


def _check_part(claim: str, source: _Source) -> Finding | None:
    frame = re.search(r"的(任务|回顾)中", claim)
    parts = {s.labels.part for s in source.sentences}
    if frame and not any(part and frame[1] in _PART_WORDS[part] for part in parts):
        return _unsupported(f"the cited sentence is not labelled “{frame[1]}”", f"所引的句子不属于“{frame[1]}”部分")
    return None


def _check_direction(claim: str, source: _Source) -> Finding | None:
    """Compare each item of the claim with the item of the source that it resembles most."""
    lexicon = load_lexicon()
    stated = [part for item in source.items for part in _COLON.split(item)]
    said = split_items(_FRAME.sub("", claim).strip("“”"))
    for item in (part for whole in said for part in _COLON.split(whole)):
        nearest = _nearest_item(item, stated)
        if nearest is None:
            continue
        for pair in lexicon.opposites:
            for one, other in (pair, pair[::-1]):
                if one in item and other in nearest and one not in nearest and other not in item:
                    return _unsupported(f"the claim says {one}, the source {other}", f"这里说“{one}”，原文说“{other}”")
        if _is_negated(item) != _is_negated(nearest):
            return _unsupported("one of claim and source is negated", "这里与原文一个肯定、一个否定")
    return None


def _nearest_item(item: str, items: Sequence[str]) -> str | None:
    mine = _telling(item)
    if not mine:
        return None
    best = max(items, key=lambda other: sum(_stands_in(w, normalize(other)) for w in mine), default=None)
    if best is None or not any(_stands_in(word, normalize(best)) for word in mine):
        return None
    return best


def _is_negated(text: str) -> bool:
    lexicon = load_lexicon()
    for word in lexicon.not_negations:
        text = text.replace(word, "")
    return any(word in text for word in lexicon.negations)


def _check_words(claim: str, source: _Source) -> Finding:
    telling = _telling(_FRAME.sub("", claim))
    labels = {normalize(str(x)) for s in source.sentences for x in (*s.places, *s.regions, s.labels.year) if x}
    text = normalize(source.text)
    numbers = len(find_quantities(claim))
    if not telling:
        if numbers:
            return Finding(
                Verdict.SUPPORTED,
                f"all {numbers} number(s) stand in the cited sentence",
                f"{numbers}个数字都在所引的句子里",
            )
        said = normalize(_FRAME.sub("", claim)).strip("“”。. ")
        if said and said in text:
            return Finding(Verdict.SUPPORTED, "the words stand in the cited sentence", "原话在所引的句子里")
        if Gazetteer.load().find_places(claim):
            return Finding(
                Verdict.SUPPORTED, "the place is what the cited sentence is about", "所引的句子说的就是这个地方"
            )
        return Finding(Verdict.UNCHECKED, "nothing in the sentence can be checked", "这句话里没有可以核对的内容")
    missing = [w for w in telling if not any(w in label for label in labels) and not _stands_in(w, text)]
    share = 1 - len(missing) / len(telling)
    found = len(telling) - len(missing)
    if share >= _SUPPORTED:
        return Finding(
            Verdict.SUPPORTED,
            f"all {numbers} number(s) and {found} of {len(telling)} term(s) stand in the cited sentence",
            f"{numbers}个数字和{len(telling)}个词语中的{found}个都在所引的句子里",
        )
    verdict = Verdict.PARTIAL if share >= _PARTIAL else Verdict.UNSUPPORTED
    listed = "、".join(missing[:4])
    return Finding(verdict, f"not in the cited sentence: {listed}", f"所引的句子里没有：{listed}")


def _telling(text: str, drop: str = "") -> list[str]:
    """The content words of a text, without stop words, numbers and our own frame."""
    lexicon = load_lexicon()
    left = text.replace(drop, " ") if drop else text
    for quantity in reversed(find_quantities(left)):
        left = left[: quantity.start] + " " + left[quantity.end :]
    return [w for w in dict.fromkeys(words(left)) if len(w) > 1 and w not in lexicon.stopwords and not w.isdigit()]


def _stands_in(word: str, text: str) -> bool:
    """Whether a word, or each two-character piece of a longer one, stands in a normalised text."""
    if word in text:
        return True
    return len(word) > 3 and all(word[i : i + 2] in text for i in range(len(word) - 1))
