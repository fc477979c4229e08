from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch.places.unknown_address import unknown_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("平安里12号", "平安里12号"),
        ("我家在平安里12号门口", "平安里12号门口"),
        ("投诉和平路18号的餐馆", "和平路18号"),
        ("云东区和平路18号3单元", "云东区和平路18号3单元"),
        ("云东区和平路", "云东区和平路"),
        ("幸福小区3号楼", "幸福小区3号楼"),
        ("我住幸福小区", "幸福小区"),
        ("和平路与建设路交叉口", "和平路与建设路交叉口"),
        ("昨晚和平路十八号一直吵", "和平路十八号"),
        ("云东区桃园街道平安里幺二号旁边", "云东区桃园街道平安里幺二号旁边"),
        ("李家村3组", "李家村3组"),
        ("锦绣花园2期5栋", "锦绣花园2期5栋"),
        ("在龙湖大厦门口", "龙湖大厦门口"),
        ("地址：和平巷7弄3号", "和平巷7弄3号"),
        ("新安镇李家村", "新安镇李家村"),
        ("平安里１２号", "平安里12号"),
        ("油烟太大了，幸福花园东门", "幸福花园东门"),
    ],
)
def test_a_full_address_is_taken_as_typed(text: str, address: str) -> None:
    assert unknown_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "家里",
        "这里",
        "夜里",
        "公里",
        "哪里",
        "院里",
        "巷子里",
        "马路上",
        "小区里",
        "楼下",
        "河里",
        "在路上",
        "小区门口",
        "12号楼下",
        "三点意见",
        "我们小区3号楼下面很吵",
        "整个小区都很臭",
        "楼下公园有人唱歌",
        "附近幼儿园门口堵车",
        "离我家3公里",
        "马路上有坑",
        "和平路18号晚上一直施工",
        "这条路18号开始修",
        "隔壁小区3号楼",
        "我在公园里",
        "老小区没有电梯",
        "农村里烧秸秆",
        "城中村里很臭",
        "高速公路3号出口",
        "公交1路车",
        "一路上都是垃圾",
        "去医院的路上",
        "思路3号方案",
        "走了半里路",
        "菜市场很脏",
        "村里3组的人",
        "网络12号故障",
        "门口那条街",
        "他们小区5栋",
        "夜里公园很吵",
        "住在小区",
        "电话12345号",
        "家里12号漏水",
        "垃圾堆在小区里",
        "巷子里12号",
        "院子里3号",
        "早上六点钟楼下",
        "气得我在家里",
        "天桥下",
        "和平路",
        "噪音100多分贝",
        "24小时营业",
        "8点水洼",
        "你好",
        "谢谢",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert unknown_address(text) is None


SCRAPS = st.lists(
    st.sampled_from(
        [
            "平安",
            "和平",
            "幸福",
            "里",
            "路",
            "街",
            "巷",
            "号",
            "12",
            "十八",
            "小区",
            "家",
            "这",
            "夜",
            "大厦",
            "公园",
            "云东区",
            "桃园街道",
            "的",
            "在",
            "我",
            ",",
            "和",
            "口",
            "3单元",
            "晚上",
        ]
    ),
    max_size=14,
).map("".join)


@given(st.one_of(SCRAPS, st.text(max_size=800)))
@example("和" * 500 + "路")
@example("平安里" * 200)
def test_it_is_a_stretch_of_the_text_and_names_something(text: str) -> None:
    address = unknown_address(text)
    if address is None:
        return
    assert 3 <= len(address) <= 60
    assert address in unicodedata.normalize("NFKC", text)
    assert not address.startswith(("我", "在", "的", "这"))
