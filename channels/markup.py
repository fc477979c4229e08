"""Words without the markup that copying from a web page brings along."""

from __future__ import annotations

import re

__all__ = ["without_markup"]

_BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|td|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>")


def without_markup(text: str) -> str:
    """Return what a reader of ``text`` sees: its words without HTML tags.

    A tag that parts lines leaves a space. Only what begins like a tag counts: 噪音<60分贝 and
    <手机号> stay. A text of nothing but tags stays as it is.
    """
    plain = _TAG.sub("", _BREAK.sub(" ", text)).strip()
    return plain or text
