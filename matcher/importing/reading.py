"""A document's bytes as clean paragraphs: plain text, web page, Word or PDF.

The files come from strangers: their size, their pages and what they unpack to are limited, an
encrypted or scanned PDF is named as such, and no external entity is ever fetched.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections import Counter

from base.errors import InputError, TooLargeError
from matcher.importing import reading_html, reading_pdf, reading_word

__all__ = ["MAX_BYTES", "MAX_CHARS", "read_paragraphs"]

MAX_BYTES = 10 * 1024 * 1024
MAX_CHARS = 60_000
MAX_UNPACKED = 60 * 1024 * 1024
MIN_CHARS = 40

_SPACES = re.compile(r"[^\S\n]+")
_CJK_GAP = re.compile(r"(?<=[\u3400-\u9fff，。；：、]) (?=[\u3400-\u9fff，。；：、])")
_PAGE_NUMBER = re.compile(
    r"[-—–－\s]*(?:第?\s*\d{1,4}\s*页?(?:\s*[/共]\s*\d{1,4}\s*页?)?)[-—–－\s]*"
)
_FULL_WIDTH = {ord(a): b for a, b in zip("０１２３４５６７８９％", "0123456789%", strict=True)}
_RADICALS = re.compile("[\u2e80-\u2fdf]")


def read_paragraphs(content: bytes) -> tuple[str, ...]:
    """Return the paragraphs of a document, its kind told by its bytes.

    Digits and the per cent sign are made half-width, line breaks inside a paragraph of a PDF
    are closed, page numbers and running heads are dropped; every other character stays.

    Args:
        content: the file, at most ``MAX_BYTES``.

    Raises:
        TooLargeError: ``policy_file_too_large``: too many bytes, pages or characters.
        InputError: ``policy_file_encrypted``, ``policy_file_scanned``, ``policy_file_broken``,
            ``policy_file_empty`` or ``policy_file_unknown``, each with a Chinese sentence.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(f"文件超过{MAX_BYTES // 1024 // 1024}MB", f"{len(content)} bytes")
    if content.startswith(b"%PDF-"):
        lines = reading_pdf.paragraphs(content)
    elif content.startswith(b"PK\x03\x04"):
        _check_package(content)
        lines = reading_word.paragraphs(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            "policy_file_unknown",
            "这是旧版Office文件或者加了密码的文件，请另存为不加密的 docx 或 PDF 后再导入。",
        )
    else:
        text = _decoded(content)
        lines = reading_html.paragraphs(text) if reading_html.is_html(text) else text.split("\n")
    cleaned = [line for line in map(_clean, lines) if line]
    total = sum(map(len, cleaned))
    if total > MAX_CHARS:
        raise _too_large(f"文件文字超过{MAX_CHARS}字", f"{total} characters")
    if total < MIN_CHARS:
        raise InputError("policy_file_empty", "文件里几乎没有文字，请检查是否选错了文件。")
    return tuple(_without_furniture(cleaned))


def _decoded(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and _readable(text):
            return text
    raise InputError(
        "policy_file_unknown", "无法识别这个文件，请提供 txt、html、docx 或 PDF 格式的政策文件。"
    )


def _readable(text: str) -> bool:
    """Say whether ``text`` is writing: hardly any control characters in it."""
    odd = sum(unicodedata.category(char) in ("Cc", "Co", "Cn") for char in text[:5000])
    breaks = sum(char in "\n\r\t\f" for char in text[:5000])
    return odd - breaks <= len(text[:5000]) // 100


def _check_package(content: bytes) -> None:
    """Refuse an archive that unpacks to too much before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            unpacked = sum(entry.file_size for entry in package.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError) as error:
        raise InputError("policy_file_broken", "文件已损坏，无法打开。", str(error)) from error
    if unpacked > MAX_UNPACKED:
        raise _too_large("文件解压后太大", f"{unpacked} bytes unpacked")


def _clean(line: str) -> str:
    line = _RADICALS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), line)
    line = line.translate(_FULL_WIDTH).replace("\u3000", " ").replace("\xa0", " ")
    line = re.sub("[\u200b-\u200f\u2060\ufeff\x00-\x08\x0b-\x1f]", "", line)
    return _CJK_GAP.sub("", _SPACES.sub(" ", line)).strip() if _is_prose(line) else line.strip()


def _is_prose(line: str) -> bool:
    """A line of prose has stray gaps only; one with several blocks keeps them (two issuers)."""
    return len(line) > 60 or line.rstrip().endswith(("。", "；", "："))


def _without_furniture(lines: list[str]) -> list[str]:
    """Drop page numbers, and a short line that stands on many pages."""
    often = {line for line, times in Counter(lines).items() if times >= 4 and len(line) < 40}
    return [line for line in lines if line not in often and not _PAGE_NUMBER.fullmatch(line)]


def _too_large(what: str, detail: str) -> TooLargeError:
    return TooLargeError("policy_file_too_large", f"{what}，请拆分后再导入。", detail)
