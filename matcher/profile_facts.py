"""Picks out of a free sentence the facts it states for certain, and nothing else.

我们厂80个人去年营收两千万 states a headcount and a revenue. A wish, a condition, a denial, a
question or somebody else's affairs state nothing: a fact missed is asked for later, a fact
invented would promise a benefit that is not due.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from base.errors import InputError
from matcher.attributes import Kind, Value
from matcher.profile_answers import Unknown, parse_answer
from matcher.profile_enterprise import ENTERPRISE
from matcher.profile_numbers import RUN, clean, is_range
from matcher.profile_resident import RESIDENT

MAX_TEXT_CHARS = 2000

_NUMBER = rf"(?<![几好上数第0-9零一二两三四五六七八九十百千万亿]){RUN}"
_ABOUT = "(?:大概|大约|约|是|有|为|在|达到|做到|做了|了|差不多|已经|将将|一年)*"
_MONEY = rf"{_ABOUT}(?P<said>{_NUMBER}(?:多)?(?:元|块)?)(?!美|[0-9]|人|个|%)"
_WE = "(?:我们|我|咱们?|公司|企业|我厂|我司|厂子|厂里?|本公司|本企业|家)(?:公司|企业|厂|单位)?"
_ARE = f"(?:^|{_WE})(?:现在|目前|已经|早就|就|也|都)*(?:是|属于|是一?家|通过了|拿到了|评上了|获评)"
_UNIT = "(?:我们|我厂|我司|公司|企业|厂里?|厂子|店里?|单位|作坊)"
_IN_ALL = "现在|目前|总共|全部|共|就|才|大概|大约|约|差不多|在职|员工|职工|工人|已经"
_PERSONS = (
    rf"(?P<said>{_NUMBER}(?:多|来)?(?:个|名|号|位)?(?:员工|职工|工人|人))(?![参次民均才口行数工社])"
)
_NOT_ALL_STAFF = (
    "招|聘|裁|辞|新增|毕业生|退役|退伍|残疾|研发|技术|科技|参保|社保|合伙|股东|投诉|住|伤|"
    "失业|走了|来了"
)
_PERSON = (
    "(?:我|本人|妈|爸|妈妈|爸爸|母亲|父亲|奶奶|爷爷|外婆|外公|姥姥|姥爷|婆婆|公公|岳父|岳母|"
    "老人家?|老伴|丈夫|妻子|老公|老婆)"
)
_CHILD = "(?:孩子|宝宝|娃|娃娃|小孩|小家伙|儿子|女儿|闺女)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One wording that states a column.

    Args:
        column: the column stated.
        pattern: the wording; a number is its group ``said``.
        value: the value stated by a wording without a number.
        unless: words in the clause that make it speak of something else.
    """

    column: str
    pattern: re.Pattern[str]
    value: Value | None = None
    unless: re.Pattern[str] | None = None


def _rule(column: str, pattern: str, value: Value | None = None, unless: str = "") -> Rule:
    return Rule(column, re.compile(pattern), value, re.compile(unless) if unless else None)


_NOT_YEARLY = "今年|本月|每月|个月|季度|前年|增长|上涨|增加|减少|下降|补贴|贷款|奖励"

