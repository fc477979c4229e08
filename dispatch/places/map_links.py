"""A link that shows a point on a public map, for the citizen to check it."""

from __future__ import annotations

from urllib.parse import quote

from base.errors import ConfigurationError
from base.settings import get_settings
from dispatch.places.atlas import check_coordinates

MAX_LABEL = 40


def map_link(latitude: float, longitude: float, label: str) -> str:
    """Return the address of a map page, or "" when ``SHIMIN_MAP_LINK`` is empty.

    ``latitude`` and ``longitude`` are WGS 84 degrees; the template must name that system,
    because Chinese maps take GCJ-02 otherwise, some 500 m off (AMap's ``coordinate=wgs84``,
    https://lbs.amap.com/api/uri-api/guide/mobile-web/point). ``label`` is the place's name
    and never the citizen's words: it leaves for the map service with the link.

    Raises:
        InputError: ``location_out_of_range`` when the pair is not a point on Earth.
        ConfigurationError: when the template has an unknown field.
    """
    template = get_settings().map_link
    if not template:
        return ""
    check_coordinates(latitude, longitude)
    try:
        return template.format(
            latitude=f"{latitude:.6f}",
            longitude=f"{longitude:.6f}",
            label=quote(label[:MAX_LABEL], safe=""),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise ConfigurationError(f"SHIMIN_MAP_LINK: {error}") from error
