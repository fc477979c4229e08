"""Files change under a running catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from base.settings import Settings
from matcher.live import LiveCatalogue
from tests.waiting import wait_until

Make = Callable[..., dict[str, Any]]
Write = Callable[[Path, Any], None]


@pytest.fixture
def live(
    tmp_path: Path, service_data: Make, hall_data: dict[str, Any], write_yaml: Write,
    policy_data: Make,
) -> Iterator[LiveCatalogue]:  # fmt: skip
    for folder in ("services", "packages", "enterprise", "resident"):
        (tmp_path / "files" / folder).mkdir(parents=True)
    root = tmp_path / "files"
    write_yaml(root / "halls.yml", [hall_data])
    write_yaml(root / "services" / "passport.yml", service_data("passport"))
    write_yaml(root / "enterprise" / "stable_jobs.yml", policy_data("stable_jobs"))
    settings = Settings(policies_dir=root, model_dir=tmp_path / "models")
    catalogue = LiveCatalogue(settings)
    yield catalogue
    catalogue.close()


def _root(live: LiveCatalogue) -> Path:
    return live._settings.policies_dir


def test_a_saved_file_is_answered_from(
    live: LiveCatalogue, service_data: Make, write_yaml: Write
) -> None:
    live.watch()
    path = _root(live) / "services" / "visa.yml"

    def saved_and_known() -> bool:
        if live.current.service("visa") is not None:
            return True
        write_yaml(path, service_data("visa", name="签证"))  # again: the watch may begin later
        return False

    wait_until(saved_and_known, "the new item", pause=3)
    assert live.current.service("passport") is not None


def test_a_wrong_file_changes_nothing_and_is_named(
    live: LiveCatalogue, service_data: Make, write_yaml: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    before = live.current
    write_yaml(_root(live) / "services" / "passport.yml", service_data("passport", name=""))
    assert live.reload() is False
    assert live.current is before
    said = capsys.readouterr()
    assert "passport.yml: name" in said.out + said.err


def test_questions_during_reloads_are_all_answered(
    live: LiveCatalogue, service_data: Make, write_yaml: Write
) -> None:
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            finding = live.current.service_finder.find("身份证丢了怎么补办")
            if finding.kind != "certain" or finding.candidates[0].item.id != "passport":
                wrong.append(finding)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for day in range(1, 6):
        data = service_data("passport", checked=f"2026-10-0{day}")
        write_yaml(_root(live) / "services" / "passport.yml", data)
        assert live.reload() is True
    done.set()
    for asker in askers:
        asker.join()
    assert not wrong
    item = live.current.service("passport")
    assert item is not None and str(item.checked) == "2026-10-05"
