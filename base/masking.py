"""Masking of personal data in anything that is logged."""

from __future__ import annotations

import re

MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)")

# Order matters: an 18-digit id number also contains an 11-digit run.
_PATTERNS = (
    # GB 11643-1999: region, birth date, sequence and check character
    (re.compile(r"(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx](?!\d)"), "<身份证号>"),
    (re.compile(r"(?<!\d)\d{4}(?:[ -]\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)"), "<卡号>"),
    (MOBILE, "<手机号>"),
    (LANDLINE, "<电话>"),
    (re.compile(r"(?<!\d)\d{16,19}(?!\d)"), "<卡号>"),
    # Any other long run may hide one of the above; only a ticket number (two letters, a
    # date, six digits) is worth keeping.
    (
        re.compile(
            r"(?<!\d)(?!(?<=[A-Z]{2})20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{6}(?!\d))"
            r"\d{11,}[Xx]?"
        ),
        "<号码>",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<邮箱>"),
)


_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ＠", "0123456789Xx@")


def mask(text: str) -> str:
    """Return ``text`` with id numbers, phones, bank cards and e-mail addresses replaced.

    Digits of full width, as Chinese keyboards also write them, count and come back narrow.
    """
    text = text.translate(_FULL_WIDTH)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
