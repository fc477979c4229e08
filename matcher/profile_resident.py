"""The columns of a resident profile."""

from __future__ import annotations

from matcher.attributes import Columns, table
from matcher.profile_resident_work import FARM, MONEY, STUDY, WORK

_c = Columns("resident")

GENDERS = {"male": "男", "female": "女"}
HUKOU = {"local": "本市户籍", "other": "外地户籍"}
ONLY_CHILD = {"none": "没有", "disabled": "三级以上残疾", "died": "死亡"}
GUARDIANSHIP = {"none": "都不是", "orphan": "孤儿", "unattended": "事实无人抚养儿童"}
CHILD_STAGE = {
    "none": "还没上学",
    "nursery": "托育机构",
    "kindergarten": "幼儿园小班或中班",
    "preschool_final": "幼儿园大班（学前一年）",
    "primary": "小学",
    "junior": "初中",
    "senior": "普通高中",
    "vocational": "中职（中专、技校、职高）",
    "university": "大学",
}
HOME_PURCHASE = {
    "none": "没有买房",
    "only": "首套（家里没有别的住房）",
    "second": "家里的第二套",
    "more": "第三套及以上",
}
DISABILITY = {
    "none": "没有",
    "visual": "视力残疾",
    "hearing": "听力残疾",
    "speech": "言语残疾",
    "physical": "肢体残疾",
    "intellectual": "智力残疾",
    "mental": "精神残疾",
    "multiple": "多重残疾",
}
CARE = {
    "none": "能力完好或没有评估",
    "mild": "轻度失能",
    "moderate": "中度失能",
    "severe": "重度失能",
    "total": "完全失能",
}
INSURANCE = {"employee": "职工医保", "resident": "居民医保", "none": "没有参保"}
CAR = {"none": "没有买车", "new_energy": "新能源车", "fuel": "燃油车"}

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
    _c.boolean("rural_hukou", "农村户口", "申请人是农村户口吗？"),
    _c.boolean("ex_serviceman", "退役军人", "申请人当过兵、是退役军人吗？"),
    _c.number("service_years", "年", "服役年限", "申请人在部队服役了多少年？", maximum=50),
    _c.boolean("conscript_family", "家中有现役义务兵", "家里有人正在服义务兵役吗？"),
    _c.boolean(
        "martyr_family",
        "烈士、因公牺牲或病故军人遗属",
        "申请人是烈士、因公牺牲军人或病故军人的遗属吗？",
    ),
    _c.boolean("brave_deed", "被确认为见义勇为人员", "申请人被确认为见义勇为人员了吗？"),
    _c.boolean(
        "legal_aid_matter",
        "法律援助范围内的事项",
        "要打的官司是请求工伤、欠薪、抚养赡养、社保、家暴等维权的事吗？",
    ),
    _c.boolean("relative_died", "办理逝者丧事", "申请人是在给去世的亲人办理丧事吗？"),
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
    _c.integer(
        "household_size", "人", "共同生活的家庭成员人数", "家里一起生活的有几口人？", maximum=30
    ),
    _c.boolean("is_marginal_family", "低保边缘家庭", "家里被认定为低保边缘家庭了吗？"),
    _c.boolean("is_destitute", "特困人员", "申请人是特困（五保）供养人员吗？"),
    _c.boolean("unable_to_work", "无劳动能力", "申请人丧失劳动能力了吗？"),
    _c.boolean("without_income", "无生活来源", "申请人没有生活来源吗？"),
    _c.boolean(
        "without_supporter",
        "无法定赡养、抚养、扶养人或其无履行能力",
        "申请人没有能赡养、抚养、扶养自己的亲属吗？",
    ),
    _c.boolean(
        "sudden_hardship",
        "因突发事件基本生活暂时出现严重困难",
        "家里是不是因为火灾、车祸、重病等突发变故，生活一下子过不下去了？",
    ),
    _c.choice(
        "only_child_condition",
        ONLY_CHILD,
        "独生子女伤残死亡情况",
        "申请人的独生子女是否不幸死亡或者有三级以上残疾？",
    ),
    _c.boolean(
        "family_planning_family",
        "农村独生子女户或双女户",
        "申请人是不是只生了一个孩子或者两个女孩？",
    ),
    _c.boolean("only_child", "本人是独生子女", "申请人自己是独生子女吗？"),
    _c.boolean("parent_over60", "有年满60周岁的父母要赡养", "申请人有年满60岁的父母要赡养吗？"),
)

