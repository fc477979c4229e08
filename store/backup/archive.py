"""The archive: a tar file encrypted with age (https://age-encryption.org/v1), manifest last.

The machine that backs up holds the public key only. What it writes cannot be read there, or by
whoever copies it, without the private key; the program ``age`` opens it as well.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pyrage
from pyrage import x25519

from base.errors import ConfigurationError

MANIFEST = "manifest.json"


class ArchiveWriter:
    """Adds members to a tar stream and keeps their checksums."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|")  # noqa: SIM115 - closed by finish()
        self.files: dict[str, str] = {}

    def add(self, name: str, data: bytes) -> None:
        """Add a member."""
        self._add(name, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest())

    def add_file(self, name: str, path: Path) -> None:
        """Add a member from a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            self._add(name, file, size, digest)

    def finish(self, manifest: dict[str, Any]) -> None:
        """Add the manifest with every checksum and end the archive."""
        data = json.dumps({**manifest, "files": self.files}, ensure_ascii=False).encode()
        self._add(MANIFEST, io.BytesIO(data), len(data), None)
        self._tar.close()

    def _add(self, name: str, file: IO[bytes], size: int, digest: str | None) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, file)
        if digest is not None:
            self.files[name] = digest


def write(target: Path, recipient: str, fill: Callable[[ArchiveWriter], dict[str, Any]]) -> None:
    """Write an archive that ``fill`` puts members into; it returns the rest of the manifest.

    The file has its name only once it is whole and on the disk.

    Raises:
        ConfigurationError: the recipient is no age public key, or the file cannot be written.
    """
    try:
        key = x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise ConfigurationError("SHIMIN_BACKUP_RECIPIENT is not an age public key") from error
    aside = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            _piped(
                lambda sink: _fill(sink, fill),
                lambda source: pyrage.encrypt_io(source, file, [key]),
            )
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)


def extract(source: Path, identity: str, folder: Path) -> dict[str, Any]:
    """Unpack an archive into an empty folder, check every file and return the manifest.

    Raises:
        ConfigurationError: the key does not open it, or it is damaged or incomplete.
    """
    try:
        key = x25519.Identity.from_str(identity.strip())
        with source.open("rb") as file:
            _piped(
                lambda sink: pyrage.decrypt_io(file, sink, [key]),
                lambda stream: _unpack(stream, folder),
            )
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except pyrage.IdentityError as error:
        raise ConfigurationError("the key file holds no age private key") from error
    except (pyrage.DecryptError, tarfile.TarError, OSError, ValueError) as error:
        raise ConfigurationError(f"{source} cannot be opened: {error}") from error
    _check(source, folder, manifest)
    return manifest


def _fill(sink: IO[bytes], fill: Callable[[ArchiveWriter], dict[str, Any]]) -> None:
    writer = ArchiveWriter(sink)
    writer.finish(fill(writer))


def _unpack(stream: IO[bytes], folder: Path) -> None:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        tar.extractall(folder, filter="data")
    while stream.read(1 << 20):  # the padding behind the end of a tar file
        pass


def _piped(produce: Callable[[IO[bytes]], object], consume: Callable[[IO[bytes]], object]) -> None:
    """Run two steps at once, the one reading what the other writes; raise what either raised."""
    reading, writing = os.pipe()

    def produced() -> None:
        with os.fdopen(writing, "wb") as sink:
            produce(sink)

    with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb") as stream:
        producing = pool.submit(produced)
        try:
            consume(stream)
        finally:
            stream.close()  # a producer that still writes ends with BrokenPipeError
            failure = producing.exception()
    if failure is not None:
        raise failure


def _check(source: Path, folder: Path, manifest: dict[str, Any]) -> None:
    there = {
        str(path.relative_to(folder)): path
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    }
    if set(there) != set(manifest["files"]):
        raise ConfigurationError(f"{source}: the files are not those of the manifest")
    for name, digest in manifest["files"].items():
        with there[name].open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise ConfigurationError(f"{source}: {name} is damaged")
