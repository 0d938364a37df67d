"""A question and the conversation before it in, the question as it is understood out: deterministic, fast, and shown to the user.

A follow-up is made complete only where it is one: it opens with 那/还有/其中/它…, ends in 呢, or is a bare noun phrase, or lacks the region
and the year that the question before it had. A question that stands alone is never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.english import is_english, translate
from assistant.errors import InputInvalid
from assistant.frames import drop_base_years, drop_frames
from assistant.lexicon import load_lexicon
from assistant.places import find_mentions, read_places
from assistant.quantities import find_quantities
from assistant.thesaurus import find_wordings
from assistant.titles import take_titles
from assistant.types import Asks, Kind, Question, Role, Turn
from vectorstore.normalize import normalize
from vectorstore.segment import content_words, tag_words
from vectorstore.types import ParsedDocument, Part, Scope

MAX_CHARACTERS = 4000

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)(?!\s*[万亿个座家项亩吨])|(?<!\d)(\d\d)年(?!来|内|前|后|间|以)")
_OPENING = re.compile(
    r"^(?:那么|那|还有|另外|再|其中|它们|它|这些|这个|这|该|他们|同样|(?:如果|要是)?(?:换成|换作|换到|改成))+[的,,]?"
)
_FROM_NOW = {"今年": 0, "本年": 0, "去年": -1, "明年": 1, "前年": -2, "后年": 2}
_FROM_THEN = {"上年": -1, "上一年": -1, "上1年": -1, "前一年": -1, "前1年": -1, "下一年": 1, "下1年": 1}
_NE = re.compile(r"(?:呢|如何|怎么样)?[??。!!~\s]*$")
_DEICTIC = re.compile(
    r"^(?:那|还有|另外|其中|它|这|该|同样|同年|(?:如果|要是)?(?:换成|换作|换到|改成))|呢[??。!!\s]*$"
    r"|它|(?<!在)这[个些笔项件座条家批]|该[市省县区]|当地|那里|这里|同一年|前者|后者|上述"
)
_PAST = re.compile(r"(?<![讲说写提谈到])了(?:多少|几|哪些|什么)")
_MEASURES = "个座家项条种处辆次位名片类所批"
_PARTICLES = re.compile(r"[喃哈嘛撒噻咧呗哟啵咯啰]+(?=[,。?!]|$)")  # of dialects, which the segmenter takes for words
_MORE = re.compile(r"(?<!对)比(?![较例一重]).{1,12}[多少高低大小长短](?:吗|些|[??。]|$)")
_OTHERS, _DIFFERS = re.compile("各|其他|别的|哪个|几个"), re.compile("有?(?:什么|何|啥)?(?:不一样|不同)|区别|差异")
_WH_OR_END = re.compile(r"什么|哪些|哪个|怎么|如何|多少|几|[??]$")
_PERIOD = re.compile(r"[“\"]?(十[一二三四五六]五)[”\"]?(?:时期|期间)?")  # of five years; the segmenter cuts it in two
_EACH = re.compile("各(?!地|级|类|种|个|项|国|区|市|省|县|方|自|界|族|业|行|单位|部门|位|部|式)")  # 各打算, 各扮演
_WRITE = re.compile(
    r"^(?:请|帮我|给我|你|能|可以|来)*(?:写|编|作|画|唱|讲)(?:1|几|两)?[首段篇个封张份支]?.{0,12}(?:诗|顺口溜|作文|情书|信|代码|程序|故事|歌|小说|笑话|画|对联)"
)
_WH = re.compile(
    r"多少|多久|多大|多长|多高|几(?=[个座家项条处公万])|什么|哪些|哪个|哪里|吗|怎么|如何|是否|有没有|谁|何时|何|总结|概括|比较|对比|介绍|列出|列举|计划|任务"
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What of the documents a question is understood by."""

    this_year: int | None = None  # what 今年 means: the latest year that has tasks, or else the latest year
    titles: tuple[tuple[str, str], ...] = ()  # title and source of each document


