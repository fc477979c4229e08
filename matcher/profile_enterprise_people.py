"""The columns of an enterprise profile about staff, wages and social insurance."""

from __future__ import annotations

from matcher.attributes import Columns

_c = Columns("enterprise")

PEOPLE = (
    _c.integer(
        "insured_staff", "人", "参保职工人数", "企业有多少名职工参加了社会保险？", maximum=2_000_000
    ),
    _c.integer(
        "unemployment_paid_months",
        "个月",
        "连续足额缴纳失业保险费的月数",
        "企业已经足额缴纳失业保险费多少个月了？",
        maximum=600,
    ),
    _c.number(
        "layoff_rate", "%", "上年度裁员率", "企业上一年度的裁员率是百分之多少？", maximum=100
    ),
    _c.integer(
        "new_graduates_hired",
        "人",
        "新招用高校毕业生或失业青年人数",
        "今年新招了多少名应届或离校两年内未就业的高校毕业生、登记失业青年？",
    ),
    _c.integer(
        "key_groups_hired",
        "人",
        "新招用重点就业群体人数",
        "近一年新招了多少名符合创业担保贷款条件的人员（如登记失业人员、高校毕业生、退役军人）？",
    ),
    _c.integer(
        "veterans_hired", "人", "招用自主就业退役士兵人数", "企业招用了多少名自主就业退役士兵？"
    ),
    _c.number(
        "disabled_staff_ratio",
        "%",
        "残疾人职工占比",
        "残疾人职工占在职职工总数的百分之多少？",
        maximum=100,
    ),
    _c.number(
        "unemployment_premium_wan",
        "万元",
        "上年度实缴失业保险费",
        "上一年度企业和职工一共缴了多少万元失业保险费？",
    ),
    _c.number("payroll_wan", "万元", "年度工资薪金总额", "企业一年发的工资薪金总额是多少万元？"),
    _c.number(
        "training_expense_wan",
        "万元",
        "年度职工教育经费支出",
        "企业一年花在职工培训教育上的钱有多少万元？",
    ),
    _c.integer(
        "unemployed_hired",
        "人",
        "招用脱贫人口或登记失业半年以上人员数",
        "招了多少名脱贫人口，或者登记失业半年以上的人员？",
    ),
    _c.integer("hardship_hired", "人", "招用就业困难人员数", "招了多少名经认定的就业困难人员？"),
    _c.integer("interns", "人", "就业见习人数", "现在接收了多少名就业见习人员？"),
    _c.integer("apprentices", "人", "企业新型学徒人数", "今年有多少名职工参加企业新型学徒制培训？"),
    _c.integer("disabled_staff", "人", "残疾人职工人数", "企业有多少名残疾人职工？"),
    _c.number(
        "disabled_wage_wan",
        "万元",
        "支付给残疾职工的年工资",
        "一年支付给残疾职工的工资一共有多少万元？",
    ),
    _c.integer("doctors_hired", "人", "上年度新引进博士人数", "上一年度新引进了多少名博士？"),
)
"""Columns about staff, wages and social insurance."""
