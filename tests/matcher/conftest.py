"""A small city in YAML, written by the tests themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from base.settings import Settings

Data = dict[str, Any]


def _policy(identifier: str = "sme_grant", **changes: Any) -> Data:
    return {
        "id": identifier,
        "title": "中小微企业稳岗补贴",
        "audience": "enterprise",
        "level": "city",
        "issuer": "云州市人力资源和社会保障局",
        "document": {"title": "云州市稳岗补贴办法", "date": "2026-01-01"},
        "origin": "sample",
        "theme": "稳岗就业",
        "summary": "对不裁员、少裁员的中小微企业给予补贴。",
        "benefit": {"kind": "subsidy", "text": "每人1000元", "amount": 1000, "unit": "元/人"},
        "eligibility": [
            {"text": "在本市注册满一年", "when": "registered_years >= 1"},
            {
                "text": "从业人员300人以下的中小微企业",
                "when": "headcount < 300 AND scale IN ('micro', 'small', 'medium')",
            },
        ],
        "window": {"note": "常年受理"},
        "materials": ["营业执照"],
        "steps": ["网上申报", "审核公示"],
        "apply": {"place": "市民中心二楼", "online": "云州政务服务网", "phone": "12345"},
        "excludes": [],
        "queries": ["不裁员有没有补贴", "稳岗补贴怎么领", "给员工交社保能返钱吗"],
        "version": 1,
    } | changes


def _service(identifier: str = "id_card_replace", **changes: Any) -> Data:
    return {
        "id": identifier,
        "name": "居民身份证补领",
        "aliases": ["补身份证", "身份证补办", "身份证丢了"],
        "domain": "公安",
        "audience": "resident",
        "questions": ["身份证丢了怎么补办", "身份证不见了去哪里补", "补身份证要带什么"],
        "answer": "带户口簿到派出所补办，工本费40元，20个工作日领证。",
        "summary": "居民身份证丢失后申请补领。",
        "conditions": ["年满十六周岁"],
        "materials": [{"name": "户口簿", "required": True}],
        "steps": ["现场申请", "领取证件"],
        "fee": {"amount": 40, "unit": "元", "text": "工本费40元"},
        "time_limit": {"legal": "60日", "promised": "20个工作日", "text": "20个工作日内办结"},
        "place": {"halls": ["yundong"], "text": "户籍窗口", "hours": "9:00-17:00"},
        "online": {"text": "可网上预约", "entry": "云州政务服务网"},
        "department": "云州市公安局",
        "phone": "12345",
        "basis": [{"title": "中华人民共和国居民身份证法", "article": "第十一条"}],
        "checked": "2026-10-15",
        "review_by": "2027-10-15",
        "origin": "sample",
        "appointment": {"required": False, "bookable": True, "text": "无需预约"},
    } | changes


HALL: Data = {
    "id": "yundong",
    "name": "云东区政务服务中心",
    "district": "云东区",
    "address": "云东区文昌路1号",
    "lat": 30.2741,
    "lon": 120.1551,
    "phone": "12345",
    "hours": "mon-fri 09:00-12:00 13:30-17:00",
    "domains": ["公安", "人社"],
}

SERVICES: tuple[Data, ...] = (
    _service(),
    _service(
        "id_card_renew",
        name="居民身份证换领",
        aliases=["换身份证", "身份证到期换证"],
        questions=["身份证过期了怎么换", "身份证快到期了在哪换新的", "身份证换领要多久"],
        summary="居民身份证有效期满换领新证。",
    ),
    _service(
        "social_card_replace",
        name="社会保障卡补领",
        aliases=["补社保卡", "社保卡丢了"],
        domain="人社",
        questions=["社保卡丢了怎么补", "医保卡不见了去哪补办", "补办社保卡要钱吗"],
        summary="社会保障卡丢失、损坏后补领。",
    ),
    _service(
        "housing_fund_withdraw",
        name="住房公积金提取",
        aliases=["取公积金", "提取公积金"],
        domain="公积金",
        questions=["公积金怎么取出来", "租房能提公积金吗", "买房提取公积金要什么材料"],
        summary="符合条件的职工提取住房公积金账户余额。",
    ),
    _service(
        "marriage_registration",
        name="结婚登记",
        aliases=["领结婚证", "领证"],
        domain="民政",
        questions=["领结婚证要带什么", "结婚登记去哪里办", "外地户口能在这里领证吗"],
        summary="男女双方自愿结婚办理登记。",
    ),
)

POLICIES: tuple[Data, ...] = (
    _policy(excludes=["training_grant"]),
    _policy(
        "training_grant",
        title="企业职工技能培训补贴",
        theme="技能培训",
        summary="企业组织职工参加技能培训给予补贴。",
        benefit={"kind": "subsidy", "text": "每人500元", "amount": 500, "unit": "元/人"},
        eligibility=[{"text": "在本市注册", "when": "registered_in_city"}],
        queries=["给员工培训有补贴吗", "技能培训补贴怎么申请", "职工考证企业有钱拿吗"],
    ),
    _policy(
        "rd_deduction",
        title="研发费用加计扣除",
        theme="科技创新",
        summary="企业研发费用在税前加计扣除。",
        benefit={"kind": "tax", "text": "按100%加计扣除"},
        eligibility=[
            {"text": "有研发支出", "when": "rd_expense_wan > 0"},
            {"text": "无重大违法记录", "when": "NOT has_serious_violation"},
        ],
        queries=["研发费用能抵税吗", "加计扣除怎么算", "搞技术开发有什么税收优惠"],
    ),
    _policy(
        "old_grant",
        title="老旧设备更新奖励",
        theme="技术改造",
        summary="企业更新老旧设备给予奖励。",
        benefit={"kind": "subsidy", "text": "最高50万元", "cap": 50, "unit": "万元"},
        eligibility=[{"text": "在本市注册", "when": "registered_in_city"}],
        window={"opens": "2026-01-01", "closes": "2026-06-30"},
        queries=["换设备有补贴吗", "设备更新奖励还能报吗", "技改买机器给不给钱"],
    ),
    _policy(
        "coming_grant",
        title="新能源汽车充电桩建设补助",
        theme="绿色发展",
        summary="企业建设充电桩给予补助。",
        benefit={"kind": "loan", "text": "贷款贴息"},
        eligibility=[{"text": "在本市注册", "when": "registered_in_city"}],
        window={"opens": "2027-01-01"},
        queries=["建充电桩有补助吗", "充电桩补贴怎么申请", "停车场装充电桩给钱吗"],
    ),
    _policy(
        "elderly_allowance",
        title="高龄津贴",
        audience="resident",
        theme="养老",
        summary="八十周岁以上老年人按月领取津贴。",
        benefit={"kind": "allowance", "text": "每月100元", "amount": 100, "unit": "元/月"},
        eligibility=[
            {"text": "年满80周岁", "when": "age >= 80"},
            {"text": "本市户籍", "when": "hukou = 'local'"},
        ],
        queries=["老人有什么补贴", "80岁以上每个月给钱吗", "高龄津贴怎么领"],
    ),
)


@pytest.fixture
def policy_data() -> Callable[..., Data]:
    """Makes the data of a valid policy, changed as told."""
    return _policy


@pytest.fixture
def service_data() -> Callable[..., Data]:
    """Makes the data of a valid service item, changed as told."""
    return _service


@pytest.fixture
def hall_data() -> Data:
    """The data of a valid hall."""
    return dict(HALL)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


@pytest.fixture
def write_yaml() -> Callable[[Path, Any], None]:
    """Writes content as a YAML file, with its folders."""
    return _write


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the small city, its files written."""
    root = tmp_path_factory.mktemp("city")
    directory = root / "policies"
    for service in SERVICES:
        _write(directory / "services" / f"{service['id']}.yml", service)
    for policy in POLICIES:
        _write(directory / policy["audience"] / f"{policy['id']}.yml", policy)
    _write(directory / "halls.yml", [HALL])
    return Settings(policies_dir=directory, model_dir=root / "models")
