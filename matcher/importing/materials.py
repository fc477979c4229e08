"""What an applicant hands in and the steps to take, name by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcher.importing.fields import Field
from matcher.importing.outline import Passage, strip_marker

__all__ = ["materials", "steps"]

_HAND_IN = re.compile(
    r"(?:提交|提供|递交|报送|上传|携带|带上|(?<!支)持(?![有续])|(?<!文)凭(?!证|券)|填写|准备|出具|留存|将(?=[^，]*发送))"
    r"(?:以下|下列)?(?:材料|资料)?[：:]?\s*(?P<what>[^。；]{2,80})"
)
_TAIL = re.compile(
    r"(?:等(?:身份)?(?:证明)?(?:有关|相关)?(?:材料|资料)?(?=$|[，到向在至]).*|(?:备查|留存备查|"
    r"(?:，|到|向|在|至|于|发送|即可|就行|就够).*))$"
)
_SPLIT = re.compile(r"、|，|以及|和(?!解)|及(?!其)|与(?!付款|相关)")
_NOT_MATERIAL = re.compile(r"\d{4}-|电话|年\d|申请人$|^(?:不|无)|窗口|公示|审核|虚假|弄虚|[：:]$")


def materials(passages: Sequence[Passage]) -> list[Field]:
    """Return what an applicant hands in, each with its sentence."""
    found: list[Field] = []
    for passage in passages:
        if passage.topic == "materials":
            if passage.item and not _listed(passage.text):
                found.append(Field(_material(passage.text), passage.source))
            else:
                listed = _listed(passage.text) or _handed_in(passage.text)
                short = len(passage.text) <= 16 and "，" not in passage.text
                if not listed and short:  # 甲；乙；丙 in one line
                    listed = [_material(passage.text)]
                found += [Field(name, passage.source) for name in listed]
        elif passage.topic not in ("conditions", "excluded", "benefit"):
            found += [Field(name, passage.source) for name in _handed_in(passage.text)]
    kept = {field.value: field for field in found if _is_material(str(field.value))}
    return list(kept.values())


def _material(text: str) -> str:
    text = strip_marker(text)[1].strip("。；;，、 ")
    text = re.sub(r"[（(][^（）()]*[份件供][^（）()]*[)）]$", "", text)
    return text.removesuffix("等").removesuffix("备查").strip()


def _listed(text: str) -> list[str]:
    """Split 甲、乙和丙 (given as one sentence) into its names; empty when it is one name."""
    named = re.sub(
        r"^.{0,12}?(?:包括|提交|提供|带上|带|准备|上传|递交)[：:]?", "", text.strip("。；; ")
    )
    named = re.split(r"，(?:三|两|四)?样|就够|即可|等(?=材料|资料|证明|$)", named)[0]
    parts = [_material(part) for part in re.split(r"、|；|以及", named)]
    return [part for part in parts if part] if len(parts) > 1 else []


def _handed_in(text: str) -> list[str]:
    match = _HAND_IN.search(text)
    if match is None:
        return []
    what = _TAIL.sub("", match["what"].split("：")[-1])
    names = [_material(part) for part in _SPLIT.split(what)]
    return [name for name in names if name] if all(len(name) <= 18 for name in names) else []


def _is_material(name: str) -> bool:
    papers = re.search(
        "证|表|书|单|照|合同|发票|凭证|报告|材料|簿|流水|截图|文件|函|协议|记录|清单|票据|账|册|复印件|信息|资料|卡",
        name,
    )
    return bool(papers) and 2 <= len(name) <= 40 and not _NOT_MATERIAL.search(name)


_STEP = re.compile(r"，|；|、|→|—+>?|->")


def steps(passages: Sequence[Passage]) -> list[Field]:
    """Return the steps of the procedure where the document lists them."""
    found: list[Field] = []
    for passage in passages:
        if passage.topic != "process":
            continue
        parts = [part.strip("。 ") for part in _STEP.split(strip_marker(passage.text)[1])]
        short = [part for part in parts if 2 <= len(part) <= 24]
        if passage.item and len(passage.text) <= 60:
            found.append(Field(passage.text, passage.source))
        elif len(short) >= 3 and len(short) == len(parts):
            found += [Field(part, passage.source) for part in short]
    return found[:12]