_ENTERPRISE_RULES = (
    _rule("headcount", rf"{_UNIT}(?:有|{_IN_ALL})*{_PERSONS}(?![在排受等])", unless=_NOT_ALL_STAFF),
    _rule("headcount", rf"^(?:有|{_IN_ALL})*{_PERSONS}(?:左右|上下)?$", unless=_NOT_ALL_STAFF),
    _rule("headcount", rf"{_PERSONS}(?<=[员职]工|工人)(?!数)", unless=_NOT_ALL_STAFF),
    _rule(
        "headcount",
        rf"(?:员工|职工|工人)(?:有|{_IN_ALL})*(?P<said>{_NUMBER}多?)(?:左右)?$",
        unless=_NOT_ALL_STAFF,
    ),
    _rule(
        "revenue_wan",
        f"(?:营收|营业收入|营业额|销售额|销售收入|年收入){_MONEY}",
        unless=f"{_NOT_YEARLY}|占|高新",
    ),
    _rule(
        "revenue_wan",
        rf"(?:去年|上年度?)(?:做了?|卖了?|完成了?)(?:大概|差不多)?(?P<said>{_NUMBER}元?)的?"
        "(?:营收|销售额|营业额|营业收入)",
        unless=_NOT_YEARLY,
    ),
    _rule("assets_wan", f"(?:资产总额|总资产){_MONEY}", unless="净|人均"),
    _rule("taxable_income_wan", f"应纳税所得额{_MONEY}", unless=_NOT_YEARLY),
    _rule("rd_expense_wan", f"研发(?:费用|投入|经费|支出){_MONEY}", unless=f"{_NOT_YEARLY}|占"),
    _rule(
        "rd_ratio",
        rf"研发(?:费用|投入|经费|支出)?占(?:比|(?:营收|销售收入|营业收入|收入)的?){_ABOUT}"
        rf"(?P<said>百分之{RUN}|{_NUMBER}%)",
        unless="境内|国内",
    ),
    _rule(
        "registered_years",
        rf"(?:成立|注册|开办|开业|创办)(?:了|已经|有|到现在|至今)*(?P<said>{_NUMBER}年(?:半|多)?)(?!前|内|\d)",
    ),
    _rule(
        "registered_years",
        r"(?P<said>(?<!\d)(?:19|20)\d\d年(?:\d{1,2}月)?)份?(?:在\w{2,6})?(?:成立|注册|开办|创办)",
    ),
    _rule("registered_years", r"(?:成立|注册)于(?P<said>(?:19|20)\d\d年(?:\d{1,2}月)?)"),
    _rule(
        "ip_count",
        rf"(?P<said>{_NUMBER}(?:项|个|件))(?:发明|实用新型|外观|授权)*(?:专利|软著|软件著作权|知识产权)",
    ),
    _rule("insured_staff", rf"参保(?:人数|职工|员工){_ABOUT}(?P<said>{_NUMBER}(?:个|名)?人?)"),
    _rule(
        "new_graduates_hired",
        rf"今年招(?:了|用了?|聘了?|录了?)(?P<said>{_NUMBER}(?:个|名|位))(?:应届|高校|大学)*毕业生",
    ),
    _rule("export_usd_wan", rf"出口额?{_ABOUT}(?P<said>{_NUMBER}美[元金])", unless=_NOT_YEARLY),
    _rule(
        "invention_patents",
        rf"(?P<said>{_NUMBER}(?:项|个|件))(?:有效)?发明专利",
        unless="申请|授权",
    ),
    _rule(
        "disabled_staff",
        rf"(?:有|招了|安排了|用了)(?P<said>{_NUMBER}(?:个|名|位))残疾(?:人)?(?:员工|职工)",
    ),
    _rule("nursing_beds", rf"(?:有|一共|共)*(?P<said>{_NUMBER}张)(?:养老)?床位"),
    _rule(
        "registered_as_individual",
        "(?:^|我们|我)(?:现在|目前)*(?:是|登记的是)(?:一?家|个)?个体(?:工商)?户",
        True,
    ),
    _rule("is_high_tech", f"{_ARE}(?:国家)?(?:高新技术企业|高企)", True),
    _rule("is_tech_sme", f"{_ARE}科技型中小企业", True),
    _rule("innovative_sme", f"{_ARE}创新型中小企业", True),
    _rule("srdi_giant", f"{_ARE}(?:国家级)?专精特新“?小巨人", True),
    _rule("srdi_sme", f"{_ARE}(?:省级|市级)?专精特新(?!“?小巨人)(?:中小)?企业", True),
    _rule("small_scale_taxpayer", f"{_ARE}(?:增值税)?小规模(?:纳税人)?", True),
    _rule("tax_credit_grade", "纳税(?:信用)?(?:等级)?(?:评级)?(?:是|为)(?P<said>[ABMCD]级?)"),
    *(
        _rule(
            "industry",
            f"{_WE}(?:是|是做|是搞|主要做|做|开|经营)(?:的|了|着)*(?:一?家|个)?(?:{words})",
            name,
        )
        for name, words in (
            ("software", "软件(?:公司|企业|开发)"),
            ("construction", "建筑(?:公司|企业|业|施工)"),
            ("property_management", "物业(?:公司|企业|管理)"),
            ("catering", "(?:餐饮(?:企业|公司|业)|饭店|餐馆|饭馆|餐厅)"),
            ("accommodation", "(?:酒店|宾馆|民宿)"),
            ("retail", "(?:超市|便利店|零售)"),
            ("wholesale", "批发(?!零售)"),
            ("industry", "(?:制造(?:企业|业)|加工厂|生产企业)"),
        )
    ),
    _rule(
        "district",
        r"(?:注册在|注册地是?在?|公司在|厂在|企业在)(?:\w{2,3}市)?(?P<said>\w{1,3}[区县])",
    ),
)

