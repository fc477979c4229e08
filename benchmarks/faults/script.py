"""What the citizens of a run complain about, and where. Written for Shimin's sample city; not
copied from any corpus."""

from __future__ import annotations

import random

from benchmarks.faults.citizen import Complaint
from dispatch.places.atlas import Atlas
from tests.e2e.driver import jpeg, location, photo
from tests.stack import ROOT

WORDS = (
    "楼下烧烤摊天天冒黑烟，熏得家里不敢开窗",
    "工地没有围挡，尘土飞扬，晾的衣服全是灰",
    "化工厂的烟囱晚上一直冒黑烟，味道刺鼻",
    "河边的排污口往河里直排黄色的污水",
    "这条小河又黑又臭，水面上漂着一层油",
    "路边的生活垃圾堆成山了，好几天没人清运",
    "建筑垃圾倒在人行道上，没法走路",
    "工地半夜还在打桩，吵得全家睡不着",
    "广场上的音响每天放到晚上十一点，声音特别大",
    "楼上邻居天天半夜装修，电钻声吵死人了",
    "空地上有人焚烧秸秆，到处都是烟",
    "养殖场的臭味飘得整个村子都是",
    "商场的大屏幕整夜亮着，晃得人睡不着觉",
    "厂里的机器昼夜轰鸣，噪声特别大",
    "路灯坏了半个月，晚上一片漆黑",
    "有人把废机油桶丢在树林里，油流了一地",
)
PHOTO_EVERY = 3
FIRST_STEP_DEGREES = 0.05


def complaints(number: int, seed: int, prefix: str) -> list[Complaint]:
    """Return ``number`` complaints, each of its own citizen, about different places.

    No two places are the same, so that nothing is taken for a report of the same problem.
    Every third one carries a photo.
    """
    chance = random.Random(seed)
    spots = places(number)
    chance.shuffle(spots)
    told = []
    for count in range(number):
        words = f"{WORDS[count % len(WORDS)]}，已经是第{chance.randint(2, 9)}天了"
        attachments = [location(*spots[count])]
        if count % PHOTO_EVERY == 0:
            attachments.append(photo(jpeg()))
        told.append(Complaint(f"{prefix}-{count:04d}", words, tuple(attachments)))
    return told


def places(number: int) -> list[tuple[float, float]]:
    """Return at least ``number`` points of a grid inside the sample city, as wide as fits."""
    city = Atlas.load(ROOT / "dispatch" / "city")
    step = FIRST_STEP_DEGREES
    while True:
        points = [
            (30.05 + row * step, 119.90 + column * step)
            for row in range(int(0.45 / step))
            for column in range(int(0.55 / step))
        ]
        inside = [point for point in points if city.contains(*point)]
        if len(inside) >= number:
            return inside
        step *= 0.9
