"""How citizens name the values of yes-or-no and choice columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

UNSURE = re.compile(
    "不清楚|不知道|不晓得|不确定|不太(?:清楚|确定|了解|懂|知道)|说不[准清好]|没(?:算|统计|注意|查)过|"
    "记不[清得]|忘了|不记得|不了解|没概念|拿不准|跳过|不好说|^(?:这个)?不懂$"
)
"""The citizen does not know: the datum stays unknown."""

HEDGED = re.compile("可能|也许|应该|好像|大概|估计|不一定|或许|恐怕|差不多")
"""A yes or no said like this is not certain enough to decide by."""

QUESTION = re.compile("[?？]|吗|是不是|有没有|什么|怎么|哪|呢$")

NO = re.compile(
    "(?:目前|暂时|现在|我们|我|公司|企业|家里|都|嗯|,|，)*"
    "(?:不|没|无|否|未|从来没|从没|从未|还没|并没|并不|也没|都没|哪有|no$|n$)",
    re.IGNORECASE,
)
YES = re.compile(
    "(?:目前|现在|我们|我|公司|企业|家里|都|,|，)*"
    "(?:是|对|有|嗯|属于|符合|参加|办|交|已|可以|能|要|需要|享受|当然|没错|没问题|确实|在|会|好的|"
    "行|可不|yes$|y$|ok$)",
    re.IGNORECASE,
)
CONTRAST = re.compile("但|不过|可是|只是|除了")

PHRASES: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "household_assets_within_limit": (
        re.compile("[没不]有?超|未超|以内|限额内"),
        re.compile("超"),
    ),
    "unemployed_involuntary": (
        re.compile("被(?:公司|单位|老板|厂里?)?[裁辞开]|裁员|到期|倒闭|破产|不续签"),
        re.compile("自己(?:辞|不想|不干|离)|主动|辞职|自愿"),
    ),
    "living_alone": (
        re.compile("^(?:就|我|她|他|老人|自己)*(?:是)?(?:自己)?一个人|独居|独自"),
        re.compile("[和跟与].+住|一起住"),
    ),
    "needs_care": (
        re.compile("不能自理|没法自理|无法自理|自理不了|离不开人|瘫痪|卧床"),
        re.compile("能自理|能照顾自己|可以自理"),
    ),
    "married": (
        re.compile("^(?:早就|已经|我)*(?:结婚了|结了|已婚)"),
        re.compile("未婚|单身|离婚|离了|丧偶|没结"),
    ),
    "ex_serviceman": (
        re.compile("(?<![没未有])当过兵|退伍|退役|复员|转业"),
        re.compile("没有?当过"),
    ),
    "rents_home": (
        re.compile("^(?:现在|一直|我|是)*租(?:的|房|住)"),
        re.compile("自己(?:的)?房|自有|[没不]租|没有租"),
    ),
    "has_serious_violation": (
        re.compile("^(?:有过|出过|发生过)"),
        re.compile("^(?:一直)?(?:很好|良好|清白)"),
    ),
}
"""Column → (words that mean yes, words that mean no), tried in this order before the plain
yes and no; for these columns a bare 没超 or 辞职 is already the answer."""

CHOICE_WORDS: Mapping[str, Mapping[str, str]] = {
    "industry": {
        "agriculture": "农业|种植|养殖|林业|渔业|畜牧|牧业|农场|果园|养猪|养鸡|水产",
        "industry": "制造|工业|加工|生产|工厂|采矿|机械|电子厂|纺织|服装厂|食品厂|发电|供水|化工",
        "construction": "建筑业|建筑|施工|土建|装修|装饰工程|市政工程",
        "wholesale": "批发",
        "retail": "零售|超市|便利店|小卖部|药店|网店|商店|电商",
        "transport": "交通运输|运输|货运|客运|物流|车队",
        "storage": "仓储|仓库|冷库",
        "post": "邮政|快递",
        "accommodation": "住宿|酒店|宾馆|旅馆|民宿|旅店",
        "catering": "餐饮|饭店|饭馆|餐馆|餐厅|火锅|面馆|奶茶|小吃|烧烤",
        "information": "信息传输|电信|互联网|通信",
        "software": "软件|信息技术|IT|it|程序开发|系统集成|人工智能",
        "real_estate": "房地产开发|房地产|地产",
        "property_management": "物业",
        "leasing_business": "租赁|商务服务|广告|会展|人力资源|劳务派遣|咨询|旅行社|律所|代理记账",
        "other": "其他|别的行业",
    },
    "scale": {
        "micro": "微型|微企|微型企业",
        "small": "小型|小企业",
        "medium": "中型|中等规模",
        "large": "大型|大企业",
    },
    "tax_credit_grade": {"A": "A|a", "B": "B|b", "M": "M|m", "C": "C|c", "D": "D|d"},
    "tax_project": {
        "none": "都没有|都不是|没有|没做",
        "agriculture": "粮食|蔬菜|水果|种地|种菜|养猪|养牛|养羊|养鸡|牲畜|家禽|农林牧渔|林木",
        "flowers_aquaculture": "花卉|茶叶|茶园|水产|鱼塘|海水养殖|内陆养殖|养鱼|养虾",
        "infrastructure": "基础设施|港口|机场|铁路|公路|电力|水利",
        "environment": "环保|环境保护|节能|节水|污水|垃圾处理",
    },
    "listing_stage": {
        "none": "没有|没打算|不上市|没安排",
        "tutoring": "辅导",
        "accepted": "受理|已申报|在审",
        "listed": "已经上市|上市了|挂牌上市",
    },
    "logistics_grade": {
        "none": "没有|没评",
        "a3": "3A|三A|AAA(?!A)",
        "a4": "4A|四A|AAAA(?!A)",
        "a5": "5A|五A|AAAAA",
    },
    "green_building": {
        "none": "没有|没取得",
        "one": "一星|1星",
        "two": "二星|两星|2星",
        "three": "三星|3星",
    },
    "safety_grade": {
        "none": "没有|没做|没评",
        "third": "三级|3级",
        "second": "二级|2级",
        "first": "一级|1级",
    },
    "gender": {"male": "男", "female": "女"},
    "hukou": {
        "local": "本市|本地|云州(?:市)?(?:户口|户籍|人)|^是(?:的|啊|本)?$|^对的?$",
        "other": "外地|外省|外市|不是(?:本市|本地)|非本市|非本地|老家(?:户口|的)|^不是的?$",
    },
    "employment": {
        "employed": "上班|打工|在职|在单位|有工作|受雇|在厂里",
        "unemployed": "失业|无业|待业|下岗|[没无]有?工作|[没不]在?上班|找工作",
        "self_employed": "创业|个体|做生意|开店|开公司|当老板|自己干|摆摊",
        "flexible": "灵活就业|自由职业|零工|送外卖|外卖员|骑手|网约车|跑滴滴|兼职",
        "student": "学生|上学|读书|在读|上大学|读研",
        "retired": "退休|拿养老金",
    },
    "education": {
        "primary": "小学|没上过学|文盲",
        "junior": "初中",
        "senior": "高中|中专|技校|职高",
        "vocational": "大专|专科|高职",
        "bachelor": "本科|学士|大学毕业|读的大学",
        "master": "硕士|研究生",
        "doctor": "博士",
    },
    "skill_certificate": {
        "none": "^(?:目前|暂时|还|我)*(?:没|无|什么都没)",
        "junior": "初级|五级|5级",
        "intermediate": "中级|四级|4级",
        "senior": "高级(?!技师)|三级|3级",
        "technician": "技师|二级|一级|2级|1级",
    },
    "child_stage": {
        "none": "[没未]上学|在家",
        "nursery": "托班|托儿所|托育|早教",
        "kindergarten": "幼儿园|小班|中班",
        "preschool_final": "(?:幼儿园)?大班|学前班|学前一年",
        "primary": "小学",
        "junior": "初中|初[一二三]",
        "senior": "高中|高[一二三]",
        "vocational": "中专|中职|技校|职高",
        "university": "大学|大专|本科|研究生",
    },
    "insurance_type": {
        "employee": "职工|单位(?:交|缴)的?",
        "resident": "居民|新农合|农村合作医疗|城乡",
        "none": "没(?:有|参|交|买)",
    },
    "care_level": {
        "none": "能力完好|没(?:有|做过?)?评估|能自理",
        "mild": "轻度",
        "moderate": "中度",
        "severe": "重度",
        "total": "完全失能|完全",
    },
    "disability_kind": {
        "none": "没有",
        "visual": "视力|眼睛|失明|盲",
        "hearing": "听力|耳聋|聋",
        "speech": "言语|语言|哑",
        "physical": "肢体|腿|截肢",
        "intellectual": "智力|智障",
        "mental": "精神",
        "multiple": "多重",
    },
    "home_purchase": {
        "none": "没有?买|不买",
        "only": "首套|头套|没有别的",
        "second": "二套|第二套|两套",
        "more": "三套|第三套|多套",
    },
    "car_purchase": {
        "none": "没有?买|不买",
        "new_energy": "新能源|电车|电动|混动|插混",
        "fuel": "燃油|油车|汽油|柴油",
    },
    "talent_level": {
        "none": "没有|没认定|不是",
        "young": "青年人才|青年",
        "city": "市级",
        "province": "省级|国家级",
    },
    "only_child_condition": {
        "none": "没有|健在|健康|都好",
        "disabled": "残疾|伤残",
        "died": "死亡|去世|没了|不在了|走了",
    },
    "child_guardianship": {
        "none": "都不是|不是",
        "orphan": "孤儿|父母(?:都|双)(?:亡|去世|没了|不在了)",
        "unattended": "事实无人抚养|没人(?:管|抚养)",
    },
}
"""Column → value → regular expression of the words that name it, longest match first."""

NEGATED_BEFORE = re.compile("(?:不是|不算|不属于|没有|没|不|非)(?:在|做|搞)?$")
