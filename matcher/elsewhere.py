"""Matters that citizens ask a city about and that it does not handle, with who does.

Knowing what one does not handle keeps a finder from taking it for the nearest thing one does:
a trademark is no business licence.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from base.errors import ConfigurationError
from matcher.documents import Document, Identifier, Text, read_model
from matcher.service import Sentence

__all__ = ["Elsewhere", "load_elsewhere"]


class Elsewhere(Document):
    """One such matter.

    Args:
        answer: who handles it and how to reach them, in one sentence.
    """

    id: Identifier
    name: Text
    aliases: tuple[Text, ...] = ()
    questions: tuple[Text, ...] = Field(min_length=3)
    answer: Sentence


class _File(Document):
    matters: tuple[Elsewhere, ...]


def load_elsewhere(path: Path) -> tuple[Elsewhere, ...]:
    """Read the matters of one file with the single key ``matters``; a city may have no such file.

    Raises:
        ConfigurationError: the file is wrong or an id comes twice.
    """
    if not path.exists():
        return ()
    matters = read_model(path, _File).matters
    seen: set[str] = set()
    for matter in matters:
        if matter.id in seen:
            raise ConfigurationError(f"{path}: id: {matter.id!r} is taken")
        seen.add(matter.id)
    return matters
