"""The columns of an enterprise profile about research, intellectual property and honours."""

from __future__ import annotations

from matcher.attributes import Columns

_c = Columns("enterprise")

LEVELS = {"none": "没有", "city": "市级", "province": "省级", "national": "国家级"}

SMART_FACTORIES = {
    "none": "没有",
    "basic": "基础级",
    "advanced": "先进级",
    "excellent": "卓越级",
    "leading": "领航级",
}
"""Grades of 《智能工厂梯度培育行动实施方案》 of six ministries, 2024."""

STANDARDS_LED = {
    "none": "没有",
    "industry": "行业标准",
    "national": "国家标准",
    "international": "国际标准",
}

TIME_HONOURED = {
    "none": "没有",
    "city": "市级老字号",
    "province": "省级老字号",
    "china": "中华老字号",
}

INNOVATION = (
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
    _c.integer("invention_patents", "项", "有效发明专利数量", "企业有多少项有效的发明专利？"),
    _c.integer(
        "patents_granted", "项", "上年度授权发明专利数量", "上一年度新授权了多少项发明专利？"
    ),
    _c.choice(
        "rd_center",
        LEVELS,
        "研发机构级别",
        "企业的研发机构（技术中心、重点实验室等）是哪一级认定的？",
    ),
    _c.number(
        "tech_contract_wan",
        "万元",
        "上年度登记的技术合同成交额",
        "上一年度登记的技术合同成交额（卖出技术）有多少万元？",
    ),
    _c.number(
        "tech_service_wan",
        "万元",
        "购买检测、研发等科技服务的支出",
        "向检测机构、高校院所购买科技服务花了多少万元？",
    ),
    _c.choice(
        "first_set",
        LEVELS,
        "首台（套）装备认定级别",
        "产品认定为首台（套）重大技术装备了吗？是哪一级的？",
    ),
    _c.choice("smart_factory", SMART_FACTORIES, "智能工厂等级", "企业评上智能工厂了吗？是哪一级？"),
    _c.choice("green_factory", LEVELS, "绿色工厂级别", "企业评上绿色工厂了吗？是哪一级的？"),
    _c.choice(
        "standard_led",
        STANDARDS_LED,
        "主导制定标准的级别",
        "企业近三年主导制定过国际标准、国家标准或行业标准吗？",
    ),
    _c.choice("quality_award", LEVELS, "质量奖级别", "企业获得过政府质量奖吗？是哪一级的？"),
    _c.choice(
        "time_honoured", TIME_HONOURED, "老字号认定", "企业是中华老字号、省级老字号还是市级老字号？"
    ),
    _c.boolean(
        "postdoc_station", "设有博士后科研工作站", "企业设立了博士后科研工作站或创新实践基地吗？"
    ),
)
"""Columns about research, intellectual property and honours."""