_RESIDENT_RULES = (
    _rule(
        "age",
        rf"{_PERSON}(?:今年|现在|都|已经|有|是|满|刚满|刚|,)*(?P<said>{_NUMBER}周?岁)(?!以|前|后|时|之|的时候)",
        unless=f"{_CHILD}|工龄|驾龄|结婚",
    ),
    _rule(
        "age",
        rf"{_PERSON}(?:今年|现在|都|已经|今年都|今年已经)*(?P<said>(?:[2-9]\d|1[01]\d|[二三四五六七八九]十[一二三四五六七八九]?))"
        "(?=了?$)",
        unless=_CHILD,
    ),
    _rule(
        "youngest_child_age",
        rf"{_CHILD}(?:今年|现在|才|都|已经|刚|刚满|满|有)*(?P<said>(?:{_NUMBER}|半)(?:个(?:多|半)?月|周?岁半?))(?!以|前|后|时|之)",
        unless="老大|大的|大儿|大女|第一|[两二三几2345]个|[二三]宝|[二三]胎|老[二三]",
    ),
    _rule(
        "youngest_child_age",
        rf"(?:最小的?|小的那?个?|老幺)(?:孩子|娃)?(?:今年|才|刚)*(?P<said>{_NUMBER}(?:个月|周?岁半?))",
    ),
    _rule("children_count", rf"(?:有|生了|养了?)(?P<said>{_NUMBER}个)(?:孩子|娃|小孩|宝宝)"),
    _rule(
        "hukou",
        "(?:本地|本市|云州市?)(?:的)?(?:户口|户籍)|(?:户口|户籍)(?:就|是)?在?(?:本地|本市|云州)",
        "local",
    ),
    _rule(
        "hukou",
        "(?:外地|外省|外市)(?:的)?(?:户口|户籍)|(?:户口|户籍)(?:是)?在?(?:外地|外省|外市)",
        "other",
    ),
    _rule("disability_level", "残疾(?:等级)?(?:是|为|证)?(?P<said>[一二三四1-4]级)"),
    _rule(
        "disability_level", "(?P<said>[一二三四1-4]级)(?:肢体|视力|听力|言语|智力|精神|多重)?残疾"
    ),
    _rule(
        "is_low_income",
        "(?:我|家|妈|爸|奶奶|爷爷)里?(?:现在|一直|都)?(?:是|吃|享受|拿着?|领着?)(?:着)?低保"
        "(?:户|家庭|对象|待遇)?",
        True,
        "困难家庭|边缘",
    ),
    _rule(
        "employment",
        "(?:我|本人)(?:现在|最近|上个?月|刚刚?|已经)*(?:失业|下岗|失业在家)",
        "unemployed",
    ),
    _rule(
        "employment",
        "被(?:公司|单位|老板|厂里?)?(?:裁员?|辞退)了",
        "unemployed",
        "同事|他|她|又找到",
    ),
    _rule("employment", f"{_PERSON}(?:现在|已经|早就|刚刚?|去年|今年)*退休了", "retired"),
    _rule(
        "employment",
        "(?:我|本人)(?:现在|目前)*是?(?:在校|在读)?(?:大学生|研究生|学生)(?!家长|食堂|毕业)",
        "student",
        "毕业|以前",
    ),
    _rule("employment", "(?:我|本人)(?:现在|目前)*(?:是|属于)?灵活就业", "flexible"),
    _rule(
        "unemployed_involuntary", "被(?:公司|单位|老板|厂里?)?(?:裁员?|辞退)了?", True, "同事|他|她"
    ),
    _rule(
        "unemployment_registered",
        "(?:办|做|登记)(?:了|过)失业登记|失业登记(?:已经)?(?:办|做)(?:了|好了|过)",
        True,
    ),
    _rule(
        "unemployment_insurance_months",
        rf"失业(?:保险|险)(?:一共)?(?:已经)?(?:交|缴)(?:了|满)*(?P<said>{_NUMBER}(?:年半?|个月))(?!前)",
    ),
    _rule(
        "social_insurance_months",
        rf"在?(?:本市|本地|云州|这边)(?:已经)?(?:交|缴)(?:了)?(?P<said>{_NUMBER}(?:年半?|个月))(?:多)?的?社保",
    ),
    _rule(
        "residence_months",
        rf"(?:来|在|到)(?:本市|云州市?|这边?)(?:已经|都)?(?:住|生活)?(?:了|有)*(?P<said>{_NUMBER}(?:年半?|个月))(?!前)了?",
        unless="社保|上班|工作|读书",
    ),
    _rule(
        "household_income_monthly",
        rf"人均月?收入{_ABOUT}(?P<said>{_NUMBER}(?:元|块))",
        unless="年人均|人均年|一年",
    ),
    _rule("education", "(?:我|本人)(?:是)?(?P<said>大专|本科|硕士|博士)(?:毕业|学历)"),
    _rule("graduation_years", "(?:我|本人)是?(?:今年)?(?P<said>应届)(?:高校|大学)?毕业生"),
    _rule(
        "graduation_years", r"(?:我|本人)是?(?P<said>20\d\d[年届]|去年|今年)(?:刚刚?)?(?:\d月)?毕业"
    ),
    _rule(
        "graduation_years",
        rf"(?:我|本人)(?:大学|本科|大专)?毕业(?:了|有|已经)*(?P<said>{_NUMBER}年)",
    ),
    _rule(
        "is_business_owner",
        "(?:我|本人)(?:自己|刚刚?|已经|去年|今年)*(?:注册|办|开)了一?(?:家|个)?(?:公司|个体户|个体工商户)",
        True,
    ),
    _rule("veteran", f"{_PERSON}是自主就业(?:的)?退役士兵", True),
    _rule("ex_serviceman", f"{_PERSON}(?:是退[伍役]军人|是复员军人|当过兵)", True),
    _rule("pregnant", "(?:我|本人)(?:现在|已经|刚刚?)*(?:怀孕|怀上)了", True, "老婆|妻子|媳妇"),
    _rule(
        "rents_home",
        "(?:我|本人|我们|一家人?|家里?)(?:现在|目前|一直)*(?:在外面?|在云州)?租(?:房子?|的房子)住",
        True,
    ),
    _rule(
        "living_alone",
        f"{_PERSON}.{{0,8}}(?:一个人住|独居|独自(?:居住|生活))|^(?:现在|一直|都)*(?:一个人住|独居)$",
        True,
    ),
    _rule("needs_care", "生活〔难〕自理|瘫痪在床|长期卧床", True),
    _rule(
        "skill_certificate",
        "(?:考了|考到了?|拿到了?|取得了?|考出了?)一?(?:个|本)?(?P<said>初级工|中级工|高级工|高级技师|技师)",
    ),
    _rule("gender", "(?:我|本人)是(?:个)?(?P<said>男|女)(?:的|性|士)"),
    _rule("district", r"住在?(?:\w{2,3}市)?(?P<said>\w{1,3}[区县])(?!别|域)"),
)

