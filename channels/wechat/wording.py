"""Replies as texts of the platform: pieces that fit, buttons as choices to answer with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from channels.message import Button, Reply
from channels.seam.plain import plain_text, split_text

LONGEST_BYTES = 2048
"""Of a text, UTF-8: passive replies and customer-service messages (45002: too long)."""
ASKED = "回复前面的数字或字母选择："
MAX_TITLE = 60
_ROOM = LONGEST_BYTES - len(f"\n\n{ASKED}".encode())
_LINE_EXTRA = len("\n99. ")
_HOW_MANY = re.compile(r"(多少|几[个人岁口年月层]|多大|年龄|人数)")
_OWN_NUMBER = re.compile(r"\d{1,2}[.、．]")
_CHOICE = re.compile(
    r"(?:我?选择?|回复|第)?\s*([0-9]{1,2}|[A-Z]|[一二三四五六七八九十])\s*[个项号]?[.。、,)]*"
)
_HAN_NUMBERS = {char: str(number) for number, char in enumerate("一二三四五六七八九十", 1)}


def divide_reply(reply: Reply) -> tuple[Reply, ...]:
    """Cut a reply into pieces of at most :data:`LONGEST_BYTES` when they are rendered.

    Cards stay with the first piece, buttons come after the last words.
    """
    texts = split_text(plain_text(reply), LONGEST_BYTES, _utf8_bytes)
    pieces = [Reply(text=text, speech="") for text in texts]
    for group in _grouped(reply.buttons):
        last = pieces[-1] if pieces and not pieces[-1].buttons else None
        if last is not None and _size(last.text) + _shown_size(group) <= LONGEST_BYTES:
            pieces[-1] = last.model_copy(update={"buttons": group})
        else:
            pieces.append(Reply(text="", speech="", buttons=group))
    if pieces:
        pieces[0] = pieces[0].model_copy(update={"cards": reply.cards})
    return tuple(pieces)


def rendered(piece: Reply, labels: Sequence[str]) -> str:
    """Return a piece as text, with the label of each of its buttons."""
    if not piece.buttons:
        return piece.text
    lines = [
        f"{label}. {_title(button)}" for label, button in zip(labels, piece.buttons, strict=True)
    ]
    return "\n".join([*([piece.text, ""] if piece.text else []), ASKED, *lines])


def rendered_size(piece: Reply) -> int:
    """Return the most bytes that a piece may have when it is rendered."""
    return _size(piece.text) + (_shown_size(piece.buttons) if piece.buttons else 0)


def wants_letters(piece: Reply) -> bool:
    """Tell whether a number means something else: a datum (企业有多少人？), or a title's own."""
    own = any(_OWN_NUMBER.match(button.title) for button in piece.buttons)
    return own or _HOW_MANY.search(piece.text) is not None


def label_of(text: str) -> str | None:
    """Return the label that a citizen may mean by ``text``: 1, １、, 选2, 第三个, b."""
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    match = _CHOICE.fullmatch(plain)
    if match is None:
        return None
    label = _HAN_NUMBERS.get(match.group(1), match.group(1))
    return label.lstrip("0") or None


def _grouped(buttons: Sequence[Button]) -> Iterator[tuple[Button, ...]]:
    """Put as many buttons together as fit one message."""
    group: tuple[Button, ...] = ()
    for button in buttons:
        if group and _shown_size((*group, button)) > LONGEST_BYTES:
            yield group
            group = ()
        group = (*group, button)
    if group:
        yield group


def _shown_size(buttons: Sequence[Button]) -> int:
    lines = sum(_LINE_EXTRA + _size(_title(button)) for button in buttons)
    return LONGEST_BYTES - _ROOM + lines


def _title(button: Button) -> str:
    return " ".join(button.title.split())[:MAX_TITLE]


def _size(text: str) -> int:
    return len(text.encode())


def _utf8_bytes(char: str) -> int:
    return len(char.encode())
