"""The columns of an enterprise profile."""

from __future__ import annotations

from matcher.attributes import Attribute, Columns, table
from matcher.profile_enterprise_business import BUSINESS
from matcher.profile_enterprise_innovation import INNOVATION
from matcher.profile_enterprise_people import PEOPLE

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

TAX_PROJECTS = {
    "none": "都没有",
    "agriculture": "种植粮食蔬菜、养殖牲畜家禽等农林牧渔项目",
    "flowers_aquaculture": "花卉茶叶种植、海水或内陆养殖",
    "infrastructure": "国家重点扶持的公共基础设施项目",
    "environment": "符合条件的环境保护、节能节水项目",
}
"""Projects with income-tax relief, 《企业所得税法》 art. 27 and its regulation, art. 86 to 88."""

_BASIC = (
    _c.number("registered_years", "年", "注册年限", "企业注册成立多少年了？", maximum=150),
    _c.boolean("registered_in_city", "在本市注册", "企业是在本市注册的吗？"),
    _c.district("所在区县", "企业注册在哪个区（县）？"),
    _c.choice("industry", INDUSTRIES, "所属行业", "企业主要做哪个行业？", derived=True),
    Attribute(
        name="industry_division",
        kind="enterprise",
        type="integer",
        unit="大类",
        choices=(),
        label="国民经济行业大类代码",
        question="企业的国民经济行业大类代码是多少？统计报表上的两位数，制造业是13到43，例如39。",
        minimum=1,
        maximum=97,
    ),
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
    _c.boolean("private_enterprise", "民营企业", "企业是民营企业吗？"),
    _c.boolean(
        "registered_as_individual", "登记为个体工商户", "登记的是个体工商户（不是公司）吗？"
    ),
    _c.boolean(
        "converted_from_individual",
        "由个体工商户转型为企业",
        "企业是由原来的个体工商户转过来的（个转企）吗？",
    ),
    _c.balance(
        "revenue_growth",
        "%",
        "上年度营业收入增长率",
        "上一年度的营业收入比前一年增长了百分之多少？下降请说负数。",
    ),
    _c.number(
        "local_tax_wan", "万元", "上年度在本市缴纳的税费", "上一年度在本市一共缴了多少万元税？"
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
    _c.choice(
        "tax_project",
        TAX_PROJECTS,
        "享受所得税优惠的项目",
        "企业有没有做农林牧渔、公共基础设施或者环保节能节水这类项目？是哪一类？",
    ),
    _c.integer(
        "project_income_years",
        "年",
        "项目有收入以来的年数",
        "这个项目从取得第一笔收入的那年算起，到今年是几年？",
        maximum=100,
    ),
    _c.boolean(
        "encouraged_ic_software",
        "国家鼓励的集成电路或软件企业",
        "企业符合国家鼓励的集成电路设计、装备、材料、封装、测试企业或者软件企业的条件吗？",
    ),
    _c.integer(
        "profitable_years",
        "年",
        "获利以来的年数",
        "从开始盈利的那年算起，到今年是几年？还没盈利请说0。",
        maximum=150,
    ),
    _c.boolean(
        "ic_or_machine_tool",
        "列入清单的集成电路或工业母机企业",
        "企业在国家发布的集成电路企业清单或者工业母机企业清单里吗？",
    ),
    _c.boolean("advanced_service", "技术先进型服务企业", "企业是经认定的技术先进型服务企业吗？"),
    _c.boolean(
        "own_software", "有自行开发的软件产品", "企业销售自己开发、取得软件著作权的软件产品吗？"
    ),
    _c.boolean(
        "recycled_products",
        "生产目录内的资源综合利用产品",
        "企业生产资源综合利用目录里的产品（或者提供目录里的劳务）吗？",
    ),
    _c.number(
        "carried_loss_wan",
        "万元",
        "以前年度尚未弥补的亏损",
        "以前年度还没有弥补完的亏损有多少万元？",
    ),
    _c.number(
        "tech_transfer_income_wan",
        "万元",
        "年度技术转让所得",
        "一年的技术转让所得（收入减成本和税费）有多少万元？",
    ),
    _c.number(
        "basic_research_wan",
        "万元",
        "出资给高校院所做基础研究的金额",
        "出资给非营利性科研机构、高校或政府自然科学基金做基础研究的钱有多少万元？",
    ),
    _c.boolean("venture_capital", "创业投资企业", "企业是备案的创业投资企业吗？"),
    _c.number(
        "startup_investment_wan",
        "万元",
        "投资初创科技型企业满两年的金额",
        "直接投资种子期、初创期科技型企业满两年的投资额有多少万元？",
    ),
    _c.number(
        "special_equipment_wan",
        "万元",
        "环保、节能节水、安全生产专用设备投资额",
        "购置目录内的环保、节能节水、安全生产专用设备花了多少万元？",
    ),
    _c.number(
        "special_upgrade_wan",
        "万元",
        "专用设备数字化、智能化改造投入",
        "给这些专用设备做数字化、智能化改造投入了多少万元？",
    ),
    _c.number(
        "bulk_storage_area",
        "平方米",
        "大宗商品仓储设施用地面积",
        "自有或承租的同一处大宗商品仓储设施占地多少平方米？",
    ),
    _c.boolean(
        "farm_market",
        "经营农产品批发市场或农贸市场",
        "企业有专门用于经营农产品的批发市场或农贸市场房产、土地吗？",
    ),
)

ENTERPRISE = table((*_BASIC, *_TAX, *INNOVATION, *PEOPLE, *BUSINESS))
"""Columns of an enterprise profile by name."""