def describe_corpus(documents: Sequence[ParsedDocument]) -> Corpus:
    """Gather from the documents of an index what a question is understood by."""
    labels = [section.labels for parsed in documents for section in parsed.sections]
    planned = [one.year for one in labels if one.year and one.part is Part.TASKS]
    known = [one.year for one in labels if one.year]
    titles = tuple((parsed.document.title, parsed.document.source) for parsed in documents)
    return Corpus(max(planned or known, default=None), titles)


def understand(text: str, history: Sequence[Turn], corpus: Corpus) -> Question:
    """Read a question; InputInvalid where it is empty or longer than ``MAX_CHARACTERS``."""
    asked = clean(text)
    alone = read_question(asked, asked, corpus)
    previous = _last_standalone(history, corpus)
    if previous is None or not _is_follow_up(alone, previous):
        return alone
    return read_question(asked, _complete(alone, previous, corpus), corpus)


def understand_as_follow_up(text: str, history: Sequence[Turn], corpus: Corpus) -> Question | None:
    """Read a question that nothing marks as a follow-up as one: about the place and year that the one before was about.

    For one that finds no answer as it stands. ``None`` where it names a place itself, or the one before had none to give.
    """
    asked = clean(text)
    alone = read_question(asked, asked, corpus)
    previous = _last_standalone(history, corpus)
    if previous is None or not previous.scope.regions or alone.scope.regions or alone.kind in (Kind.NONE, Kind.CORPUS):
        return None
    completed = f"{_scope_words(alone, previous)}{normalize(alone.text)}"
    return read_question(asked, completed, corpus)


def clean(text: str) -> str:
    """Drop what cannot be shown (control characters, lone surrogates, bidi marks), fold white space, hold the limit."""
    shown = "".join(c for c in text if c.isprintable() or c in "\n\t ")
    shown = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]", "", shown)
    shown = " ".join(shown.split())
    if not shown:
        raise InputInvalid("问题是空的。请输入一个问题。 The question is empty: please type one.")
    if len(shown) > MAX_CHARACTERS:
        raise InputInvalid(
            f"问题有{len(shown)}个字，最多{MAX_CHARACTERS}个，请缩短。 "
            f"The question has {len(shown)} characters, {MAX_CHARACTERS} are allowed: please shorten it."
        )
    return shown


def read_question(text: str, standalone: str, corpus: Corpus) -> Question:
    """Read a question that is complete in itself."""
    named, sources = take_titles(standalone, corpus.titles)
    whole = _PARTICLES.sub("", normalize(translate(named) if is_english(named) else named))
    normal = find_focus(whole)
    mentions = find_mentions(normal) or find_mentions(whole)
    stated = drop_base_years(normal)
    years = _read_years(stated, corpus) or _read_years(drop_base_years(whole), corpus)
    asks = _read_asks(drop_frames(normal))
    if "还是" in normal and years and asks is Asks.OTHER:
        asks, years = Asks.YEAR, set()  # 已经做到的,还是2024年要做的: the year is what is asked for
    scope = Scope(
        regions=frozenset(p for m in mentions if (p := m.place.province)),
        places=read_places(mentions, normal),
        years=frozenset(years),
        part=_read_part(normal, years),
        sources=sources,
    )
    terms = _read_terms(drop_frames(stated))
    kind = _read_kind(whole if normal in whole else normal, asks, terms, scope)
    if kind is Kind.COMPARE and asks is Asks.OTHER and _MORE.search(normal):
        asks = Asks.QUANTITY
    counted = _read_counted(normal, terms) if asks is Asks.QUANTITY and not is_english(standalone) else ()
    return Question(text, standalone, kind, asks, scope, terms, counted, normal)


