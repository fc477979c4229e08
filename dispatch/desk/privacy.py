"""What a citizen wrote, made fit for the open API.

GeoReport lists are readable without a key. The dispatcher sees the full words on the page;
the API hides numbers that identify a person.
"""

from __future__ import annotations

import re

# An 18-digit resident identity number (GB 11643) or an 11-digit mobile number, not inside a
# longer run of digits; spaces and hyphens between the usual groups are allowed.
_IDENTITY = re.compile(r"(?<!\d)(\d{6})(\d{8})(\d{3}[\dXx])(?![\dXx])")
_MOBILE = re.compile(r"(?<!\d)((?:\+?86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)")


def masked(text: str) -> str:
    """Return ``text`` with identity and mobile numbers reduced to their ends."""
    return _MOBILE.sub(r"\1****\2", _IDENTITY.sub(r"\1********\3", text))
