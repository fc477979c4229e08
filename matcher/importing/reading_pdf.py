"""Paragraphs of a PDF: its lines, joined where a line was only full."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pypdf
from pypdf.errors import PyPdfError

from base.errors import InputError, TooLargeError

__all__ = ["MAX_PAGES", "paragraphs"]

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # every oddity of a file; we say it once

MAX_PAGES = 80
MAX_CHARS = 200_000
_SCANNED_CHARS_PER_PAGE = 15
_ENDS = ("。", "；", "：", "！", "？", ";", ":")
_STARTS = re.compile(
    r"第[一二三四五六七八九十百零\d]{1,6}[章条]|[（(][一二三四五六七八九十\d]{1,3}[)）]|[①-⑳]|问：|答：|【"
)


def paragraphs(content: bytes) -> list[str]:
    """Return the paragraphs of the PDF file ``content``.

    Raises:
        InputError: encrypted, scanned (pages without text) or broken.
        TooLargeError: more than ``MAX_PAGES`` pages or ``MAX_CHARS`` characters.
    """
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError("policy_file_encrypted", "PDF 文件加了密码，请提供不加密的文件。")
        pages = len(reader.pages)
        if pages > MAX_PAGES:
            raise TooLargeError(
                "policy_file_too_large",
                f"PDF 超过{MAX_PAGES}页，请只保留政策正文。",
                f"{pages} pages",
            )
        lines = list(_lines(reader))
    except InputError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError,
            OSError, NotImplementedError, ZeroDivisionError) as error:  # fmt: skip
        # A malformed file makes the parser fail in any of these ways.
        raise InputError("policy_file_broken", "PDF 文件已损坏，无法读取。", repr(error)) from error
    if sum(map(len, lines)) < _SCANNED_CHARS_PER_PAGE * pages:
        raise InputError(
            "policy_file_scanned",
            "PDF 里只有图片没有文字（可能是扫描件），请提供文字版或先做文字识别。",
        )
    return _joined(lines)


def _lines(reader: pypdf.PdfReader) -> Iterator[str]:
    total = 0
    for page in reader.pages:
        text = page.extract_text()
        total += len(text)
        if total > MAX_CHARS:
            raise TooLargeError("policy_file_too_large", "PDF 文字太多，请只保留政策正文。")
        yield from (line.strip() for line in text.splitlines() if line.strip())


def _joined(lines: list[str]) -> list[str]:
    """Close the breaks that only the width of the page made.

    A line as long as the page is wide, without an end to its sentence, goes on in the next,
    even where that begins with 一、 (残疾等级为 / 一、二级).
    """
    width = max(map(_width, lines), default=0)
    found: list[str] = []
    full = False
    for line in lines:
        if found and full and not _STARTS.match(line):
            found[-1] += line
        else:
            found.append(line)
        full = _width(line) >= 0.85 * width and not line.endswith(_ENDS)
    return found


def _width(line: str) -> int:
    """Return how wide ``line`` is printed, in half characters: a digit is half a 字."""
    return sum(1 if char.isascii() else 2 for char in line)
