"""What other processes and systems answer: database, Rasa, actions, dispatch, Redis, mail."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from base.errors import ConfigurationError
from base.settings import Settings
from channels.notices.errors import SendError
from channels.notices.mail import Mailer
from cli.doctor.finding import NOTHING, Finding, State, Words
from store.database import is_migrated, reading
from store.models import utc_now
from store.notice_models import NoticeContact
from store.outbox import backlog
from store.tickets import outbox_summary

TIMEOUT_SECONDS = 5.0
SKEW = timedelta(seconds=60)
"""Signed webhooks are refused beyond base.signing's tolerance; this warns well before."""


def database(_settings: Settings) -> Finding:
    """Reach the database and compare its migrations with the code's."""
    title = Words("数据库", "database")
    try:
        migrated = is_migrated()
    except SQLAlchemyError as error:
        todo = Words(
            "连不上：检查 SHIMIN_DATABASE_URL 和数据库服务",
            "cannot be reached: check SHIMIN_DATABASE_URL and the server",
        )
        return Finding("database", title, State.FAILED, type(error).__name__, todo)
    if not migrated:
        todo = Words("请先备份，再执行 shimin db upgrade", "back up, then run `shimin db upgrade`")
        return Finding("database", title, State.FAILED, "not migrated", todo)
    return Finding("database", title, State.OK, "migrated")


