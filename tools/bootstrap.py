"""Creates both runtimes when they are missing or when a lock file has changed.

Needs nothing but a Python 3.8 or newer to run: ``python3 tools/bootstrap.py run|test``.
``run`` installs what the product needs; ``test`` adds the test tools, the ``hub`` extra and
a Chromium for the page tests.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class BootstrapError(Exception):
    """Set-up cannot go on; the text says what to do."""


def main(wanted):
    """Set up for ``run`` or ``test``."""
    modern_locks = ["requirements.lock"] if wanted == "run" else ["requirements-test.lock"]
    ensure(".venv", modern_python, modern_locks, editable=True)
    # The lock leaves out what Rasa's dependencies name but do not need (tools/lock.py).
    exactly = ["--no-deps"]
    ensure(".venv-rasa", rasa_python, ["bot/requirements.lock"], editable=False, options=exactly)
    if wanted == "test":
        ensure_chromium()


def ensure(venv, find_python, locks, editable, options=()):
    """Bring one virtual environment up to date with its lock files; ``options`` are pip's."""
    path = os.path.join(ROOT, venv)
    stamp = os.path.join(path, ".locks")
    wanted = digest(locks + (["pyproject.toml"] if editable else []))
    if satisfied(stamp, locks, wanted):
        return
    python = os.path.join(path, "bin", "python")
    if not works(python):
        interpreter, origin = find_python()
        say("creating %s with %s (%s)" % (venv, interpreter, origin))
        shutil.rmtree(path, ignore_errors=True)
        run([interpreter, "-m", "venv", path])
    started = time.time()
    for lock in locks:
        say("installing %s into %s (a few minutes the first time)" % (lock, venv))
        run([python, "-m", "pip", "install", "--progress-bar", "off", *options, "-r", lock])
    if editable:
        run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", "."])
    with open(stamp, "w") as file:
        file.write("\n".join(locks + [wanted]))
    say("%s is ready (%.0f s)" % (venv, time.time() - started))


def satisfied(stamp, locks, wanted):
    """Tell whether the environment already holds ``locks`` (the test set includes the run set)."""
    if not os.path.exists(stamp):
        return False
    with open(stamp) as file:
        lines = file.read().split("\n")
    if lines == locks + [wanted]:
        return True
    test_set = ["requirements-test.lock"]
    return (
        lines[:-1] == test_set
        and lines[-1] == digest(test_set + ["pyproject.toml"])
        and (locks == ["requirements.lock"])
    )


def modern_python():
    """Find Python 3.11 or newer: $SHIMIN_PYTHON, then the PATH, then pyenv, then uv."""
    names = ["python3.%d" % minor for minor in (11, 12, 13)] + ["python3"]
    return find("SHIMIN_PYTHON", names, "3.11", lambda version: version >= (3, 11))


def rasa_python():
    """Find Python 3.10: $RASA_PYTHON, then the PATH, then pyenv, then uv."""
    return find("RASA_PYTHON", ["python3.10"], "3.10", lambda version: version == (3, 10))


def find(variable, names, wanted, fits):
    """Return ``(interpreter, where it was found)``."""
    given = os.environ.get(variable)
    if given:
        if fits(version_of(given)):
            return given, "$" + variable
        raise BootstrapError("$%s=%s is not a working Python %s" % (variable, given, wanted))
    for name in names:
        for path in on_path(name):
            if fits(version_of(path)):
                return path, "PATH"
    for path in sorted(glob.glob(os.path.join(pyenv_root(), "versions", wanted + ".*/bin/python"))):
        if fits(version_of(path)):
            return path, "pyenv"
    path = from_uv(wanted)
    if path and fits(version_of(path)):
        return path, "uv"
    raise BootstrapError(
        "No working Python %s found. Install it (for example `uv python install %s` or "
        "`pyenv install %s`) or set %s to an interpreter." % (wanted, wanted, wanted, variable)
    )


def on_path(name):
    """Every executable called ``name`` on the PATH, in order."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            yield path


def version_of(python):
    """Version of an interpreter that really runs and can make environments, else (0, 0)."""
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        output = subprocess.run(
            [python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    parts = output.stdout.split()
    if output.returncode or len(parts) != 2 or not all(part.isdigit() for part in parts):
        return (0, 0)
    return tuple(int(part) for part in parts)


def works(python):
    """Tell whether an interpreter exists and runs."""
    return version_of(python) != (0, 0)


def pyenv_root():
    """Folder of pyenv."""
    return os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")


def from_uv(wanted):
    """Interpreter found or installed by uv, None without uv."""
    uv = shutil.which("uv")
    if not uv:
        return None
    for arguments in (["python", "find", wanted], ["python", "install", wanted]):
        subprocess.run([uv] + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = subprocess.run(
            [uv, "python", "find", wanted], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if found.returncode == 0:
            return found.stdout.decode().strip()
    return None


def ensure_chromium():
    """Make sure the page tests have a browser and Chinese glyphs (Debian packages)."""
    if shutil.which("chromium") or os.environ.get("SHIMIN_CHROMIUM"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing chromium and Chinese fonts for the page tests")
        run(["apt-get", "update", "-q"])
        run(
            [
                "apt-get",
                "install",
                "-y",
                "-q",
                "--no-install-recommends",
                "chromium",
                "fonts-noto-cjk",
            ]
        )
        return
    say("no chromium: the page tests will be skipped (install it or set SHIMIN_CHROMIUM)")


def digest(files):
    """Hash of files, relative to the root."""
    total = hashlib.sha256()
    for name in files:
        with open(os.path.join(ROOT, name), "rb") as file:
            total.update(file.read())
    return total.hexdigest()


def run(command):
    """Run a command from the root; a failure ends the set-up."""
    if subprocess.run(command, cwd=ROOT).returncode:
        raise BootstrapError("failed: " + " ".join(command))


def say(text):
    """One line of progress."""
    sys.stdout.write("[setup] %s\n" % text)
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BootstrapError as error:
        sys.exit("[setup] %s" % error)
