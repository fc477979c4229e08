from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from base.errors import ConfigurationError, InputError
from base.settings import get_settings
from dispatch.places.map_links import map_link


@pytest.fixture(autouse=True)
def _fresh_settings() -> object:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_the_link_names_point_system_and_place() -> None:
    link = urlsplit(map_link(30.2741, 120.1551, "春风里小区 & 对面"))
    asked = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (link.scheme, link.netloc, link.path) == ("https", "uri.amap.com", "/marker")
    assert asked["position"] == "120.155100,30.274100"
    assert asked["coordinate"] == "wgs84"
    assert asked["name"] == "春风里小区 & 对面"


def test_a_city_may_use_another_map_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIMIN_MAP_LINK", "https://map.example/?q={latitude},{longitude}#{label}")
    assert map_link(30.0, 120.0, "桥") == "https://map.example/?q=30.000000,120.000000#%E6%A1%A5"
    get_settings.cache_clear()
    monkeypatch.setenv("SHIMIN_MAP_LINK", "")
    assert map_link(30.0, 120.0, "桥") == ""


@pytest.mark.parametrize("template", ["https://map.example/{lat}", "https://map.example/{", "{0}"])
def test_a_wrong_template_is_named(monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    monkeypatch.setenv("SHIMIN_MAP_LINK", template)
    with pytest.raises(ConfigurationError) as caught:
        map_link(30.0, 120.0, "桥")
    assert "SHIMIN_MAP_LINK" in caught.value.detail


def test_an_impossible_point_has_no_link() -> None:
    with pytest.raises(InputError):
        map_link(float("nan"), 120.0, "桥")
