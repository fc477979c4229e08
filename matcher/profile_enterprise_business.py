"""The columns of an enterprise profile about investment, money, trade and lines of business."""

from __future__ import annotations

from matcher.attributes import Columns
from matcher.profile_enterprise_innovation import LEVELS

_c = Columns("enterprise")

LISTING_STAGES = {
    "none": "没有上市安排",
    "tutoring": "已办理辅导备案",
    "accepted": "申请已受理",
    "listed": "已经上市",
}

FIRST_STORES = {"none": "不是首店", "city": "全市首店", "province": "全省首店", "china": "全国首店"}

HOMESTAYS = {"none": "没有等级", "c": "丙级", "b": "乙级", "a": "甲级"}
"""Grades of GB/T 41648-2022 《旅游民宿基本要求与等级划分》."""

LOGISTICS = {"none": "没有", "a3": "3A级", "a4": "4A级", "a5": "5A级"}
"""Upper grades of GB/T 19680 《物流企业分类与评估指标》."""

SAFETY = {"none": "没有", "third": "三级", "second": "二级", "first": "一级"}
"""Grades of 《企业安全生产标准化建设定级办法》, 应急〔2021〕83号."""

STARS = {"none": "没有", "one": "一星级", "two": "二星级", "three": "三星级"}
"""Grades of 《绿色建筑标识管理办法》, 建标规〔2021〕1号."""

BUSINESS = (
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
    _c.number(
        "equipment_unit_wan",
        "万元",
        "新购设备的单位价值",
        "新购进的设备、器具，单台（套）价值是多少万元？",
    ),
    _c.number(
        "fixed_asset_loan_wan",
        "万元",
        "今年发放的固定资产贷款",
        "今年银行发放的固定资产贷款（买设备、建厂房）有多少万元？",
    ),
    _c.number(
        "bank_loan_wan", "万元", "今年发放的银行贷款", "今年银行一共给企业发放了多少万元贷款？"
    ),
    _c.number(
        "guaranteed_loan_wan",
        "万元",
        "融资担保公司担保的贷款",
        "由政府性融资担保公司担保的贷款有多少万元？",
    ),
    _c.number(
        "ip_pledge_loan_wan",
        "万元",
        "知识产权质押贷款",
        "用专利、商标等知识产权质押的贷款有多少万元？",
    ),
    _c.boolean(
        "key_chain_field",
        "属于贷款贴息支持的重点产业领域",
        "企业做的是重点产业链（如工业母机、医药、新能源汽车）、生产性服务业、农产品加工或人工智能等领域吗？",
    ),
    _c.boolean(
        "consumer_service_field",
        "属于贷款贴息支持的消费领域",
        "企业做的是餐饮住宿、健康、养老、托育、家政、文化娱乐、旅游、体育、数字、绿色或零售消费吗？",
    ),
    _c.choice("listing_stage", LISTING_STAGES, "上市进程", "企业的上市工作走到哪一步了？"),
    _c.boolean(
        "joint_stock_reform",
        "完成股份制改造",
        "企业近一年内完成股份制改造、变更为股份有限公司了吗？",
    ),
    _c.choice(
        "incubator",
        LEVELS,
        "科技企业孵化器级别",
        "企业运营科技企业孵化器、众创空间吗？是哪一级的？",
    ),
    _c.integer("incubated_firms", "家", "在孵企业数量", "孵化器里现在有多少家在孵企业？"),
    _c.number(
        "export_insurance_wan",
        "万元",
        "年度出口信用保险保费",
        "一年自缴的出口信用保险保费有多少万元？",
    ),
    _c.number(
        "cross_border_usd_wan",
        "万美元",
        "上年度跨境电商交易额",
        "上一年度跨境电商进出口交易额有多少万美元？",
    ),
    _c.choice("first_store", FIRST_STORES, "首店类型", "新开的店是哪个范围内的首店？"),
    _c.boolean("night_business", "夜间营业", "门店每周至少五天营业到夜里十二点以后吗？"),
    _c.integer("inbound_tourists", "人次", "上年度接待入境游客", "上一年度接待入境游客多少人次？"),
    _c.choice("homestay_grade", HOMESTAYS, "民宿等级", "民宿评上等级了吗？是哪一级？"),
    _c.choice("logistics_grade", LOGISTICS, "物流企业等级", "企业评上A级物流企业了吗？是几A？"),
    _c.choice("safety_grade", SAFETY, "安全生产标准化等级", "企业的安全生产标准化达到几级？"),
    _c.choice("green_building", STARS, "绿色建筑星级", "项目取得绿色建筑标识了吗？是几星级？"),
    _c.number("building_area", "平方米", "绿色建筑面积", "取得绿色建筑标识的项目有多少平方米？"),
    _c.number(
        "energy_saving_wan",
        "万元",
        "节能改造投资额",
        "节能降碳改造项目投入了多少万元？",
    ),
    _c.number(
        "energy_saving_rate", "%", "项目节能率", "改造以后能耗下降了百分之多少？", maximum=100
    ),
    _c.number("photovoltaic_wan", "万元", "屋顶光伏投资额", "建屋顶光伏投入了多少万元？"),
    _c.integer("charging_piles", "个", "建成的公共充电桩数量", "建成了多少个对外开放的充电桩？"),
    _c.number(
        "cold_chain_wan", "万元", "冷链设施投资额", "建冷库、买冷藏车等冷链设施投入了多少万元？"
    ),
    _c.number("farm_area_mu", "亩", "设施农业面积", "温室大棚等设施农业有多少亩？"),
    _c.integer(
        "linked_households", "户", "带动的农户数量", "企业通过订单、合作等方式带动了多少户农户？"
    ),
    _c.number(
        "disaster_loss_wan", "万元", "受灾直接经济损失", "因这次洪涝灾害直接损失了多少万元？"
    ),
    _c.integer("nursing_beds", "张", "养老床位数量", "养老机构有多少张床位？"),
    _c.integer("childcare_places", "个", "托位数量", "托育机构备案了多少个托位？"),
)
"""Columns about investment, money, trade and the lines of business."""
