"""The city for the page's place picker: outlines, roads and named places, without tiles."""

from __future__ import annotations

from typing import Any

from dispatch.places.atlas import Atlas, LatLon


def map_document(atlas: Atlas) -> dict[str, Any]:
    """Return what is drawn and searched; points are ``[latitude, longitude]`` (WGS 84 degrees).

    Nothing in it is personal: it is the city's own gazetteer.
    """
    return {
        "name": atlas.name,
        "boundary": _points(atlas.boundary),
        "districts": [
            {
                "name": district.name,
                "polygon": _points(district.polygon),
                "label": atlas.degrees(atlas.outlines[district.name].representative_point()),
                "streets": [
                    {"name": street.name, "point": street.center} for street in district.streets
                ],
            }
            for district in atlas.districts
        ],
        "rivers": [{"name": line.name, "line": _points(line.line)} for line in atlas.rivers],
        "roads": [{"name": line.name, "line": _points(line.line)} for line in atlas.roads],
        "places": [
            {
                "name": place.name,
                "aliases": place.aliases,
                "area": f"{place.district}{place.street}",
                "point": (place.latitude, place.longitude),
            }
            for place in atlas.places
        ],
    }


def _points(line: tuple[LatLon, ...]) -> list[LatLon]:
    return list(line)
