"""How well places and times are understood as residents say them.

Usage: ``python benchmarks/places/evaluate.py [--show dev]``

Reads ``tests/dispatch/data/place_phrases.yml`` and ``time_phrases.yml``. Rules are tuned on
their ``dev`` half; the ``test`` half is only measured, so its single answers are never
printed. Of places it counts, for each half and each way of speaking,

* ``right``: the place meant, taken without asking, with the words the crew needs; or a
  question where nobody could know;
* ``asked``: a question although the words were clear;
* ``wrong``: another place, taken without asking (the worst). A place counts as the one meant
  by its name or when its point lies within 50 m (a house number and the school that bears it);
* ``less``: the right place, but words the crew needs are missing in the address;
* ``offered``: of the questions asked in vain, how often the place was among the candidates.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from base.settings import ROOT, get_settings
from dispatch.places.gazetteer import Gazetteer, PlaceMatch, the_one
from dispatch.times.occurrence import occurrence

DATA = ROOT / "tests" / "dispatch" / "data"
SAME_METRES = 50.0
SHANGHAI = ZoneInfo("Asia/Shanghai")


def place_verdict(gazetteer: Gazetteer, row: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict on one place phrase and what was understood."""
    found = gazetteer.find(row["text"])
    match = the_one(found)
    if match is None:
        if row["place"] == "ask":
            return "right", "ask"
        offered = row["place"] in [candidate.name for candidate in found]
        return ("asked, offered" if offered else "asked"), str([m.name for m in found])
    said = f"{match.name} ({match.address}, {match.score})"
    if row["place"] == "ask" or not _same_place(gazetteer, match, row):
        return "wrong", said
    return ("right" if row.get("keep", "") in match.address else "less"), said


def _same_place(gazetteer: Gazetteer, match: PlaceMatch, row: dict[str, Any]) -> bool:
    if row.get("district", match.district) != match.district:
        return False
    if match.name == row["place"]:
        return True
    atlas = gazetteer.atlas
    here = atlas.point(match.latitude, match.longitude)
    return any(
        place.name == row["place"]
        and here.distance(atlas.point(place.latitude, place.longitude)) <= SAME_METRES
        for place in atlas.places
    )


def time_verdict(row: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict on one time phrase and what was understood."""
    found = occurrence(row["text"], _moment(row["now"]))
    if found is None:
        return ("right" if row.get("expect") == "none" else "missed"), "nothing"
    said = f"{found.words}: {found.start} – {found.end} {'repeated' if found.repeated else ''}"
    if row.get("expect") == "none":
        return "wrong", said
    start = None if row["start"] == "unknown" else _moment(row["start"])
    right = (start, _moment(row["end"]), row.get("repeated", False), row["words"]) == (
        found.start,
        found.end,
        found.repeated,
        found.words,
    )
    return ("right" if right else "wrong"), said


def main(show: str) -> None:
    """Print the tables; ``show`` is a half whose errors are listed, or empty."""
    gazetteer = Gazetteer.load(get_settings().city_dir)
    places = _read(DATA / "place_phrases.yml")
    print("places                 n   right   asked  (offered)   wrong    less")
    for half, rows in places.items():
        by_style: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            verdict, said = place_verdict(gazetteer, row)
            by_style[row["style"]].append(verdict)
            by_style["all"].append(verdict)
            if half == show and verdict != "right":
                print(f"  {verdict}: {row['text']} → {row['place']}; understood {said}")
        for style, verdicts in by_style.items():
            print(_place_line(f"{half} {style}", verdicts))
    print("\ntimes                  n   right  missed   wrong")
    for half, rows in _read(DATA / "time_phrases.yml").items():
        count: Counter[str] = Counter()
        for row in rows:
            verdict, said = time_verdict(row)
            count[verdict] += 1
            if half == show and verdict != "right":
                print(f"  {verdict}: {row['text']} ({row['now']}) → {row}; understood {said}")
        figures = "".join(f"{_share(count[v], len(rows)):>8}" for v in ("right", "missed", "wrong"))
        print(f"{half:<20}{len(rows):>4}{figures}")


def _place_line(name: str, verdicts: list[str]) -> str:
    count, total = Counter(verdicts), len(verdicts)
    asked = count["asked"] + count["asked, offered"]
    return (
        f"{name:<20}{total:>4}{_share(count['right'], total):>8}{_share(asked, total):>8}"
        f"{count['asked, offered']:>8}/{asked}{_share(count['wrong'], total):>8}"
        f"{_share(count['less'], total):>8}"
    )


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.1f}%"


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    document: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--show", default="", choices=("", "dev"))
    main(parser.parse_args().show)
