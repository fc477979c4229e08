"""How an answer is read aloud: numbers as they are said, and no more at once than is remembered.

A ticket number and a telephone are said digit by digit, 1 as 幺, as on the telephone (《现代汉语
词典》, 幺: 数目中的“一”, 用于电话号码等); amounts, dates and times as whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cn2an

SHORT_TURN = 2
"""Sentences read in one turn."""
_SENTENCE_CHARS = 60
"""A longer one is cut at its commas."""

_UNSPOKEN = str.maketrans(
    {
        "【": None,
        "】": "，",
        "“": None,
        "”": None,
        "（": "，",
        "）": "，",
        "…": "，",
        "\u200b": None,
    }
)
_BULLET = re.compile(r"^(?:[·•\-–]\s*|(?P<number>\d{1,2})[.、．](?!\d)\s*)", re.ASCII)
_LINK = re.compile(r"https?://[^\s，。；）)]+")
_BY_DIGIT = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_ON_TELEPHONE = {**_BY_DIGIT, "1": "幺"}
_PAUSES = re.compile(r"，{2,}|，(?=[。！？；：])|(?<=[。！？；：])，|^，")
_LAST_MARKS = "。！？，；："
_SENTENCE = re.compile(r"[^。！？；]*[。！？；]+|[^。！？；]+$")
_CLAUSES = re.compile(r"[^，：]*[，：]|[^，：]+$")

_TWO = re.compile(
    r"二(?=[个位天次张份件项条名户家岁小周千万亿人间套部辆台斤]|分钟|公里|平方|块|种)"
)
_TENS_BEFORE = "十百千万亿点零一二三四五六七八九第"


def _number(text: str) -> str:
    """Return a number as it is said: 1200.5 一千二百点五, 10 十."""
    whole, _, fraction = text.partition(".")
    if len(whole) > 12 or (len(whole) > 1 and whole.startswith("0")):
        return _digits(text)
    fraction = fraction.rstrip("0")
    said = str(cn2an.an2cn(whole, "low"))
    said = re.sub(r"^一十", "十", said)
    return f"{said}点{_digits(fraction)}" if fraction else said


def _digits(text: str) -> str:
    return "".join(_BY_DIGIT.get(char, "点" if char == "." else char) for char in text)


def _telephone(text: str) -> str:
    return "".join(_ON_TELEPHONE.get(char, "，") for char in re.sub(r"\*+", "*", text))


def _ticket(match: re.Match[str]) -> str:
    day, serial = match.group(1), match.group(2)
    return f"，S M，{_telephone(day[:4])}，{_telephone(day[4:])}，{_telephone(serial)}，"


def _month(text: str) -> str:
    return _number(str(int(text)))


def _day(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    told = f"{_digits(year)}年" if year else ""
    return f"{told}{_month(month)}月{_month(day)}日"


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), int(match.group(2))
    told = "" if not minute else f"零{_number(str(minute))}分" if minute < 10 else None
    return f"{_number(str(hour))}点{f'{_number(str(minute))}分' if told is None else told}"


_SPACE = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_RULES: tuple[Rule, ...] = (
    (_LINK, lambda _: "屏幕上的链接"),
    (_rule(r"SM(\d{8})(\d{6})(?!\d)"), _ticket),
    (_rule(r"(?<!\d)(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?!\d)"), _day),
    (_rule(r"(?<!\d)(?:(20\d\d)年)(?!\d)"), lambda m: f"{_digits(m.group(1))}年"),
    (_rule(r"(?<![\d-])()(0[1-9]|1[0-2])-([0-3]\d)(?=\s+\d{1,2}:\d\d)"), _day),
    (
        _rule(r"(?<!\d)(1[3-9]\d[\d*]{8}|0\d{2,3}[- ]?\d{7,8}|400[- ]?\d{3}[- ]?\d{4})(?!\d)"),
        lambda m: _telephone(m.group(1)),
    ),
    (
        _rule(
            r"(?<![\d.])((?:11[0-9]|12[0-2])(?!\d)(?=[，。、；）)]|报警|电话|急救|热线|$)|12\d{3}"
            r"|9[56]\d{3,4})(?![\d元.%])"
        ),
        lambda m: _telephone(m.group(1)),
    ),
    (_rule(r"(?<=\d)\s*[-–—~～]\s*(?=\d)"), lambda _: "至"),
    (_rule(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?::[0-5]\d)?(?!\d)"), _time),
    (_rule(r"(?<=\d),(?=\d{3}(?!\d))"), lambda _: ""),
    (_rule(r"(\d+(?:\.\d+)?)\s*[%％]"), lambda m: f"百分之{_number(m.group(1))}"),
    (_rule(r"(\d+(?:\.\d+)?)\s*㎡"), lambda m: f"{_number(m.group(1))}平方米"),
    (_rule(r"\d{7,}(?![\d.元人]|万)"), lambda m: _telephone(m.group())),
    (_rule(r"\d+(?:\.\d+)?"), lambda m: _number(m.group())),
)


def read_aloud(text: str) -> str:
    """Return ``text`` as it is said: numbers in words, pauses for line breaks and brackets."""
    lines = (_said_line(line.strip()) for line in text.splitlines())
    said = "".join(line if line[-1] in _LAST_MARKS else f"{line}。" for line in lines if line)
    return _PAUSES.sub(lambda m: "，" if len(m.group()) > 1 else "", said)


def _said_line(line: str) -> str:
    bullet = _BULLET.match(line)
    if bullet:
        number = bullet.group("number")
        line = (f"第{number}，" if number else "") + line[bullet.end() :]
    for pattern, say in _RULES:
        line = pattern.sub(say, line)
    line = _SPACE.sub("", line.translate(_UNSPOKEN)).strip()
    return _PAUSES.sub(lambda m: "，" if len(m.group()) > 1 else "", _couples(line))


def _couples(text: str) -> str:
    """Say 两 for a 二 that counts something: 两个, 两天; 十二个 and 第二个 stay."""
    return _TWO.sub(
        lambda m: "二" if m.start() and text[m.start() - 1] in _TENS_BEFORE else "两", text
    )


@dataclass(frozen=True)
class Turn:
    """What is read now, and what is left for “继续”."""

    now: str
    rest: str


def short_turn(said: Sequence[str], sentences: int = SHORT_TURN) -> Turn:
    """Cut what is to be read after so many short sentences.

    The question that ends an answer is what the citizen replies to: it is read now, as the last
    of the sentences, and what stands before it can be asked for.

    Args:
        said: texts of :func:`read_aloud`, in order.
        sentences: how many are read now.
    """
    found = [piece for text in said for piece in _sentences(text)]
    if len(found) <= sentences:
        return Turn("".join(found), "")
    if found[-1].endswith("？") and sentences > 1:
        first = found[: sentences - 1]
        return Turn("".join([*first, found[-1]]), "".join(found[sentences - 1 : -1]))
    return Turn("".join(found[:sentences]), "".join(found[sentences:]))


def _sentences(text: str) -> list[str]:
    """Split into sentences; one too long to be kept in mind is cut at a comma."""
    found: list[str] = []
    for sentence in (m.group() for m in _SENTENCE.finditer(text)):
        piece = ""
        for clause in (m.group() for m in _CLAUSES.finditer(sentence)):
            if piece and len(piece) + len(clause) > _SENTENCE_CHARS:
                found.append(f"{piece.rstrip('，：')}。")
                piece = ""
            piece += clause
        found.append(piece)
    return [sentence for sentence in found if any(char.isalnum() for char in sentence)]
