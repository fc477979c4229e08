"""Finding interpreters, and when an environment is up to date."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Fake = Callable[..., Path]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Write an executable that answers as an interpreter would."""

    def write(name: str, answer: str = "echo 3 10") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{answer}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on the PATH but what a test puts there, in three folders."""
    folders = [tmp_path / name for name in ("first", "second", "uvbin")]
    monkeypatch.setenv("PATH", ":".join(map(str, folders)) + ":/usr/bin-none")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    for name in ("RASA_PYTHON", "SHIMIN_PYTHON"):
        monkeypatch.delenv(name, raising=False)


PYENV = "pyenv/versions/3.10.14/bin/python"
UV = 'if [ "$1 $2" = "python find" ]; then echo {python}; fi'
SHIM = 'echo "pyenv: python3.10: command not found" >&2; exit 127'


def test_the_variable_comes_first(
    bootstrap: ModuleType, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake("first/python3.10")
    given = fake("mine/python")
    monkeypatch.setenv("RASA_PYTHON", str(given))
    assert bootstrap.rasa_python() == (str(given), "$RASA_PYTHON")


@pytest.mark.parametrize("answer", ["echo 3 11", "exit 1", "echo hello", "true", SHIM])
def test_a_variable_that_does_not_work_is_an_error_not_a_detour(
    bootstrap: ModuleType, fake: Fake, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    fake("first/python3.10")
    given = fake("mine/python", answer)
    monkeypatch.setenv("RASA_PYTHON", str(given))
    with pytest.raises(bootstrap.BootstrapError, match=r"RASA_PYTHON.*not a working Python 3.10"):
        bootstrap.rasa_python()
    monkeypatch.setenv("RASA_PYTHON", "/nowhere/python")
    with pytest.raises(bootstrap.BootstrapError, match="/nowhere/python"):
        bootstrap.rasa_python()


def test_then_the_path_in_its_order(bootstrap: ModuleType, fake: Fake) -> None:
    fake(PYENV)
    second = fake("second/python3.10")
    assert bootstrap.rasa_python() == (str(second), "PATH")
    first = fake("first/python3.10")
    assert bootstrap.rasa_python() == (str(first), "PATH")


@pytest.mark.parametrize("answer", [SHIM, "echo pyenv: version not installed", "echo 3 11"])
def test_a_failing_shim_is_passed_over(bootstrap: ModuleType, fake: Fake, answer: str) -> None:
    fake("first/python3.10", answer)
    real = fake(PYENV)
    assert bootstrap.rasa_python() == (str(real), "pyenv")
    behind = fake("second/python3.10")
    assert bootstrap.rasa_python() == (str(behind), "PATH")


def test_then_uv(bootstrap: ModuleType, fake: Fake) -> None:
    real = fake("elsewhere/python3.10")
    fake("uvbin/uv", UV.format(python=real))
    assert bootstrap.rasa_python() == (str(real), "uv")
    installed = fake(PYENV)
    assert bootstrap.rasa_python() == (str(installed), "pyenv")


def test_uv_installs_what_it_does_not_find(
    bootstrap: ModuleType, fake: Fake, tmp_path: Path
) -> None:
    real = fake("elsewhere/python3.10")
    mark = tmp_path / "installed"
    fake(
        "uvbin/uv",
        f'if [ "$2" = install ]; then : > {mark}; elif [ -f {mark} ]; then echo {real}; '
        "else exit 2; fi",
    )
    assert bootstrap.rasa_python() == (str(real), "uv")
    assert mark.exists()


def test_nothing_found_says_what_to_do(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.BootstrapError) as caught:
        bootstrap.rasa_python()
    text = str(caught.value)
    for part in ("3.10", "uv python install 3.10", "pyenv install 3.10", "RASA_PYTHON"):
        assert part in text


def test_the_modern_runtime_takes_any_newer_python(bootstrap: ModuleType, fake: Fake) -> None:
    fake("first/python3", "echo 3 10")
    newer = fake("second/python3", "echo 3 14")
    assert bootstrap.modern_python() == (str(newer), "PATH")
    eleven = fake("second/python3.11", "echo 3 11")
    assert bootstrap.modern_python() == (str(eleven), "PATH")


def test_a_real_interpreter_works(bootstrap: ModuleType) -> None:
    assert bootstrap.version_of(sys.executable) == sys.version_info[:2]
    assert bootstrap.works(sys.executable)
    assert not bootstrap.works("/nowhere/python")


# --- stamps -------------------------------------------------------------------------------


@pytest.fixture
def project(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project folder of its own, and the commands ``ensure`` runs in it."""
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    for name in ("requirements.lock", "requirements-test.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    commands: list[list[str]] = []

    def run(command: list[str]) -> None:
        commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[3]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.write_text("#!/bin/sh\necho 3 11\n")
            python.chmod(0o755)

    monkeypatch.setattr(bootstrap, "run", run)
    return commands


def ensure(bootstrap: ModuleType, lock: str = "requirements.lock") -> None:
    bootstrap.ensure(".venv", lambda: ("/usr/bin/python3.11", "PATH"), [lock], editable=True)


def test_an_environment_is_made_once(bootstrap: ModuleType, project: Any) -> None:
    ensure(bootstrap)
    made = [command[1:3] for command in project]
    assert made == [["-m", "venv"], ["-m", "pip"], ["-m", "pip"]]
    ensure(bootstrap)
    assert len(project) == 3


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_installs_again(
    bootstrap: ModuleType, project: Any, tmp_path: Path, name: str
) -> None:
    ensure(bootstrap)
    project.clear()
    (tmp_path / name).write_text("changed")
    ensure(bootstrap)
    assert [command[1:4] for command in project] == [["-m", "pip", "install"]] * 2


def test_a_failed_installation_leaves_no_stamp(
    bootstrap: ModuleType, project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bootstrap.run

    def fail(command: list[str]) -> None:
        run(command)
        if "pip" in command:
            raise bootstrap.BootstrapError("failed")

    monkeypatch.setattr(bootstrap, "run", fail)
    with pytest.raises(bootstrap.BootstrapError):
        ensure(bootstrap)
    assert not (tmp_path / ".venv" / ".locks").exists()
    monkeypatch.setattr(bootstrap, "run", run)
    project.clear()
    ensure(bootstrap)
    assert ["-m", "pip"] in [command[1:3] for command in project]


def test_the_test_environment_serves_a_run_too(bootstrap: ModuleType, project: Any) -> None:
    ensure(bootstrap, "requirements-test.lock")
    project.clear()
    ensure(bootstrap, "requirements.lock")
    assert not project


def test_a_run_environment_does_not_serve_the_tests(bootstrap: ModuleType, project: Any) -> None:
    ensure(bootstrap, "requirements.lock")
    project.clear()
    ensure(bootstrap, "requirements-test.lock")
    assert any("requirements-test.lock" in command for command in project)


def test_a_broken_environment_is_made_anew(
    bootstrap: ModuleType, project: Any, tmp_path: Path
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (tmp_path / ".venv" / "old").write_text("")
    ensure(bootstrap)
    assert project[0][1:3] == ["-m", "venv"]
    assert not (tmp_path / ".venv" / "old").exists()


def test_a_failing_command_ends_the_set_up(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.BootstrapError, match="failed: "):
        bootstrap.run([sys.executable, "-c", "raise SystemExit(3)"])