_RULES = {"enterprise": _ENTERPRISE_RULES, "resident": _RESIDENT_RULES}
_COLUMNS = {"enterprise": ENTERPRISE, "resident": RESIDENT}

_SENTENCE = re.compile(r"[^。！!;；\n]+")
_CLAUSE = re.compile("[^，,?？]+[?？]?")
_ASIDE = re.compile("不好意思|对不起|不客气|不瞒你说|您好|你好|请问")
_CANNOT_LIVE_ALONE = re.compile("(?:不能|无法|没法|不太能)自理")
_ASKS = re.compile(
    "(?<![不智节技功性])能|可不可以|可以|有没有|有什么|有啥|有哪些|怎么|如何|是不是|不知道|想问|想知道|想咨询|"
    r"有\w{0,6}(?:补贴|补助|津贴|政策|优惠)|还没(?:领|享受|拿|收到)|该|多少|什么|哪些|会不会"
)
_SUPPOSES = re.compile(
    "如果|假如|要是|假设|假使|的话|万一|若|倘|只要|除非|一旦|等到|等我|比如|例如"
)
_UNCERTAIN = re.compile(
    "没|[不未无非否别莫]|想|打算|计划|准备|希望|将来|明年|后年|以后|快|马上|即将|可能|也许|应该|好像|似乎|"
    "据说|听说|以前|曾经|原来|当时|之前|争取|目标|预计|申请|要|以上|以下|以内|超过|至少|最多|必须|规定|才[能有可]|"
    "满足|条件|标准|是否|吗|隔壁|(?<!其)[他她]|别人|别的|(?<!老)人家|朋友|邻居|楼下|对面|同行|同事|亲戚|几"
)


