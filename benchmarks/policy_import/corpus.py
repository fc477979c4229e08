"""The annotated texts of the measurement, and the files made of them."""

from __future__ import annotations

import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import yaml
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

TEXTS = Path(__file__).parent / "texts"
FONT = "STSong-Light"
_PAGE = """<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: serif }}</style><script>var visited = 1;</script></head><body>
<header><div class="logo">云州市人民政府</div></header>
<nav><a href="/">首页</a><a href="/gk">政务公开</a><a href="/fw">办事服务</a></nav>
<div class="breadcrumb">当前位置：首页 &gt; 政策文件</div>
<div class="content"><h1>{title}</h1>{lines}</div>
<ul class="links"><li><a href="/1">中国政府网</a></li><li><a href="/2">华东省人民政府</a></li>
<li><a href="/3">云州发布</a></li></ul>
<div class="footer">主办：云州市人民政府办公室 网站标识码：0000000000 电话：0571-00000000</div>
</body></html>"""


@dataclass(frozen=True)
class Sample:
    """One text with its annotation.

    Args:
        name: file name without its ending.
        held_out: it was not looked at while the extractor was written.
        content: the document as a file.
        gold: value of each field, None for what the text does not say.
        conditions: ``{"when", "text"}`` of each condition, ``when`` None when no column fits.
    """

    name: str
    held_out: bool
    content: bytes
    gold: dict[str, Any]
    conditions: list[dict[str, Any]]


def load() -> list[Sample]:
    """Return every text, those for development first."""
    found = []
    for split in ("dev", "held_out"):
        for path in sorted((TEXTS / split).glob("*.yml")):
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
            content = as_file(data["text"], data["format"])
            found.append(
                Sample(path.stem, split == "held_out", content, data["gold"], data["conditions"])
            )
    return found


def as_file(text: str, kind: str) -> bytes:
    """Return ``text`` as a file of ``kind`` (txt, html, docx or pdf), one paragraph a line."""
    lines = [line for line in text.split("\n") if line.strip()]
    if kind == "html":
        body = "".join(f"<p>{html.escape(line)}</p>" for line in lines[1:])
        return _PAGE.format(title=html.escape(lines[0]), lines=body).encode()
    if kind == "docx":
        return _word(lines)
    if kind == "pdf":
        return _pdf(lines)
    return text.encode()


def _word(lines: list[str]) -> bytes:
    document = docx.Document()
    document.add_heading(lines[0], 0)
    for line in lines[1:]:
        document.add_paragraph(line)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _pdf(lines: list[str]) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    style = ParagraphStyle("body", fontName=FONT, fontSize=12, leading=20, wordWrap="CJK")
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, pagesize=A4).build(
        [Paragraph(html.escape(line), style) for line in lines]
    )
    return buffer.getvalue()
