"""The columns of a resident profile."""

from __future__ import annotations

from matcher.attributes import Columns, table

_c = Columns("resident")

GENDERS = {"male": "男", "female": "女"}
HUKOU = {"local": "本市户籍", "other": "外地户籍"}
EMPLOYMENT = {
    "employed": "在单位上班",
    "unemployed": "失业（无业）",
    "self_employed": "自己创业或个体经营",
    "flexible": "灵活就业",
    "student": "在校学生",
    "retired": "退休",
}
EDUCATION = {
    "primary": "小学及以下",
    "junior": "初中",
    "senior": "高中、中专或技校",
    "vocational": "大专（高职）",
    "bachelor": "本科",
    "master": "硕士研究生",
    "doctor": "博士研究生",
}
CERTIFICATES = {
    "none": "没有",
    "junior": "初级工（五级）",
    "intermediate": "中级工（四级）",
    "senior": "高级工（三级）",
    "technician": "技师或高级技师",
}

_PERSON = (
    _c.integer("age", "岁", "年龄", "申请人今年多大年纪？", maximum=120),
    _c.choice("gender", GENDERS, "性别", "申请人是男性还是女性？"),
    _c.choice("hukou", HUKOU, "户籍", "申请人是本市户籍吗？"),
    _c.district("居住的区县", "申请人住在哪个区（县）？"),
    _c.integer(
        "residence_months", "个月", "在本市居住时间", "申请人在本市住了多久？", maximum=1440
    ),
    _c.boolean("married", "已婚", "申请人结婚了吗？"),
    _c.boolean("veteran", "自主就业退役士兵", "申请人是自主就业的退役士兵吗？"),
)

_HOUSEHOLD = (
    _c.number(
        "household_income_monthly",
        "元",
        "家庭人均月收入",
        "家里平均每人每月收入大约多少元？",
    ),
    _c.boolean("is_low_income", "低保家庭", "家里在享受最低生活保障（低保）吗？"),
    _c.boolean(
        "household_assets_within_limit",
        "家庭财产符合低保规定",
        "家里的存款、房产、车辆等财产在低保规定的限额以内吗？",
    ),
    _c.integer("children_count", "个", "子女数", "申请人有几个孩子？", maximum=20),
    _c.number("youngest_child_age", "岁", "最小孩子的年龄", "最小的孩子几岁了？", maximum=80),
    _c.boolean("owns_home", "在本市有自有住房", "申请人家庭在本市有自己的住房吗？"),
    _c.boolean("living_alone", "独居", "申请人是一个人住吗？"),
)

_HEALTH = (
    _c.integer(
        "disability_level",
        "级",
        "残疾等级（0为无残疾）",
        "申请人有残疾人证吗？是几级？没有请说“没有”。",
        maximum=4,
    ),
    _c.boolean("needs_care", "需要长期照护", "申请人的日常起居需要别人长期照护吗？"),
    _c.integer(
        "disabled_months", "个月", "失能持续时间", "生活不能自理的状态持续多久了？", maximum=1440
    ),
    _c.boolean("medical_insured", "参加了本市基本医疗保险", "申请人参加本市的基本医疗保险了吗？"),
)

_WORK = (
    _c.choice(
        "employment", EMPLOYMENT, "就业状况", "申请人现在是上班、失业、灵活就业还是其他情况？"
    ),
    _c.boolean(
        "unemployed_involuntary",
        "非因本人意愿失业",
        "失业是不是单位辞退、合同到期不续签等非本人意愿的原因？",
    ),
    _c.boolean(
        "unemployment_registered",
        "已办理失业登记并有求职要求",
        "申请人办理失业登记、并且有求职要求吗？",
    ),
    _c.integer(
        "unemployment_registered_months",
        "个月",
        "失业登记时间",
        "申请人失业登记多久了？",
        maximum=720,
    ),
    _c.integer(
        "unemployment_insurance_months",
        "个月",
        "失业保险累计缴费时间",
        "申请人的失业保险一共交了多久？",
        maximum=720,
    ),
    _c.integer(
        "social_insurance_months",
        "个月",
        "在本市缴纳社会保险时间",
        "申请人在本市交社保交了多久？",
        maximum=720,
    ),
    _c.boolean(
        "is_business_owner",
        "已注册企业或个体工商户",
        "申请人自己注册了公司或者个体工商户吗？",
    ),
    _c.boolean(
        "is_individual_business",
        "登记了个体工商户",
        "申请人登记的是个体工商户吗？",
    ),
    _c.boolean(
        "startup_key_group",
        "属于创业担保贷款的其他重点群体",
        "申请人是高校毕业生、返乡创业农民工、网络商户、脱贫人口、转业军人或刑满释放人员吗？",
    ),
    _c.boolean(
        "has_other_loans",
        "有其他商业贷款",
        "除了房贷、车贷、助学贷款和五万元以下消费贷，申请人和配偶还有别的贷款没还清吗？",
    ),
    _c.number("business_years", "年", "创业（经营）年限", "注册的公司或店开了多久？", maximum=80),
)

_SKILL = (
    _c.choice("education", EDUCATION, "学历", "申请人的最高学历是什么？在读的按在读学历算。"),
    _c.number("graduation_years", "年", "毕业年限", "申请人毕业多久了？", maximum=100),
    _c.boolean(
        "hardship_student",
        "经学校认定的家庭经济困难学生",
        "申请人被学校认定为家庭经济困难学生了吗？",
    ),
    _c.choice(
        "skill_certificate",
        CERTIFICATES,
        "职业技能等级",
        "申请人有职业资格或技能等级证书吗？是几级？",
    ),
    _c.integer(
        "skill_certificate_months",
        "个月",
        "取得技能证书的时间",
        "技能等级证书拿到多久了？",
        maximum=720,
    ),
)

RESIDENT = table((*_PERSON, *_HOUSEHOLD, *_HEALTH, *_WORK, *_SKILL))
"""Columns of a resident profile by name."""
