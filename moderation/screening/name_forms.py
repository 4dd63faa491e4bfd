"""What a name is made of: every place of a text that might be one, with what speaks for it by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from moderation.screening.name_characters import (
    COMPOUND,
    FOREIGN,
    FREQUENT,
    GIVEN,
    PLAIN,
    WORDLIKE,
)
from moderation.screening.name_context import announced_before
from moderation.screening.name_words import COURTESIES, NOT_PERSONS, OFFICES
from moderation.screening.sentence import HAN, Sentence, Token, in_dictionary

HOPELESS: Final = -4.0
"""What has fewer points by itself is not looked at further: little around it makes up for them."""
_SURNAMES: Final = FREQUENT | PLAIN | WORDLIKE
_RARE: Final = 1
"""The grade of a character that no table has: who is called by it is called so on purpose."""

Weighed: TypeAlias = tuple[int, int, float]
"""A place and its points."""


def places_of(sentence: Sentence) -> Iterator[Weighed]:
    """Every place that might be a name, some of them by more than one road."""
    yield from _chinese(sentence)
    yield from _known(sentence)
    yield from _foreign(sentence)
    yield from _dotted(sentence)
    yield from _latin(sentence)
    yield from _cued(sentence)


def _chinese(sentence: Sentence) -> Iterator[Weighed]:
    """A surname and one or two characters."""
    text = sentence.text
    for start, character in enumerate(text):
        if character not in _SURNAMES:
            continue
        compound = text[start : start + 2] in COMPOUND
        after = start + 1 + compound
        if text.startswith(COURTESIES, after):
            yield start, after, _polite_points(sentence, start, after)
            continue
        for length in (2, 3, 4) if compound else (2, 3):
            end = start + length
            if end <= len(text) and HAN.fullmatch(text, start, end):
                yield start, end, _chinese_points(sentence, start, end, compound and length > 2)


def _polite_points(sentence: Sentence, start: int, end: int) -> float:
    """A surname alone, before a courtesy: 张先生."""
    surname = sentence.text[start:end]
    if surname in _NEVER_ALONE or start not in sentence.starting:
        return -9.0
    return 0.0 if surname in WORDLIKE else 1.0


def _chinese_points(sentence: Sentence, start: int, end: int, compound: bool) -> float:
    text = sentence.text
    name = text[start:end]
    given = name[2:] if compound else name[1:]
    if compound:
        points = 2.5
    else:
        points = 1.2 if name[0] in FREQUENT else -1.0 if name[0] in WORDLIKE else 0.2
    grades = [GIVEN.get(character, _RARE) for character in given]
    points += sum(grades) * 0.45 if len(given) == 2 else grades[0] * 0.7 - 0.8
    if min(grades) < 0:
        points -= 0.7 if len(given) == 2 else 0.2
    if len(given) == 2 and given[0] == given[1]:
        points += 0.8
    if start not in sentence.starting and points < 0.5:
        return HOPELESS - 1  # begins inside a word, and nothing speaks for it
    if name[-1] in _ENDS_PLACES:
        points -= 3.0
    if len(given) == 2 and given[0] == "家":  # 李家湾
        points -= 3.0
    if name in NOT_PERSONS or given in _NOT_GIVEN or given.startswith(OFFICES):
        points -= 6
    words = sentence.within(start, end)
    whole = len(words) == 1 and (words[0].start, words[0].end) == (start, end)
    if whole:
        known = in_dictionary(name)
        if words[0].is_name:
            points += _trust(name, min(grades)) if known else 1.6
        elif known:
            likely = len(given) == 2 and (
                (min(grades) >= 1 and name[0] in FREQUENT)
                or (min(grades) >= 0 and words[0].tag in ("ns", "nt", "nz"))
            )
            points -= 1.5 if likely or announced_before(text, start) else 4.0
        else:
            points += 1.0
    elif len(given) == 2:
        apart = start in sentence.starting and start + 1 in sentence.starting
        if apart and name[0] not in WORDLIKE:  # the segmenter found no word for the surname
            points += 1.0
        if apart and in_dictionary(given) and not compound:
            points -= 0.4 if min(grades) >= 1 else 2.5 if name[0] in WORDLIKE else 1.0
        if apart and words[-1].tag.startswith("v") and in_dictionary(given):
            points -= 1.5  # 曾拨打
        if {name[:2], given} & NOT_PERSONS:
            points -= 2.0
        if not compound and in_dictionary(name[:2]) and start + 2 in sentence.starting:
            head = words[0]
            points -= 0.2 if head.is_name and name[:2] not in NOT_PERSONS else 1.5
    if len(given) == 1 and end < len(text) and _goes_on(sentence, end):
        points -= 1.2
    return points + _edges(sentence, start, end)


def _trust(name: str, least: int) -> float:
    """Points for being a name in the segmenter's dictionary, where words have strayed among names."""
    if len(name) == 2:
        return 2.6 if least >= 1 and name[0] in FREQUENT else 1.2
    if name[0] in WORDLIKE:
        return 2.2 if least >= 1 else 0.8
    return 3.0 if least >= 0 else 1.6


