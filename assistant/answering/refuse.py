"""A question and a decision not to answer it in, the words of the refusal out.

A refusal says what is missing and where the nearest sentences come from. It holds no citation markers. That something is missing is
said only of what no sentence about the place and year that were asked for has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.question.phrases import Phrase, find_phrases
from assistant.reading.thesaurus import find_meanings
from assistant.types import Passage, Question, Refusal
from assistant.writing.prompt import name_labels
from vectorstore.normalize import normalize
from vectorstore.types import Sentence


def write_refusal(
    question: Question, refusal: Refusal, nearest: Sequence[Passage], sentences: Sequence[Sentence] = ()
) -> str:
    """One or two sentences, in the language of the question. ``sentences`` are all that the documents have."""
    if re.search(r"[\u4e00-\u9fff]", question.text):
        return _in_chinese(question, refusal, nearest, sentences)
    return _in_english(refusal, nearest)


def _in_chinese(question: Question, refusal: Refusal, nearest: Sequence[Passage], sentences: Sequence[Sentence]) -> str:
    if refusal is Refusal.NOT_A_QUESTION:
        return "这不是能从这些政策文件中回答的问题。请就文件的内容提问。"
    said = _say_missing(question, sentences)
    see = "最接近的句子列在下面，供您查看。" if nearest else ""
    elsewhere = "、".join(
        dict.fromkeys(name_labels(p.sentence.labels) for p in nearest if name_labels(p.sentence.labels))
    )
    if refusal in (Refusal.OTHER_REGION, Refusal.OTHER_YEAR) and elsewhere and question.terms:
        return f"{said}；相近的内容出自：{elsewhere}。{see}"
    return f"{said}，所以不作回答。{see}"


def _say_missing(question: Question, sentences: Sequence[Sentence]) -> str:
    """What the documents do not have of what was asked for; where they speak of all of it, only that this is no answer."""
    scope = question.scope
    where = "、".join(sorted(scope.places or scope.regions))
    when = "、".join(f"{year}年" for year in sorted(scope.years))
    phrases = _order(question)
    missing = _find_missing(question, phrases, sentences)
    if missing:
        what = "、".join(f"“{phrase.text}”" for phrase in missing[: 1 if question.counted else 2])
        if (where or when) and _stands_elsewhere(scope.places or scope.regions, missing, sentences):
            # A heading, or the head of a table, may say of what place and year a sentence is without a label of it.
            return f"资料里没有找到写明是{where}{when}的关于{what}的内容"
        return f"资料里没有{where}{when}关于{what}的内容"
    whole = [phrase for phrase in phrases if _stands_whole(question, phrase, sentences)]
    if phrases and not whole:  # its words stand apart, each in another sentence: 绿色 and 金融 are no 绿色金融
        return f"资料里没有找到{where}{when}关于“{phrases[0].text}”的内容"
    if phrases:
        what = "、".join(f"“{phrase.text}”" for phrase in whole[:2])
        of = f"{where}{when}的" if where or when else ""
        return f"资料里提到过{of}{what}，但没有找到能回答这个问题的句子"
    if question.terms:
        return f"资料里没有找到{where}{when}能回答这个问题的句子"
    anywhere = replace(question.scope, part=None, sources=frozenset())
    if any(anywhere.allows(sentence) or _names_scope(question, sentence.plain) for sentence in sentences):
        return f"资料里没有找到{where}{when}能回答这个问题的句子"
    return f"资料里没有{where}{when}的内容" if where or when else "资料里没有这个问题的答案"


def _find_missing(question: Question, phrases: Sequence[Phrase], sentences: Sequence[Sentence]) -> list[Phrase]:
    """The phrases of which a word stands in no sentence of the place and year that were asked for, by this or another name."""
    wanted = {word: _names(word) for phrase in phrases for word in phrase.words if len(word) > 1}
    before = ""
    for sentence in sentences:
        if not wanted:
            break
        names = _names_scope(question, sentence.plain)
        read, before = (before if names else "") + sentence.plain, sentence.plain
        if names or question.scope.allows(sentence):
            normal = normalize(read)  # 北京可以上浮20% is said of what the sentence before it is about
            wanted = {word: names for word, names in wanted.items() if not any(name in normal for name in names)}
    return [phrase for phrase in phrases if any(word in wanted for word in phrase.words)]


def _stands_whole(question: Question, phrase: Phrase, sentences: Sequence[Sentence]) -> bool:
    """Whether one sentence of the place and year that were asked for has all words of a phrase, by these or other names."""
    names = [_names(word) for word in phrase.words]
    of_it = (s.plain for s in sentences if question.scope.allows(s) or _names_scope(question, s.plain))
    return any(all(any(name in text for name in of_word) for of_word in names) for text in map(normalize, of_it))


def _names_scope(question: Question, text: str) -> bool:
    """Whether a sentence of another place or year names all that was asked for itself: 2027年起不再采购, 北京可以上浮20%."""
    scope = question.scope
    wheres = [scope.places or scope.regions, {f"{year}年" for year in scope.years}]
    return any(wheres) and all(any(name in text for name in names) for names in wheres if names)


def _stands_elsewhere(places: Iterable[str], missing: Sequence[Phrase], sentences: Sequence[Sentence]) -> bool:
    """Whether the texts name the places, and have a word of what is missing under another place or year, or under none."""
    if not all(any(place in sentence.plain for sentence in sentences) for place in places):
        return False
    words = {word for phrase in missing for word in phrase.words if len(word) > 1}
    return any(word in normalize(sentence.plain) for sentence in sentences for word in words)


def _names(word: str) -> frozenset[str]:
    """A word, and what documents call it."""
    return frozenset({word, *find_meanings(word)})


def _order(question: Question) -> list[Phrase]:
    """The things that the question speaks of; of 多少 what was to be counted comes first."""
    phrases = find_phrases(question.focus, question.terms, question.scope.places | question.scope.regions)
    if phrases and not any(word in phrase.text for phrase in phrases for word in question.counted):
        phrases = tuple(Phrase(word, (word,)) for word in question.counted) or phrases  # 公共充电桩, and not 新建 alone
    return sorted(phrases, key=lambda phrase: not any(term in phrase.text for term in question.counted))


def _in_english(refusal: Refusal, nearest: Sequence[Passage]) -> str:
    if refusal is Refusal.NOT_A_QUESTION:
        return "This is not a question that these policy documents could answer. Please ask about what they say."
    see = " The nearest sentences are listed below." if nearest else ""
    return f"The documents do not say this, so it is not answered.{see}"
