"""The columns of a resident profile that tell of work, income, study and farming."""

from __future__ import annotations

from matcher.attributes import Columns

_c = Columns("resident")

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
TALENT = {
    "none": "没有认定",
    "young": "青年人才",
    "city": "市级领军人才",
    "province": "省级以上领军人才",
}

WORK = (
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
    _c.boolean(
        "hard_to_employ",
        "经认定的就业困难人员",
        "申请人被人社部门认定为就业困难人员了吗（如大龄失业、零就业家庭）？",
    ),
    _c.number("monthly_wage_yuan", "元", "本人月工资", "申请人每月工资（税前）大约多少元？"),
    _c.number(
        "employer_average_wage_yuan",
        "元",
        "单位上年度职工月平均工资",
        "单位上一年度职工月平均工资（缴费基数）是多少元？",
    ),
    _c.boolean(
        "hot_work",
        "在高温环境下工作",
        "申请人夏天是在35℃以上的露天，或者降不到33℃以下的室内干活吗？",
    ),
    _c.number(
        "business_income_wan",
        "万元",
        "个体工商户年应纳税所得额",
        "店里一年的应纳税所得额大约多少万元？",
    ),
    _c.choice("talent_level", TALENT, "人才认定层次", "申请人认定过本市的人才层次吗？是哪一层？"),
)

MONEY = (
    _c.boolean(
        "pays_income_tax",
        "取得综合所得或经营所得并缴纳个人所得税",
        "申请人有工资等收入、要交个人所得税吗？",
    ),
    _c.number(
        "income_tax_rate",
        "%",
        "个人所得税最高一档适用税率",
        "申请人交个税，最高一档的税率是百分之几（3%、10%、20%……）？",
        maximum=45,
    ),
    _c.number(
        "personal_pension_yuan",
        "元",
        "个人养老金本年缴存额",
        "申请人今年往个人养老金账户里存了多少元？",
        maximum=12000,
    ),
    _c.number(
        "resident_pension_paid_yuan",
        "元",
        "城乡居民养老保险本年缴费额",
        "申请人今年交了多少元城乡居民养老保险？没交请说“没有”。",
    ),
    _c.number(
        "pension_years",
        "年",
        "养老保险累计缴费年限",
        "申请人的养老保险一共交了多少年？",
        maximum=80,
    ),
    _c.boolean(
        "draws_other_pension",
        "已领取职工养老金或离退休待遇",
        "申请人已经在领职工养老金、退休金或其他基本养老待遇了吗？",
    ),
    _c.number(
        "social_fee_yuan",
        "元",
        "个人每月缴纳的社会保险费",
        "申请人以灵活就业身份每月交多少元社保？",
    ),
)

STUDY = (
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
    _c.boolean(
        "training_certificate",
        "参加补贴目录内的培训并取得证书",
        "申请人参加了补贴目录里的职业培训，并且拿到证书了吗？",
    ),
    _c.boolean(
        "studies_part_time",
        "在职读学历（学位）",
        "申请人一边工作一边读学历（自考、函授、在职研究生）吗？",
    ),
    _c.boolean("final_year_student", "毕业学年学生", "申请人是毕业学年（最后一学年）的学生吗？"),
    _c.boolean("student_loan", "获得国家助学贷款", "申请人在校期间办了国家助学贷款吗？"),
    _c.number("tuition_yuan", "元", "每学年学费和住宿费", "申请人一学年的学费和住宿费一共多少元？"),
    _c.boolean("excellent_grades", "学习成绩优秀", "申请人成绩优秀吗（学校评定的专业前列）？"),
    _c.boolean(
        "enlisted_student",
        "应征入伍的高校学生或毕业生",
        "申请人是从高校（在读或毕业当年）应征入伍服义务兵役的吗？",
    ),
)

FARM = (
    _c.boolean("is_farmer", "从事农业生产", "申请人家里在种地或者搞养殖吗？"),
    _c.number("farm_land_mu", "亩", "承包耕地面积", "家里承包了多少亩耕地？"),
    _c.number(
        "farm_machine_price_yuan",
        "元",
        "购买农机的价款",
        "今年买农业机械花了多少元？没买请说“没有”。",
    ),
)
