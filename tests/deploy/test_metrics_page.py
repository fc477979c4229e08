"""The table of metrics in docs/observability.md against what the processes show."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import base.metrics
from base.settings import ROOT
from tests.deploy.test_deploy import DEPLOY

HISTOGRAM = re.compile(r"`(shimin_\w+)`( \(histogram\))?")


def shown() -> dict[str, MetricWrapperBase]:
    """Every metric of ours by the name Prometheus sees."""
    ours = [value for value in vars(base.metrics).values() if isinstance(value, MetricWrapperBase)]
    return {
        f"{metric._name}_total" if metric._type == "counter" else metric._name: metric
        for metric in ours
    }


def told() -> dict[str, tuple[bool, set[str]]]:
    """What the page says: whether it is a histogram, and its labels."""
    text = (ROOT / "docs" / "observability.md").read_text("utf-8").partition("## Figures")[2]
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `shimin_")]
    found = {}
    for heading, listed in rows:
        ((name, histogram),) = HISTOGRAM.findall(heading)
        bare = re.sub(r"\([^)]*\)", "", listed).replace("route pattern", "route")
        found[name] = (bool(histogram), set(re.findall(r"[a-z]+", bare)))
    return found


def test_the_page_names_every_metric_and_no_other() -> None:
    assert told().keys() == shown().keys()


@pytest.mark.parametrize("name", sorted(shown()))
def test_type_and_labels_are_as_the_page_says(name: str) -> None:
    metric, (histogram, labels) = shown()[name], told()[name]
    assert (metric._type == "histogram") is histogram
    assert set(metric._labelnames) == labels
    assert metric._name in {family.name for family in REGISTRY.collect()}
    assert metric._documentation


@pytest.mark.skipif(not shutil.which("promtool"), reason="prometheus is not installed")
def test_prometheus_takes_its_configuration_and_alerts() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"],
        cwd=DEPLOY / "prometheus",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