def _goes_on(sentence: Sentence, end: int) -> bool:
    """Whether the next character might well be the given name's second."""
    at = sentence.starting.get(end)
    single = at is not None and len(sentence.tokens[at].word) == 1
    return single and GIVEN.get(sentence.text[end], _RARE) >= 1


def _edges(sentence: Sentence, start: int, end: int) -> float:
    """A name is made of whole words. The segmenter errs at names, so this is no more than points."""
    points = 0.0
    if start not in sentence.starting:
        points -= 1.8
    if end not in sentence.ending:
        last = sentence.tokens[sentence.token_at[end - 1]]
        points -= 0.4 if last.is_name and not in_dictionary(last.word) else 1.2
    words = sentence.within(start, end)
    for word in {words[0], words[-1]}:
        cut = word.start < start or word.end > end
        if cut and not word.is_name and in_dictionary(word.word):
            points -= 1.5
    return points


def _known(sentence: Sentence) -> Iterator[Weighed]:
    """A word that the segmenter takes for a name."""
    for start, end, word, tag in sentence.tokens:
        if not (tag in ("nr", "nrt", "nrfg") and end - start >= 2 and HAN.fullmatch(word)):
            continue
        points = -1.0
        if word in NOT_PERSONS or word[1:] in _NOT_GIVEN or word[1:].startswith(OFFICES):
            points -= 6
        sound = sum(FOREIGN.get(character, -2) for character in word) / len(word)
        if tag == "nrt":
            points += 1
        if sound >= 2:
            points += 1
        elif word[0] not in _SURNAMES:
            points -= 0.3
        if in_dictionary(word):
            points += 1.6 if sound >= 1.5 and len(word) > 2 else 0.8
        if len(word) > 3 and sound < 1:
            points -= 2
        for beside in (start - 1, end):
            if not 0 <= beside < len(sentence.text):
                continue
            if sentence.text[beside] == "·":
                points -= 2
            elif sound >= 1.5 and _is_sound(sentence.tokens[sentence.token_at[beside]]):
                points -= 1.5  # a part of a longer one
        yield start, end, points - 0.4


_ENDS_PLACES: Final = frozenset(
    "路街道巷弄镇乡村屯区县市省州苑府园湾湖楼厅院馆厂站店桥寨洲岛坪坡冲塘沟垸圩庄坊班费员者性法堡寺庙塔港湖河岭墩"
)
_NOT_GIVEN_TEXT: Final = "总 某 姓 氏 家 导 工 局 处 科 所 队 某某 老板 记者 家人 书记 村 庄 湾 湖"
_NOT_GIVEN: Final = frozenset(_NOT_GIVEN_TEXT.split())
_NEVER_ALONE: Final = frozenset("和于向从时都应由有能后来相单全别国代那双信元公官")
_NOT_SOUNDS: Final = frozenset("和比对向从在为以利加多当道里同特")


def _foreign(sentence: Sentence) -> Iterator[Weighed]:
    """A run of characters that foreign names are written with."""
    fits = [_is_sound(token) for token in sentence.tokens]
    at = 0
    while at < len(fits):
        if not fits[at]:
            at += 1
            continue
        last = at
        while last + 1 < len(fits) and fits[last + 1]:
            last += 1
        run = sentence.tokens[at : last + 1]
        yield from _foreign_points(run)
        if len(run) > 1 and len(run[0].word) == 1:  # it may be a word of the sentence
            yield from _foreign_points(run[1:])
        if len(run) > 1 and len(run[-1].word) == 1:
            yield from _foreign_points(run[:-1])
        at = last + 1


def _is_sound(token: Token) -> bool:
    grades = [FOREIGN.get(character, -2) for character in token.word]
    if min(grades) < 0 or token.word in NOT_PERSONS:
        return False
    mean = sum(grades) / len(grades)
    if len(grades) == 1:
        return mean >= 2 and token.word not in _NOT_SOUNDS
    if token.is_name or token.tag == "ns":
        return True
    return mean >= 2 and not (in_dictionary(token.word) and token.tag != "nz")


def _foreign_points(run: Sequence[Token]) -> Iterator[Weighed]:
    grades = [FOREIGN[character] for token in run for character in token.word]
    if len(grades) < 2:
        return
    points = sum(grades) / len(grades) * 0.9 - 3.5
    points += {2: -0.8, 3: 0.4, 4: 0.9}.get(len(grades), 1.3)
    if any(token.is_name for token in run):
        points += 0.9
    if len(run) == 1 and run[0].tag == "ns":
        points -= 1.8
    yield run[0].start, run[-1].end, points