_CHILDREN = (
    _c.integer(
        "children_under3_count", "个", "3周岁以下子女数", "不满3周岁的孩子有几个？", maximum=10
    ),
    _c.integer(
        "children_in_school",
        "个",
        "3周岁以上在学子女数",
        "满3岁、正在上幼儿园到上学（含大学）的孩子有几个？",
        maximum=20,
    ),
    _c.integer(
        "months_since_birth",
        "个月",
        "最近一次生育至今的时间",
        "申请人（或妻子）最近一次生孩子过去多久了？",
        maximum=720,
    ),
    _c.boolean("pregnant", "怀孕", "申请人怀孕了吗？"),
    _c.boolean("planning_pregnancy", "准备怀孕", "申请人夫妻准备要孩子吗？"),
    _c.integer(
        "maternity_insurance_months",
        "个月",
        "生育保险连续缴费时间",
        "单位给申请人连续交了多久生育保险？",
        maximum=720,
    ),
    _c.choice("child_stage", CHILD_STAGE, "孩子所在学段", "孩子现在上什么学？"),
    _c.boolean(
        "child_needs_rehab",
        "孩子有残疾或孤独症",
        "孩子有残疾，或者被诊断为孤独症吗？",
    ),
    _c.choice(
        "child_guardianship",
        GUARDIANSHIP,
        "儿童失去父母照料的情况",
        "申请的孩子是孤儿或者事实无人抚养的儿童吗？",
    ),
)

_HOUSING = (
    _c.boolean("rents_home", "租房居住", "申请人现在租房住吗？"),
    _c.boolean("mortgage_first_home", "正在偿还首套住房贷款", "申请人正在还第一套房的房贷吗？"),
    _c.integer(
        "housing_fund_months",
        "个月",
        "住房公积金连续缴存时间",
        "申请人连续交了多久住房公积金？",
        maximum=720,
    ),
    _c.choice("home_purchase", HOME_PURCHASE, "购房情况", "申请人最近买房吗？是家里的第几套？"),
    _c.number("home_area", "平方米", "所购住房面积", "买的房子多少平方米？"),
    _c.number("home_price_wan", "万元", "购房价款", "房子总价多少万元？"),
    _c.number(
        "home_area_per_person",
        "平方米",
        "人均住房建筑面积",
        "家里现在平均每人住多少平方米？没有房子请说“没有”。",
    ),
    _c.boolean("lives_without_lift", "住四层以上无电梯住宅", "申请人住的楼四层以上、没有电梯吗？"),
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
    _c.choice("disability_kind", DISABILITY, "残疾类别", "残疾人证上写的是哪一类残疾？"),
    _c.choice("care_level", CARE, "失能评估等级", "老人做过失能评估吗？是什么等级？"),
    _c.choice(
        "insurance_type", INSURANCE, "基本医疗保险种类", "申请人参加的是职工医保还是居民医保？"
    ),
    _c.number(
        "annual_medical_cost_yuan",
        "元",
        "本年度医保报销后个人负担的医药费（目录内）",
        "今年看病，医保目录内的费用报销以后自己花了多少元？",
    ),
    _c.boolean(
        "chronic_disease_registered",
        "已办门诊慢特病备案",
        "申请人在医保办过高血压、糖尿病、透析等门诊慢特病备案吗？",
    ),
    _c.boolean(
        "mental_guardian",
        "在家监护严重精神障碍患者",
        "申请人在家监护登记在册的严重精神障碍患者吗？",
    ),
    _c.integer(
        "work_injury_level",
        "级",
        "工伤伤残等级（0为没有）",
        "申请人的工伤鉴定是几级？没有请说“没有”。",
        maximum=10,
    ),
)

_SPENDING = (
    _c.choice("car_purchase", CAR, "购车情况", "申请人今年买车吗？买的是新能源车还是燃油车？"),
    _c.number("car_price_yuan", "元", "新车不含税价", "新车（不含税）多少钱？"),
    _c.boolean(
        "scrapped_old_car", "报废了本人名下符合年限的旧车", "申请人把自己名下的旧车报废了吗？"
    ),
    _c.number(
        "appliance_price_yuan", "元", "购买一级能效家电的价格", "买的一级能效家电（单件）多少元？"
    ),
)

RESIDENT = table(
    (
        *_PERSON,
        *_HOUSEHOLD,
        *_CHILDREN,
        *_HOUSING,
        *_HEALTH,
        *WORK,
        *MONEY,
        *STUDY,
        *FARM,
        *_SPENDING,
    )
)
"""Columns of a resident profile by name."""
