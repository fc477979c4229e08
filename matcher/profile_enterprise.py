"""The columns of an enterprise profile."""

from __future__ import annotations

from matcher.attributes import Columns, table

_c = Columns("enterprise")

INDUSTRIES = {
    "agriculture": "农、林、牧、渔业",
    "industry": "工业（含制造业、采矿业、电热水气供应）",
    "construction": "建筑业",
    "wholesale": "批发业",
    "retail": "零售业",
    "transport": "交通运输业",
    "storage": "仓储业",
    "post": "邮政业",
    "accommodation": "住宿业",
    "catering": "餐饮业",
    "information": "信息传输业（电信、互联网）",
    "software": "软件和信息技术服务业",
    "real_estate": "房地产开发经营",
    "property_management": "物业管理",
    "leasing_business": "租赁和商务服务业",
    "other": "其他行业",
}
"""The sixteen industries of 《中小企业划型标准规定》, 工信部联企业〔2011〕300号."""

SCALES = {"micro": "微型企业", "small": "小型企业", "medium": "中型企业", "large": "大型企业"}

TAX_GRADES = {"A": "A级", "B": "B级", "M": "M级", "C": "C级", "D": "D级"}
"""Tax credit grades, 《纳税信用管理办法（试行）》; M is for enterprises not yet graded."""

_BASIC = (
    _c.number("registered_years", "年", "注册年限", "企业注册成立多少年了？", maximum=150),
    _c.boolean("registered_in_city", "在本市注册", "企业是在本市注册的吗？"),
    _c.district("所在区县", "企业注册在哪个区（县）？"),
    _c.choice("industry", INDUSTRIES, "所属行业", "企业主要做哪个行业？"),
    _c.integer("headcount", "人", "从业人数", "企业现在一共有多少人？", maximum=2_000_000),
    _c.number("revenue_wan", "万元", "上年度营业收入", "企业上一年度的营业收入大约是多少万元？"),
    _c.number("assets_wan", "万元", "资产总额", "企业的资产总额大约是多少万元？"),
    _c.choice("scale", SCALES, "企业规模", "企业属于大型、中型、小型还是微型企业？", derived=True),
    _c.boolean(
        "restricted_industry",
        "属于国家限制或禁止行业",
        "企业从事的是国家限制或者禁止的行业吗？",
    ),
    _c.boolean(
        "tobacco_or_entertainment",
        "属于烟草制造业或娱乐业",
        "企业属于烟草制造业或者娱乐业（如歌舞厅、网吧、游乐园）吗？",
    ),
    _c.boolean(
        "has_serious_violation",
        "有重大违法或严重失信记录",
        "近一年内，企业有没有发生过重大安全、质量事故，严重环境违法，或者被列入严重失信名单？",
    ),
)

_TAX = (
    _c.balance(
        "taxable_income_wan",
        "万元",
        "年度应纳税所得额",
        "企业的年度应纳税所得额大约是多少万元？",
    ),
    _c.choice("tax_credit_grade", TAX_GRADES, "纳税信用等级", "企业的纳税信用等级是几级？"),
    _c.boolean(
        "audited_collection",
        "实行查账征收",
        "企业的会计核算健全、企业所得税是查账征收的吗？",
    ),
    _c.boolean("small_scale_taxpayer", "增值税小规模纳税人", "企业是增值税小规模纳税人吗？"),
)

_INNOVATION = (
    _c.number("rd_expense_wan", "万元", "上年度研发费用", "企业上一年度的研发费用是多少万元？"),
    _c.number(
        "rd_ratio",
        "%",
        "研发费用占营业收入的比例",
        "近三年研发费用总额占销售收入总额的百分之多少？",
    ),
    _c.number(
        "rd_domestic_ratio",
        "%",
        "境内研发费用占比",
        "在中国境内发生的研发费用占全部研发费用的百分之多少？",
        maximum=100,
    ),
    _c.number(
        "rd_staff_ratio",
        "%",
        "科技人员占职工总数的比例",
        "研发和技术人员占职工总数的百分之多少？",
        maximum=100,
    ),
    _c.boolean(
        "hightech_field",
        "核心技术属于国家重点支持的高新技术领域",
        "主要产品（服务）的核心技术属于《国家重点支持的高新技术领域》吗？",
    ),
    _c.number(
        "hightech_revenue_ratio",
        "%",
        "高新技术产品（服务）收入占比",
        "近一年高新技术产品（服务）收入占总收入的百分之多少？",
        maximum=100,
    ),
    _c.integer("ip_count", "项", "拥有的知识产权数量", "企业拥有多少项专利、软著等知识产权？"),
    _c.number(
        "market_years",
        "年",
        "从事特定细分市场的年限",
        "企业在现在的细分市场里做了多少年？",
        maximum=150,
    ),
    _c.number(
        "equity_financing_wan",
        "万元",
        "近两年新增股权融资总额",
        "近两年新增的股权融资（合格机构投资者实缴）有多少万元？",
    ),
    _c.number(
        "innovative_score",
        "分",
        "创新型中小企业评价得分",
        "按创新型中小企业评价指标自评能得多少分？",
        maximum=100,
    ),
    _c.number(
        "srdi_score",
        "分",
        "专精特新中小企业评价得分",
        "按专精特新中小企业评价指标自评能得多少分？",
        maximum=100,
    ),
    _c.number(
        "tech_sme_score",
        "分",
        "科技型中小企业综合评价得分",
        "按科技型中小企业评价指标自评能得多少分？",
        maximum=100,
    ),
    _c.boolean("is_high_tech", "高新技术企业", "企业是有效期内的高新技术企业吗？"),
    _c.boolean("is_tech_sme", "科技型中小企业", "企业今年取得科技型中小企业入库编号了吗？"),
    _c.boolean("innovative_sme", "创新型中小企业", "企业是有效期内的创新型中小企业吗？"),
    _c.boolean("srdi_sme", "专精特新中小企业", "企业是有效期内的专精特新中小企业吗？"),
    _c.boolean("srdi_giant", "专精特新“小巨人”企业", "企业是国家级专精特新“小巨人”企业吗？"),
)

_PEOPLE = (
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
)

_BUSINESS = (
    _c.number("export_usd_wan", "万美元", "上年度出口额", "企业上一年度的出口额是多少万美元？"),
    _c.integer(
        "exhibitions_joined", "次", "本年度参加境外展会次数", "企业今年参加了几次境外展会？"
    ),
    _c.number(
        "equipment_investment_wan",
        "万元",
        "设备投资额",
        "这次购置或更新设备准备投入（已投入）多少万元？",
    ),
    _c.boolean(
        "equipment_loan",
        "设备更新有银行贷款",
        "购置更新设备向银行申请贷款并已经放款了吗？",
    ),
    _c.number(
        "digital_investment_wan",
        "万元",
        "数字化改造投入",
        "数字化改造（软件、云服务、智能装备）投入了多少万元？",
    ),
    _c.number(
        "rented_area", "平方米", "租用办公或生产场地面积", "企业租了多少平方米的办公或生产场地？"
    ),
    _c.boolean(
        "first_above_scale",
        "今年首次升为规模以上企业",
        "企业是今年第一次纳入规模以上企业统计库吗？",
    ),
)

ENTERPRISE = table((*_BASIC, *_TAX, *_INNOVATION, *_PEOPLE, *_BUSINESS))
"""Columns of an enterprise profile by name."""