def outbox(settings: Settings) -> Finding:
    """Look for complaints that do not get through to the dispatch system."""
    title = Words("派单队列", "outbox")
    try:
        with reading() as session:
            counts, found = outbox_summary(session), backlog(session)
    except SQLAlchemyError:
        return Finding("outbox", title, State.FAILED, "database", NOTHING)
    age = utc_now() - found.oldest if found.oldest else timedelta(0)
    minutes = int(age.total_seconds() // 60)
    seen = f"pending {found.waiting}, dead {counts.get('dead', 0)}, oldest {minutes} min"
    if counts.get("dead"):
        todo = Words(
            "有被拒收的工单：shimin outbox list 查看，处理后 shimin outbox retry",
            "complaints were refused: see `shimin outbox list`, then `shimin outbox retry`",
        )
        return Finding("outbox", title, State.WARNING, seen, todo)
    if age > timedelta(minutes=settings.outbox_late_minutes):
        todo = Words(
            "工单积压：检查 relay 进程和派单系统，shimin outbox list 有原因",
            "complaints wait: check relay and dispatch system; `shimin outbox list` says why",
        )
        return Finding("outbox", title, State.WARNING, seen, todo)
    return Finding("outbox", title, State.OK, seen)


def rasa(settings: Settings) -> Finding:
    """Ask the Rasa server."""
    return _answers("rasa", Words("对话服务", "Rasa"), f"{settings.rasa_url}/", "rasa")


def actions(settings: Settings) -> Finding:
    """Ask the action server."""
    title = Words("动作服务", "action server")
    return _answers("actions", title, f"{settings.actions_url}/health", "actions")


def gateway(settings: Settings) -> Finding:
    """Ask the gateway."""
    url = f"http://{settings.gateway_host}:{settings.gateway_port}/api/v1/live"
    return _answers("gateway", Words("网关", "gateway"), url, "gateway")


def dispatch(settings: Settings) -> Finding:
    """Ask the dispatch system; citizens are served without it, for a while."""
    title = Words("派单系统", "dispatch system")
    error = _trouble(f"{settings.dispatch_url}/services.json")
    if error is None:
        return Finding("dispatch", title, State.OK, settings.dispatch_url)
    todo = Words(
        f"{settings.dispatch_url} 没有应答，工单先存着：检查 SHIMIN_DISPATCH_URL 和对方系统",
        f"{settings.dispatch_url} does not answer; complaints wait: check SHIMIN_DISPATCH_URL and "
        "the other side",
    )
    return Finding("dispatch", title, State.WARNING, error, todo)


def _answers(part: str, title: Words, url: str, process: str) -> Finding:
    error = _trouble(url)
    if error is None:
        return Finding(part, title, State.OK, url)
    todo = Words(
        f"没有应答：启动或重启 shimin serve {process}，看它的日志",
        f"does not answer: (re)start `shimin serve {process}` and read its log",
    )
    return Finding(part, title, State.FAILED, error, todo)


def _trouble(url: str) -> str | None:
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"HTTP {answer.status_code}"


def clock(settings: Settings) -> Finding:
    """Compare this clock with the dispatch system's and look for the city's time zone."""
    title = Words("时钟", "clock")
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        todo = Words("缺少时区数据，请安装 tzdata", "time zones are missing: install tzdata")
        return Finding("clock", title, State.FAILED, "no Asia/Shanghai", todo)
    try:
        header = httpx.get(settings.dispatch_url, timeout=TIMEOUT_SECONDS).headers["Date"]
        other = parsedate_to_datetime(header)
    except (httpx.HTTPError, KeyError, ValueError):
        return Finding("clock", title, State.OK, "nothing to compare with")
    skew = abs(datetime.now(UTC) - other.astimezone(UTC))
    seen = f"{skew.total_seconds():.0f} s"
    if skew <= SKEW:
        return Finding("clock", title, State.OK, seen)
    todo = Words(
        "与派单系统时间相差太大，签名回执会被拒收：请启用 NTP 校时",
        "differs from the dispatch system's, whose signed news will be refused: use NTP",
    )
    return Finding("clock", title, State.WARNING, seen, todo)


def lock_store(settings: Settings) -> Finding:
    """Reach Redis, which several Rasa workers share their locks in."""
    title = Words("会话锁（Redis）", "lock store (Redis)")
    if not settings.lock_url:
        return Finding("lock_store", title, State.UNUSED)
    url = urlsplit(settings.lock_url)
    try:
        with socket.create_connection(
            (cast("str", url.hostname), url.port or 6379), TIMEOUT_SECONDS
        ):
            return Finding("lock_store", title, State.OK, f"{url.hostname}:{url.port or 6379}")
    except OSError as error:
        todo = Words("连不上 Redis：检查 SHIMIN_LOCK_URL", "Redis is away: check SHIMIN_LOCK_URL")
        return Finding("lock_store", title, State.FAILED, type(error).__name__, todo)


def mail(settings: Settings) -> Finding:
    """Log in at the mail server."""
    title = Words("邮件", "mail")
    if not settings.smtp_host:
        return Finding("mail", title, State.UNUSED)
    try:
        with Mailer(settings) as mailer:
            mailer.connect()
    except (ConfigurationError, SendError) as error:
        seen = error.detail if isinstance(error, ConfigurationError) else str(error)
        todo = Words(
            "检查 SHIMIN_SMTP_ 开头的设置和邮件服务器",
            "check the settings SHIMIN_SMTP_… and the mail server",
        )
        return Finding("mail", title, State.WARNING, seen, todo)
    return Finding("mail", title, State.OK, f"{settings.smtp_host}:{settings.smtp_port}")


def robots(settings: Settings) -> Finding:
    """Look up the hosts whose robots may be sent to, when there is a robot to send to."""
    title = Words("群机器人", "group robots")
    hosts = [host.strip() for host in settings.notice_webhook_hosts.split(",") if host.strip()]
    with reading() as session:
        robots = session.scalar(
            select(func.count()).select_from(NoticeContact).where(NoticeContact.channel != "email")
        )
    if not hosts or not robots:
        return Finding("robots", title, State.UNUSED)
    unknown = [host for host in hosts if not _resolves(host)]
    if unknown:
        todo = Words(
            f"解析不了 {'、'.join(unknown)}：检查 DNS 和 SHIMIN_NOTICE_WEBHOOK_HOSTS",
            f"no address for {', '.join(unknown)}: check DNS and SHIMIN_NOTICE_WEBHOOK_HOSTS",
        )
        return Finding("robots", title, State.WARNING, f"{len(unknown)}/{len(hosts)}", todo)
    return Finding("robots", title, State.OK, f"{len(hosts)}")


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False