def _read_counted(normal: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Read what is counted: 指标 of 设了多少项指标, and 桥 of 修桥多少座."""
    match = re.search(rf"(?:多少|好多|(?<!第)几)(?P<measure>[{_MEASURES}]?)(?P<noun>[^,?]*)", normal)
    if match is None:
        return ()
    behind = tuple(term for term in terms if term in match["noun"])
    if behind or match["noun"] or not match["measure"]:
        return behind
    before = normal[: match.start()]
    tagged = tag_words(before.rsplit(",", 1)[-1])
    noun = tagged[-1][0] if tagged and tagged[-1][1].startswith("n") and before.endswith(tagged[-1][0]) else ""
    return tuple(term for term in terms if noun and (noun in term or term.endswith(noun)))


def find_focus(normal: str) -> str:
    """The sentence that asks. Orders and stories beside it are not what is looked for in the documents."""
    cut: list[str] = re.split(r"[。!;:\n]|(?<=[?])", normal)
    pieces = [_drop_preamble(piece.strip()) for piece in cut if piece.strip()]
    asking = [piece for piece in pieces if "?" in piece or _WH.search(piece)]
    if not asking:
        return normal
    return max(reversed(asking), key=lambda piece: len(_read_terms(piece)))


def _drop_preamble(piece: str) -> str:
    """告诉我…: what stands before it is not asked for."""
    rest = re.sub(r"^.*(?:告诉我|请回答|请问|想知道|想问一下|想问|问下)[,:]?", "", piece)
    return rest if _WH.search(rest) else piece


def _read_years(normal: str, corpus: Corpus) -> set[int]:
    named = {int(m[1]) if m[1] else 2000 + int(m[2]) for m in _YEAR.finditer(normal)}
    years = set(named)
    if corpus.this_year is not None:
        years |= {corpus.this_year + shift for word, shift in _FROM_NOW.items() if word in normal}
    if named:  # beside 2025年, 上一年 is 2024
        years |= {max(named) + shift for word, shift in _FROM_THEN.items() if word in normal}
    elif corpus.this_year is not None:
        years |= {corpus.this_year + shift for word, shift in _FROM_THEN.items() if word in normal}
    return years


def _read_part(normal: str, years: set[int]) -> Part | None:
    """Review or tasks, only where the question says so and says only one."""
    lexicon = load_lexicon()
    if years:  # the year mostly tells; but 2023年的工作回顾 names the section itself
        named = [part for word, part in (("回顾", Part.REVIEW), ("任务", Part.TASKS)) if word in normal]
        return named[0] if len(named) == 1 else None
    review = any(word in normal for word in lexicon.review) or bool(_PAST.search(normal))
    tasks = any(word in normal for word in lexicon.tasks)
    if review == tasks:
        return None
    return Part.REVIEW if review else Part.TASKS


def _read_asks(normal: str) -> Asks:
    asks = load_lexicon().asks
    left = re.sub(r"哪(?:几|\d+)(?!年)", "哪些", normal)  # 哪几种 wants the things, not their number
    for name in ("region", "year", "name", "quantity"):
        if any(word in left for word in asks[name]):
            return Asks(name)
    return Asks.OTHER


def _read_terms(normal: str) -> tuple[str, ...]:
    """The telling words: everything but places, years, question words and filler."""
    left = normal
    for mention in sorted(find_mentions(normal), key=lambda m: m.start, reverse=True):
        left = f"{left[: mention.start]} {left[mention.end :]}"
    left = re.sub("|".join((*_FROM_NOW, *_FROM_THEN)), " ", left)
    left = re.sub("各(?=[有是要建计打新])", " ", re.sub("(?<= )年(?!均)", " ", _YEAR.sub(" ", left)))
    periods = tuple(m[1] for m in _PERIOD.finditer(left))
    left = _PERIOD.sub(" ", left)
    lexicon = load_lexicon()
    for word in lexicon.asking:
        left = re.sub(f"{re.escape(word)}(?:[{_MEASURES}](?=[^\\s{_MEASURES}]))?", " ", left)
    for quantity in reversed(find_quantities(left)):
        left = f"{left[: quantity.start]} {left[quantity.end :]}"
    wordings = [wording for wording in find_wordings(left) if not _is_filler(wording.text)]
    rest = left
    for wording in reversed(wordings):
        for start, end in reversed(wording.spans):
            rest = f"{rest[:start]} {rest[end:]}"
    told = join_terms(
        [
            w
            for w in content_words(rest)
            if w not in lexicon.stopwords and w.lstrip("十百千万亿") not in lexicon.units and not w.isdigit()
        ],
        rest,
    )
    return tuple(dict.fromkeys((*periods, *(wording.text for wording in wordings), *told)))


def _is_filler(text: str) -> bool:
    """Whether a wording says nothing about what is looked for, as 打算 and 为了."""
    lexicon = load_lexicon()
    return text in lexicon.stopwords or all(word in lexicon.stopwords for word in content_words(text))


def join_terms(found: Sequence[str], text: str) -> tuple[str, ...]:
    """Glue a single character to its neighbour (充电 + 桩, 碳 + 普惠), and drop words that stand inside a longer one."""
    joined: list[str] = []
    for word in found:
        glued = joined[-1] + word if joined else ""
        if glued and (len(word) == 1 or len(joined[-1]) == 1) and glued in text:
            joined[-1] = glued
        else:
            joined.append(word)
    told = [w for w in joined if len(w) > 1 or not w.isascii()]
    return tuple(w for w in dict.fromkeys(told) if not any(w != other and w in other for other in told))


def _read_kind(normal: str, asks: Asks, terms: Sequence[str], scope: Scope) -> Kind:
    lexicon = load_lexicon()
    bare = re.sub(r"[\s,.!?。,!?~]", "", normal)
    named = bool(scope.regions or scope.years or scope.sources)
    if bare in lexicon.greetings or any(order in normal for order in lexicon.orders) or _WRITE.search(bare):
        return Kind.NONE
    if re.fullmatch(r"[\d+\-*/×÷=()().]+(?:等于(?:多少|几)|是多少)?", bare):
        return Kind.NONE
    if not named and any(word in normal for word in lexicon.kinds["corpus"]):
        return Kind.CORPUS
    if not terms and not named:
        return Kind.NONE
    slots = max(len(scope.places), len(scope.regions), len(scope.years), len(scope.sources)) > 1
    each = any(word in normal for word in lexicon.kinds["each"]) or (slots and _EACH.search(normal) is not None)
    # 上市办法有什么不一样 asks of one thing how it has changed; it sets nothing beside anything.
    compared = normal if slots or not named or _OTHERS.search(normal) else _DIFFERS.sub("", normal)
    if any(word in compared for word in lexicon.kinds["compare"]) or (
        slots and (each or asks is Asks.QUANTITY or "比" in normal)
    ):
        return Kind.COMPARE
    if each or re.search(r"哪(?:几|\d+)(?!年)", normal):
        return Kind.LIST
    if asks in (Asks.QUANTITY, Asks.YEAR):
        return Kind.FACT
    for name in ("summary", "list", "yes_no"):
        if any(word in compared for word in lexicon.kinds[name]):
            return Kind(name)
    return Kind.FACT if terms else Kind.SUMMARY


def _last_standalone(history: Sequence[Turn], corpus: Corpus) -> Question | None:
    """The user's last question, itself completed from the ones before it."""
    asked = [turn.content for turn in history if turn.role is Role.USER and turn.content.strip()]
    if not asked:
        return None
    previous: Question | None = None
    for text in asked[-6:]:
        short = clean(text[:MAX_CHARACTERS])
        alone = read_question(short, short, corpus)
        if previous is not None and _is_follow_up(alone, previous):
            alone = read_question(short, _complete(alone, previous, corpus), corpus)
        previous = alone if alone.kind is not Kind.NONE else previous
    return previous


def _is_follow_up(question: Question, previous: Question) -> bool:
    if question.kind in (Kind.NONE, Kind.CORPUS) and not _DEICTIC.search(question.text):
        return False
    if _DEICTIC.search(question.text):
        return True
    bare = not _WH.search(question.text) and len(question.text) <= 12
    if bare:
        return True
    had = previous.scope
    lacks_place = bool(had.regions) and not question.scope.regions and question.asks is not Asks.REGION
    lacks_year = bool(had.years) and not question.scope.years
    # A question with neither place nor year of its own goes on about the same place; one with its own place does not.
    return lacks_place and lacks_year and question.kind is not Kind.COMPARE


def _complete(question: Question, previous: Question, corpus: Corpus) -> str:
    """Write the follow-up as a question that stands alone."""
    normal = normalize(question.text)
    core = _NE.sub("", _OPENING.sub("", normal))
    new_places = [core[m.start : m.end] for m in find_mentions(core)]
    new_years = _read_years(core, corpus)
    rest = _without_scope(core)
    if not rest or (not question.terms and (new_places or new_years)):
        if "比" in core:  # 和2023年比呢: both stand side by side
            new_years |= previous.scope.years
        return _swap_scope(previous, new_places, new_years)
    if (new_places or new_years) and question.terms and set(question.terms) <= set(previous.terms):
        return _swap_scope(previous, new_places, new_years)  # nothing new but where or when
    if _WH.search(core):
        return f"{_scope_words(question, previous)}{core}?"
    swapped = _swap_object(previous, rest)
    if swapped and (new_places or new_years):
        base = replace(previous, standalone=swapped)
        return _swap_scope(base, new_places, new_years)
    return swapped or f"{_scope_words(question, previous)}{core}?"


def _without_scope(core: str) -> str:
    left = core
    for mention in reversed(find_mentions(core)):
        left = left[: mention.start] + left[mention.end :]
    left = re.sub(r"今年|去年|明年|前年|本年|上年", "", _YEAR.sub("", left))
    return re.sub(r"[的年,,。??!!\s市省和与、跟比]", "", left)


def _swap_scope(previous: Question, places: Sequence[str], years: set[int]) -> str:
    """那北京呢 / 那2023年呢: the question before, with another place or year."""
    text = normalize(previous.standalone)
    if places:
        found = find_mentions(text)
        for mention in reversed(found):
            put = "和".join(places) if mention is found[0] else ""
            text = text[: mention.start] + put + text[mention.end :]
        text = text if found else "和".join(places) + text
    if years:
        put = "和".join(f"{y}年" for y in sorted(years))
        pattern = re.compile(r"(?:(?:19|20)\d\d|(?<!\d)\d\d)年|今年|去年|明年|前年|本年|上年")
        text = pattern.sub(put, text, count=1) if pattern.search(text) else put + text
    return text


def _swap_object(previous: Question, noun: str) -> str:
    """那公园呢: the noun takes the place of what was counted or asked for before."""
    text = normalize(previous.standalone)
    match = re.search(r"(多少|几)(?P<unit>个|座|家|项|条|处|辆|公里|亩)?(?P<noun>[^,,。??]+)", text)
    if match:
        return text[: match.start("noun")] + noun + "?"
    match = re.search(r"(?P<noun>[^,,。??的年]+)(?P<tail>(?:提高|增加|新增|达到|降低)?多少|是什么|有哪些|怎么样)", text)
    if match and previous.terms:
        return text[: match.start("noun")] + noun + text[match.start("tail") :]
    like = [term for term in previous.terms if term[-1] == noun[-1] and term in text]  # 服务业, 新兴产业
    phrase = like[0] if like else _first_phrase(previous.terms, text)
    return text.replace(phrase, noun, 1) if phrase and _WH_OR_END.search(text) else ""


def _first_phrase(terms: Sequence[str], text: str) -> str:
    """The first telling words of a question that stand side by side in it: 洱海流域."""
    phrase = ""
    for term in terms:
        if phrase + term not in text:
            break
        phrase += term
    return phrase


def _scope_words(question: Question, previous: Question) -> str:
    """The place and the year of the question before, where the new one has none of its own."""
    had, now = previous.scope, question.scope
    place = "" if now.regions or question.asks is Asks.REGION else "和".join(sorted(had.places or had.regions))
    if place and question.kind is Kind.COMPARE:
        place += "和"
    year = "" if now.years or question.asks is Asks.YEAR else "和".join(f"{y}年" for y in sorted(had.years))
    return f"{place}{year}"
