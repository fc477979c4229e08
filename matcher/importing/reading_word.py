"""Paragraphs and table rows of a Word file (docx), in their order."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import docx
from docx.document import Document
from docx.opc.exceptions import OpcError
from docx.table import Table
from lxml.etree import LxmlError

from base.errors import InputError

__all__ = ["paragraphs"]


def paragraphs(content: bytes) -> list[str]:
    """Return the text of the docx file ``content``; a table row is ``cell：cell`` in one line.

    Raises:
        InputError: ``policy_file_broken``, when it is not a Word file or carries a document
            type of its own (the way to external entities).
    """
    try:
        _refuse_entities(content)
        return list(_texts(docx.Document(io.BytesIO(content))))
    except (OpcError, LxmlError, zipfile.BadZipFile, KeyError, ValueError, AttributeError,
            NotImplementedError, OSError, RuntimeError) as error:  # fmt: skip
        # python-docx meets a malformed package with any of these; RuntimeError: encrypted.
        raise InputError(
            "policy_file_broken", "Word 文件已损坏或者不是 docx 格式，无法读取。", repr(error)
        ) from error


def _refuse_entities(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            with package.open(name) as part:
                if b"<!DOCTYPE" in part.read(4096):
                    raise ValueError(f"document type in {name}")


def _texts(document: Document) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from _rows(block)
        else:
            yield from block.text.split("\n")


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells = list(dict.fromkeys(text for cell in row.cells if (text := cell.text.strip())))
        if cells:
            yield "：".join([cells[0], "，".join(cells[1:])]) if len(cells) > 1 else cells[0]
