"""XML bytes to the same neutral tree that JSON gives.

An element with children becomes a dict, repeated children a list, a leaf its text. DTDs and
entities are refused (defusedxml), namespaces and attributes are ignored.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError  # types only: parsing is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dispatch.open311.errors import DispatchUnreadableError
from dispatch.open311.json_format import Node

_MAX_DEPTH = 40
_DECLARATION = re.compile(
    rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"'][^>]*\?>"
)
# Servers that built their answer in memory declare what their strings were (mySociety's
# open311-adapter holds answers that say utf-16 and are UTF-8). One whose declaration can be read
# as ASCII is not in a two-byte encoding.
_NOT_IN_ASCII = frozenset({"utf-16", "utf-16le", "utf-16be", "utf16", "ucs-2", "unicode"})
# Multi-byte encodings expat cannot read itself, met on Chinese government servers.
_CHINESE_ENCODINGS = frozenset({"gbk", "gb2312", "gb18030", "big5"})


def read_xml(body: bytes) -> Node:
    """Parse an XML answer into ``{root name: content}``.

    Raises:
        DispatchUnreadableError: not well-formed, with a DTD, in an unknown encoding, or nested
            deeper than any GeoReport answer.
    """
    try:
        root = fromstring(_as_utf8(body), forbid_dtd=True)
        return {_name(root): _content(root, 0)}
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DispatchUnreadableError(f"not XML: {str(error)[:120]}") from error


def _as_utf8(body: bytes) -> bytes:
    declared = _DECLARATION.match(body)
    if declared is None:
        return body
    encoding = declared.group(1).decode("ascii").lower()
    if encoding in _NOT_IN_ASCII:
        return body[declared.end() :]
    if encoding not in _CHINESE_ENCODINGS:
        return body
    # gb18030 is the superset of gbk and gb2312; servers often declare the smaller one.
    codec = "big5" if encoding == "big5" else "gb18030"
    return body[declared.end() :].decode(codec).encode()


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _content(element: Element, depth: int) -> Node:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    if len(element) == 0:
        return element.text
    content: dict[str, Node] = {}
    for child in element:
        name, value = _name(child), _content(child, depth + 1)
        held = content.get(name)
        if name not in content:
            content[name] = value
        elif isinstance(held, list):
            held.append(value)
        else:
            content[name] = [held, value]
    return content
