"""From the two-digit division of GB/T 4754 to the industry that grades an enterprise's scale.

《国民经济行业分类》 (GB/T 4754-2017) numbers its divisions 01 to 97. 《中小企业划型标准规定》
(工信部联企业〔2011〕300号) grades by sixteen groups of them; which division lies in which group
is told by 《统计上大中小微型企业划分办法（2017）》 (国统字〔2017〕213号), table and note 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DIVISIONS", "industry_of"]

_RANGES: tuple[tuple[int, int, str], ...] = (
    (1, 5, "agriculture"),
    (6, 46, "industry"),
    (47, 50, "construction"),
    (51, 51, "wholesale"),
    (52, 52, "retail"),
    (54, 58, "transport"),
    (60, 60, "post"),
    (61, 61, "accommodation"),
    (62, 62, "catering"),
    (63, 64, "information"),
    (65, 65, "software"),
    (71, 72, "leasing_business"),
    (73, 82, "other"),
    (85, 90, "other"),
)

DIVISIONS: Mapping[int, str] = MappingProxyType(
    {division: industry for first, last, industry in _RANGES for division in range(first, last + 1)}
)
"""Division to industry, where the division alone decides.

Left out, because it does not: 59 (loading is transport, warehousing is storage) and 70
(development, property management and agencies are three groups). Outside the standard altogether:
53 railways, 66 to 69 finance, 83 education, 84 health, 91 to 97 government and organisations.
"""


def industry_of(division: int) -> str | None:
    """Return the industry of GB/T 4754-2017 division ``division``, None when it leaves it open."""
    return DIVISIONS.get(division)