_SOUND: Final = "".join(sorted(FOREIGN))
_DOTTED: Final = re.compile(
    rf"[\u4e00-\u9fff]{{1,7}}(?:[·][\u4e00-\u9fff]{{1,8}})+|[A-Za-z]?[{_SOUND}]{{2,5}}-[{_SOUND}]{{2,6}}"
)


def _dotted(sentence: Sentence) -> Iterator[Weighed]:
    """Parts of a foreign name with dots between them; the outer ones end where the sounds end."""
    text = sentence.text
    for found in _DOTTED.finditer(text):
        start, end = found.span()
        dash = "·" not in found[0]
        dots = [at for at in range(start, end) if text[at] in "·-"]
        start = _sounds_back_from(sentence, start, dots[0])
        stop = dots[-1] + 1
        while stop < end:
            token = sentence.tokens[sentence.token_at[stop]]
            first = stop == dots[-1] + 1
            if not first and not _goes_on_sounding(token):
                break
            stop = token.end
        parts = re.split("[·-]", text[start : min(stop, end)])
        if not any(all(FOREIGN.get(one, -1) >= 0 for one in part) for part in parts):
            continue
        yield start, min(stop, end), 2.0 if dash else 3.5


_CUED: Final = re.compile(
    "(?:记者|编辑|通讯员|实习生|摄影|我叫|名叫|姓名[：:]|联系人[：:]|文/|图/|导演[：:]|主演[：:]|作者[：:])[ ]?"
    "(?P<name>[\u4e00-\u9fff]{2,4})(?=[，。；、：）)/ \n·(（《]|$|报道|摄)"
)


def _cued(sentence: Sentence) -> Iterator[Weighed]:
    """What stands where a name is announced and ends where the announcement ends."""
    for found in _CUED.finditer(sentence.text):
        start, end = found.span("name")
        name = found["name"]
        if start not in sentence.starting or name in NOT_PERSONS:
            continue
        words = sentence.within(start, end)
        strange = sum(len(one.word) > 1 and not one.is_name and one.tag != "ns" for one in words)
        points = 0.3 if name[0] in _SURNAMES and len(name) < 4 else -0.8
        points += 1.5 if len(name) == 2 and name[0] == name[1] else 0.0
        if name[0] not in _SURNAMES or len(name) > 3:
            points -= sum(in_dictionary(one.word) and not one.is_name for one in words) * 4
        yield start, end, points - max(0, strange - 1)


def _sounds_back_from(sentence: Sentence, least: int, dot: int) -> int:
    """Where the part before the first dot starts: one word at least, more while they sound so."""
    at = sentence.token_at[dot - 1]
    start = max(least, sentence.tokens[at].start)
    while at and start > least:
        at -= 1
        token = sentence.tokens[at]
        if not (HAN.fullmatch(token.word) and _is_sound(token)):
            break
        start = max(least, token.start)
    return start


def _goes_on_sounding(token: Token) -> bool:
    if len(token.word) == 1:
        return FOREIGN.get(token.word, -1) >= 0 and token.tag not in ("p", "c", "d", "r")
    return _is_sound(token) or not in_dictionary(token.word)


_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z.'-]*[A-Za-z]")
_LATIN_WORDS_TEXT: Final = (
    "nba cba dota lol gdp app atm pos ppp vip kpi ceo cfo cto hr pc ps psp xbox wii fifa cpi "
    "ppi ipo sns it id dna usb cpu gpu mp3 ok bbs qq wechat email mail tel fax phone mobile "
    "www http https com cn net org the of and in on at for with by to vs tv dj cd dvd ktv "
    "suv mpv gps wifi led lcd ui ai vr ar gb iso pdf doc xls ppt game games online war pk "
    "boss npc rpg act "
)
_LATIN_WORDS: Final = frozenset(_LATIN_WORDS_TEXT.split())


def _latin(sentence: Sentence) -> Iterator[Weighed]:
    """A Latin word: a name only where all around it says so."""
    text = sentence.text
    for found in _LATIN.finditer(text):
        start, end = found.span()
        word = found[0]
        points = -0.6
        if word.lower() in _LATIN_WORDS or _beside_digit(text, start, end):
            continue
        if word.isupper():
            points -= 0.8
        elif word[0].isupper():
            points += 0.3
        if len(word) <= 3:
            points -= 0.4
        if _GLOSS.search(text[max(0, start - 5) : start]) and text[end : end + 1] in (
            "）",
            ")",
            "",
        ):
            points += 2.6
        yield start, end, points


_GLOSS: Final = re.compile(rf"[{_SOUND}]{{3}}[（(]$")


def _beside_digit(text: str, start: int, end: int) -> bool:
    near = text[max(0, start - 1) : start] + text[end : end + 1]
    return any(character.isdigit() or character in "@./_" for character in near)
