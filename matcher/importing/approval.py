"""A completed draft becomes a policy file, once nothing in it is open."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from base.errors import ConfigurationError, InputError, StateError
from matcher.documents import read_model
from matcher.importing.draft import FIELDS, LISTS, Draft, Entry
from matcher.policy import Policy, load_policies
from matcher.predicate import parse_predicate

__all__ = ["approve", "load_draft", "open_points", "policy_content"]

MAX_DRAFT_BYTES = 1024 * 1024
REQUIRED = (
    "id", "title", "audience", "level", "issuer", "document.title", "origin", "theme", "summary",
    "benefit.kind", "benefit.text", "apply.place",
)  # fmt: skip
LEAST = {"materials": 1, "steps": 1, "queries": 3}


def load_draft(path: Path) -> Draft:
    """Read the draft at ``path``.

    Raises:
        InputError: ``draft_invalid`` when it is no draft, is too large or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_DRAFT_BYTES:
            raise InputError("draft_invalid", "草稿文件太大，请检查是否选错了文件。", str(path))
        return read_model(path, Draft)
    except OSError as error:
        raise InputError("draft_invalid", "草稿文件无法打开，请检查路径。", str(error)) from error
    except ConfigurationError as error:
        raise InputError(
            "draft_invalid", "草稿文件格式不对，请对照文件开头的说明检查。", error.detail
        ) from error


def open_points(draft: Draft) -> list[str]:
    """Return what a human must still settle, each a Chinese sentence; empty when nothing."""
    points = [
        f"缺少{FIELDS[path]}（fields.{path}）"
        for path in REQUIRED
        if _empty(draft.fields.get(path))
    ]
    for name, least in LEAST.items():
        entries = [entry for entry in draft.lists.get(name, ()) if not _empty(entry)]
        if len(entries) < least:
            points.append(f"{LISTS[name]}至少要{least}条，现在{len(entries)}条（lists.{name}）")
    if not draft.conditions:
        points.append("没有任何条件（conditions）")
    for number, condition in enumerate(draft.conditions, 1):
        quoted = condition.text if len(condition.text) <= 40 else f"{condition.text[:40]}……"
        if not (condition.when or "").strip():
            points.append(f"第{number}条条件还没有写成表达式（when）：{quoted}")
        elif condition.check:
            points.append(f"第{number}条条件待核对：{condition.check}（{quoted}）")
    return points + _faulty(draft)


def _empty(entry: Entry | None) -> bool:
    return entry is None or entry.value is None or not str(entry.value).strip()


def _faulty(draft: Draft) -> list[str]:
    """Return the conditions whose predicate the profiles cannot judge."""
    audience = draft.fields.get("audience", Entry()).value
    if audience not in ("enterprise", "resident"):
        return (
            [] if audience is None else ["面向对象应为 enterprise 或 resident（fields.audience）"]
        )
    points = []
    for number, condition in enumerate(draft.conditions, 1):
        if not (condition.when or "").strip():
            continue
        try:
            parse_predicate(str(condition.when), audience)
        except ConfigurationError as error:
            points.append(f"第{number}条条件的表达式有误：{condition.when}（{error.detail}）")
    return points


def policy_content(draft: Draft) -> dict[str, Any]:
    """Return the draft as the content of a policy file, sentences left out."""
    content: dict[str, Any] = {}
    for path in FIELDS:
        entry = draft.fields.get(path)
        if _empty(entry) or entry is None:
            continue
        section, _, name = path.rpartition(".")
        (content.setdefault(section, {}) if section else content)[name] = entry.value
    content["eligibility"] = [{"text": c.text, "when": c.when} for c in draft.conditions]
    for name in LISTS:
        content[name] = [e.value for e in draft.lists.get(name, ()) if not _empty(e)]
    content["excludes"] = list(draft.excludes)
    content["supersedes"] = list(draft.supersedes)
    content["version"] = draft.version
    if draft.body:
        content["body"] = draft.body
    return content


def approve(draft: Draft, directory: Path) -> Path:
    """Write the policy of ``draft`` below ``directory`` and return its file.

    The policy goes through the check of the whole catalogue before it is there for good.

    Raises:
        StateError: ``draft_open`` while something is missing, with the list in the message;
            ``policy_exists`` when the id is taken.
        InputError: ``policy_invalid`` when a field or the whole catalogue does not pass.
    """
    points = open_points(draft)
    if points:
        listed = "\n".join(f"  {number}. {point}" for number, point in enumerate(points, 1))
        raise StateError("draft_open", f"草稿还有{len(points)}处没有完成：\n{listed}")
    content = policy_content(draft)
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        raise _invalid(error) from error
    for audience in ("enterprise", "resident"):
        if (directory / audience / f"{policy.id}.yml").exists():
            raise StateError("policy_exists", f"已经有标识为 {policy.id} 的政策，请换一个标识。")
    return _write(content, directory, policy)


def _invalid(error: ValidationError) -> InputError:
    faults = [
        (".".join(map(str, fault["loc"])), fault["msg"])
        for fault in error.errors(include_url=False)
    ]
    names = "、".join(FIELDS.get(place, place) or "整份文件" for place, _ in faults)
    detail = "; ".join(f"{place}: {message}" for place, message in faults)
    return InputError("policy_invalid", f"以下内容填写有误，请修改：{names}。", detail)


def _write(content: dict[str, Any], directory: Path, policy: Policy) -> Path:
    """Write the file, check the whole catalogue with it, and take it back when that fails."""
    folder = directory / policy.audience
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{policy.id}.yml"
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        os.link(name, target)  # fails when another approval was faster
    except FileExistsError as error:
        raise StateError(
            "policy_exists", f"已经有标识为 {policy.id} 的政策，请换一个标识。"
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)
    try:
        load_policies(directory)
    except ConfigurationError as error:
        target.unlink()
        raise InputError(
            "policy_invalid", "政策与现有目录冲突，请检查互斥政策等内容。", error.detail
        ) from error
    return target
