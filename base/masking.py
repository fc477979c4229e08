"""Masking of personal data in anything that is logged."""

from __future__ import annotations

import re

# Order matters: an 18-digit id number also contains an 11-digit run.
_PATTERNS = (
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), "<身份证号>"),  # GB 11643-1999
    (re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"), "<手机号>"),
    (re.compile(r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)"), "<电话>"),
    (re.compile(r"(?<!\d)\d{16,19}(?!\d)"), "<卡号>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<邮箱>"),
)


def mask(text: str) -> str:
    """Return ``text`` with id numbers, phones, bank cards and e-mail addresses replaced."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