def read_facts(kind: Kind, text: str, today: date | None = None) -> dict[str, Value]:
    """Return the columns a free sentence states for certain; empty when it states none.

    A column stated twice with different values is left out.

    Args:
        kind: whose profile the sentence is about.
        text: the citizen's words; only the first 2000 characters are read.
        today: the day spans of time are counted to, default the present day.
    """
    stated: defaultdict[str, set[Value]] = defaultdict(set)
    for clause in _certain_clauses(text[:MAX_TEXT_CHARS]):
        for rule in _RULES[kind]:
            if rule.unless and rule.unless.search(clause):
                continue
            for match in rule.pattern.finditer(clause):
                value = rule.value
                if value is None:
                    value = _read(kind, rule.column, match["said"], today)
                if value is not None:
                    stated[rule.column].add(value)
    return {column: values.pop() for column, values in stated.items() if len(values) == 1}


def _certain_clauses(text: str) -> Iterator[str]:
    """Yield the clauses that state something, each cut off where it turns into a question."""
    for sentence in _SENTENCE.findall(text):
        for part in _CLAUSE.findall(_join_thousands(sentence)):
            if _SUPPOSES.search(part):
                break  # what follows in the sentence hangs on the supposition
            clause = clean(_CANNOT_LIVE_ALONE.sub("〔难〕自理", _ASIDE.sub("", part)))
            asks = _ASKS.search(clause)
            if asks:
                clause = clause[: asks.start()]
            elif clause.endswith(("?", "？")):
                continue
            if clause and not _UNCERTAIN.search(clause) and not is_range(clause):
                yield clause


def _join_thousands(text: str) -> str:
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)


def _read(kind: Kind, column: str, said: str, today: date | None) -> Value | None:
    if column.endswith("_wan") and not re.search("[万亿元块]", said):
        return None  # 营收300: nothing says 300 of what
    try:
        value = parse_answer(_COLUMNS[kind][column], said, today)
    except InputError:
        return None
    return None if isinstance(value, Unknown) else value
