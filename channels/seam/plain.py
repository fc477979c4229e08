"""Replies as plain text, for channels that show nothing but text and buttons."""

from __future__ import annotations

from collections.abc import Callable

from channels.message import Card, Reply

_LINK = ("http://", "https://")


def plain_text(reply: Reply) -> str:
    """Return the words of a reply, with the links that only its cards hold.

    A reply without words says what its cards say.
    """
    if not reply.text.strip():
        return "\n\n".join(_whole(card) for card in reply.cards)
    links = [
        f"{name}：{value}"
        for card in reply.cards
        for name, value in card.fields.items()
        if value.startswith(_LINK) and value not in reply.text
    ]
    return "\n".join([reply.text, *links])


def _whole(card: Card) -> str:
    lines = [f"{name}：{value}" for name, value in card.fields.items()]
    return "\n".join([card.title, *lines])


def utf16_length(text: str) -> int:
    """Return the UTF-16 code units of a text: what platforms count."""
    return len(text.encode("utf-16-le")) // 2


def split_text(text: str, limit: int, measure: Callable[[str], int] = utf16_length) -> list[str]:
    """Cut a text into pieces of at most ``limit`` units, at the ends of lines or sentences.

    Nothing is lost but white space where it is cut; a text of white space alone gives no piece.
    ``measure`` tells the units of a character: UTF-16 code units, or what a platform counts.
    """
    pieces, rest = [], text.strip()
    while sum(map(measure, rest)) > limit:
        end = _cut(rest, limit, measure)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [piece for piece in (*pieces, rest) if piece]


def _cut(text: str, limit: int, measure: Callable[[str], int]) -> int:
    """Return where to cut: after the last line, else sentence, else as far as it goes.

    A piece is never shorter than half of what it may hold, so that a text full of short lines
    at its beginning does not become many messages.
    """
    units, room = 0, 0
    for char in text:
        units += measure(char)
        if units > limit:
            break
        room += 1
    for marks in ("\n", "。！？；!?;", "，、 ,"):
        end = max(text.rfind(mark, room // 2, room) for mark in marks) + 1
        if end > 0:
            return end
    return room
