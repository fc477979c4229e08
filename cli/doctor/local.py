"""What can be seen on this machine: interpreters, secrets, model, disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from base.errors import ShiminError
from base.settings import VAR, Settings
from cli.doctor.finding import Finding, State, Words
from cli.nlu import STAMP, fingerprint
from cli.rasa_runtime import MODEL
from store.blobs import check_writable

GIB = 1024**3
FULL_BYTES, TIGHT_BYTES = 1 * GIB, 10 * GIB
"""Free space below which photos are about to be lost, and below which it is time to act."""
WEAK_CHARS = 16

_SECRETS = (
    "api_key",
    "data_key",
    "tracker_key",
    "session_key",
    "webhook_secret",
    "dispatch_api_key",
    "rasa_token",
)
_FERNET = ("data_key", "tracker_key")


def interpreters(settings: Settings) -> Finding:
    """Look at the two Pythons (docs/adr/0001-two-runtimes.md)."""
    title = Words("两套 Python 环境", "the two Python runtimes")
    own = ".".join(map(str, sys.version_info[:3]))
    rasa = settings.rasa_venv / "bin" / "python"
    found = _version(rasa)
    seen = f"{own}; Rasa: {found or 'missing'}"
    if found.startswith("3.10."):
        return Finding("interpreters", title, State.OK, seen)
    todo = Words(
        f"{rasa} 要能运行 Python 3.10：执行 make setup，或设置 RASA_PYTHON",
        f"{rasa} must run Python 3.10: run `make setup`, or set RASA_PYTHON",
    )
    return Finding("interpreters", title, State.FAILED, seen, todo)


def _version(python: Path) -> str:
    code = "import platform; print(platform.python_version())"
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [str(python), "-c", code], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def secrets(settings: Settings) -> Finding:
    """Look for missing, malformed and weak secrets; nothing of them is shown."""
    title = Words("密钥", "secrets")
    values = {name: getattr(settings, name).get_secret_value() for name in _SECRETS}
    missing = [name for name, value in values.items() if not value]
    broken = [name for name in _FERNET if values[name] and not _is_fernet(values[name])]
    weak = [
        name
        for name, value in values.items()
        if name not in (*missing, *_FERNET) and len(value) < WEAK_CHARS
    ]
    if missing or broken:
        names = _variables([*missing, *broken])
        todo = Words(
            f"缺少或格式不对：{names}。开发环境执行 shimin keys，生产环境由密钥管理下发",
            f"missing or malformed: {names}. `shimin keys` in development; "
            "your secret store in production",
        )
        return Finding("secrets", title, State.FAILED, f"{len(missing) + len(broken)}", todo)
    if weak:
        names = _variables(weak)
        todo = Words(
            f"太短（不到{WEAK_CHARS}个字符）：{names}，请换成随机长密钥",
            f"shorter than {WEAK_CHARS} characters: {names}; use long random ones",
        )
        return Finding("secrets", title, State.WARNING, f"{len(weak)}", todo)
    return Finding("secrets", title, State.OK, f"{len(values)}")


def _is_fernet(keys: str) -> bool:
    try:
        for key in keys.split(","):
            Fernet(key.strip())
    except ValueError:
        return False
    return True


def _variables(names: list[str]) -> str:
    return ", ".join(f"SHIMIN_{name.upper()}" for name in names)


def model(settings: Settings) -> Finding:
    """Look for the Rasa model, and whether it was trained on the data that lie here."""
    title = Words("对话模型", "Rasa model")
    path = settings.model_dir / MODEL
    if not path.is_file():
        todo = Words(f"没有 {path}，请执行 shimin train", f"{path} is missing: run `shimin train`")
        return Finding("model", title, State.FAILED, "missing", todo)
    stamp = path.with_name(STAMP)
    if not stamp.is_file() or stamp.read_text() != fingerprint():
        todo = Words(
            "模型与现有语料不一致，请执行 shimin train 后重启 rasa",
            "the model was trained on other data: run `shimin train`, then restart rasa",
        )
        return Finding("model", title, State.WARNING, "outdated", todo)
    return Finding("model", title, State.OK, f"{path.stat().st_size / 1e6:.0f} MB")


def media(settings: Settings) -> Finding:
    """Write a file into the media store and delete it."""
    title = Words("照片存储", "media store")
    where = settings.media_url or str(settings.media_dir)
    try:
        check_writable()
    except ShiminError as error:
        todo = Words(
            f"{where} 写不进去：检查目录权限、磁盘空间，或对象存储的地址和密钥",
            f"{where} takes no files: check permissions and space, or address and keys of the "
            "object store",
        )
        return Finding("media", title, State.FAILED, error.detail, todo)
    return Finding("media", title, State.OK, where)


def disk(settings: Settings) -> Finding:
    """Look at the free space where databases and photos lie."""
    title = Words("磁盘空间", "disk space")
    places = {VAR, settings.media_dir, settings.model_dir}
    free = min(shutil.disk_usage(_existing(place)).free for place in places)
    seen = f"{free / GIB:.1f} GiB"
    if free >= TIGHT_BYTES:
        return Finding("disk", title, State.OK, seen)
    todo = Words("请清理或扩容磁盘", "free some space or enlarge the disk")
    state = State.FAILED if free < FULL_BYTES else State.WARNING
    return Finding("disk", title, state, seen, todo)


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())
