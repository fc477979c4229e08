"""What plain regular expressions over the whole text find: the baseline of the measurement."""

from __future__ import annotations

import re
from typing import Any

from matcher.kind import guess_kind

_DAY = r"(\d{4})年(\d{1,2})月(\d{1,2})日"
_RULES = {
    "enterprise": (
        (r"(?:本市|我市|云州市?)[^，。；]{0,8}(?:注册|登记)", "registered_in_city"),
        (
            r"在?(云东区|云西区|清河区|江南区|高新区|临山县)[^，。；]{0,6}(?:注册|登记)",
            "district = '{0}'",
        ),
        (r"工业企业|制造业", "industry = 'industry'"),
        (r"中小微企业|中小企业", "scale IN ('micro', 'small', 'medium')"),
        (r"小微企业", "scale IN ('micro', 'small')"),
        (r"高新技术企业", "is_high_tech"),
        (r"失信|重大违法", "NOT has_serious_violation"),
        (r"从业人[员数][^，。；\d]{0,4}不超过(\d+)人", "headcount <= {0}"),
        (r"营业收入[^，。；\d]{0,6}(?:不低于)?(\d+)万元以上", "revenue_wan >= {0}"),
        (r"注册[^，。；\d]{0,4}满(\d+)年", "registered_years >= {0}"),
        (r"研发[^，。；\d]{0,8}不低于(\d+)万元", "rd_expense_wan >= {0}"),
        (r"失业保险费(\d+)个月以上", "unemployment_paid_months >= {0}"),
    ),
    "resident": (
        (r"(?:本市|云州市)[^，。；]{0,2}户[籍口]", "hukou = 'local'"),
        (r"年满(\d+)周岁|(\d+)周岁以上", "age >= {0}"),
        (r"低保", "is_low_income"),
        (r"自有住房", "NOT owns_home"),
        (r"重度残疾", "disability_level IN (1, 2)"),
        (r"退役士兵", "veteran"),
        (r"登记失业", "unemployment_registered"),
        (r"灵活就业", "employment = 'flexible'"),
        (r"(\d+)岁以下婴幼儿", "youngest_child_age < {0}"),
        (r"毕业(\d+)年", "graduation_years <= {0}"),
        (r"失业保险费?(\d+)个月", "unemployment_insurance_months >= {0}"),
    ),
}


def extract(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the fields and the predicates that the expressions find in ``text``."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    kind = guess_kind(text) or "enterprise"
    days = ["{}-{:0>2}-{:0>2}".format(*match) for match in re.findall(_DAY, text)]
    share = re.search(r"(\d+(?:\.\d+)?)(%|万元|元)", text)
    cap = re.search(r"最高(?:不超过)?(\d+(?:\.\d+)?)(万?元)", text)
    span = re.search(rf"{_DAY}[^。\d]{{0,4}}(?:至|到|—|-)[^。\d]{{0,2}}{_DAY}", text)
    number = re.search(r"[\u4e00-\u9fa5]+〔\d{4}〕\d+号", text)
    phone = re.search(r"0\d{2,3}-\d{7,8}", text)
    signed = [line for line in lines[-4:] if re.search(r"(?:局|厅|部|会|府)$", line)]
    issuer = signed[0] if signed else None
    materials = re.search(r"材料[：:]([^。\n]+)", text)
    fields = {
        "title": lines[0],
        "number": number[0] if number else None,
        "issuer": issuer,
        "date": days[-1] if days else None,
        "level": _level(issuer or lines[0]),
        "audience": kind,
        "theme": None,
        "amount": share[1] if share else None,
        "unit": share[2] if share else None,
        "cap": cap[1] if cap else None,
        "opens": "{}-{:0>2}-{:0>2}".format(*span.groups()[:3]) if span else None,
        "closes": "{}-{:0>2}-{:0>2}".format(*span.groups()[3:]) if span else None,
        "phone": phone[0] if phone else None,
        "materials": materials[1].split("、") if materials else [],
    }
    whens = {}
    for pattern, predicate in _RULES[kind]:
        for match in re.finditer(pattern, text):
            values = [value for value in match.groups() if value]
            whens[predicate.format(*values) if values else predicate] = True
    return fields, [when for when in whens if "{" not in when]


def _level(words: str) -> str:
    if re.search("区|县", words):
        return "district"
    if "市" in words:
        return "city"
    return "province" if "省" in words else "national"
