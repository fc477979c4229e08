"""What can be checked of the files in deploy/ without running a city on them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import base.metrics  # noqa: F401 - registers every metric
from base.settings import ROOT, Settings
from tests.cli.commands import is_command

DEPLOY = ROOT / "deploy"
SHIMIN_METRIC = re.compile(r"\bshimin_\w+")


def queries() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    board = json.loads((DEPLOY / "grafana" / "shimin.json").read_text(encoding="utf-8"))
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + [
        target["expr"] for panel in board["panels"] for target in panel["targets"]
    ]


def test_rules_and_dashboard_ask_for_metrics_that_there_are() -> None:
    known = {
        name
        for family in REGISTRY.collect()
        for name in (
            family.name,
            *(f"{family.name}_{end}" for end in ("total", "bucket", "count", "sum")),
        )
    }
    asked = {name for query in queries() for name in SHIMIN_METRIC.findall(query)}
    assert asked
    assert asked <= known


def test_every_setting_of_the_files_is_one() -> None:
    known = {f"SHIMIN_{name.upper()}" for name in Settings.model_fields}
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix != ".py" and "docker" not in path.name.lower():
            named = set(re.findall(r"\bSHIMIN_[A-Z0-9_]+\b", path.read_text(encoding="utf-8")))
            assert named <= known, path.name


def test_the_compose_file_builds_and_starts_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
    for name, service in compose["services"].items():
        if "build" in service:
            assert (DEPLOY.parent / service["build"]["dockerfile"]).is_file(), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), name


def commands() -> list[str]:
    """The commands of `shimin` that units and containers run."""
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
    built = [service for service in compose["services"].values() if "build" in service]
    found = [" ".join(service["command"]) for service in built]
    for unit in (DEPLOY / "systemd").glob("*.service"):
        words = unit.read_text(encoding="utf-8").replace("%i", "gateway")
        found += re.findall(r"/bin/shimin ([a-z -]+)", words)
    return [command.strip() for command in found]


def test_what_units_and_containers_run_is_a_command() -> None:
    found = commands()
    assert {"audit verify", "backup", "serve gateway"} <= set(found)
    assert [command for command in found if not is_command(command.split())] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize(
    "unit",
    [
        "shimin@gateway.service",
        "shimin-gateway@8001.service",
        "shimin-rasa@5006.service",
        "shimin.target",
        "shimin-backup.service",
        "shimin-backup.timer",
        "shimin-audit.service",
        "shimin-audit.timer",
    ],
)
def test_systemd_takes_the_units(unit: str, tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").iterdir():
        words = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            words.replace("/opt/shimin/.venv/bin/shimin", "/bin/true")
        )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    complaints = [line for line in done.stderr.splitlines() if "shimin" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *files], check=True, capture_output=True)
    sites = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    sites = sites.replace("/etc/shimin/tls", str(tmp_path))
    sites = re.sub(r"listen (127\.0\.0\.1:)?(80|443|5005)\b", r"listen 127.0.0.1:3\2", sites)
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{sites}\n}}\n")
    done = subprocess.run(
        ["nginx", "-t", "-c", str(whole), "-p", str(tmp_path), "-e", str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
