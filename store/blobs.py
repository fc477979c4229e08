"""Where encrypted bytes lie: a local folder, or an object store that speaks S3.

What comes here is ciphertext already (:mod:`store.media` encrypts); keys name no citizen.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from base.errors import ConfigurationError, UpstreamError
from base.settings import Settings, get_settings

log = structlog.get_logger(__name__)

_KEY = re.compile(r"[0-9a-z]{3,64}(\.[0-9a-z]{1,32}){1,3}")
PARTIAL = ".part"
"""How the names of half-written files end; a crash may leave some, which are swept later."""
_UNKEPT = "照片暂时存不上，这条消息还没有处理，请过几分钟再发一次。急事请拨打12345。"
_UNREADABLE = "照片暂时打不开，请过几分钟再试。"


class BlobStore(Protocol):
    """Bytes under keys of small letters, digits and dots (``<media id>.bin``).

    Every method raises ``UpstreamError`` (``media_unavailable``) when the store cannot be
    reached or is full.
    """

    def put(self, key: str, data: bytes) -> None:
        """Keep ``data`` durably, all of it or nothing; an older blob of that key is replaced."""

    def get(self, key: str) -> bytes:
        """Return what was put.

        Raises:
            LookupError: there is no such blob.
        """

    def start(self, key: str, length: int) -> bytes:
        """Return the first ``length`` bytes, fewer of a shorter blob.

        Raises:
            LookupError: there is no such blob.
        """

    def delete(self, key: str) -> None:
        """Forget a blob; one that is not there is no error."""

    def exists(self, key: str) -> bool:
        """Tell whether there is such a blob."""

    def keys(self, before: datetime) -> Iterator[str]:
        """Name every blob last written before an aware moment."""


@lru_cache
def _open(settings: Settings) -> BlobStore:
    if not settings.media_url:
        return LocalFolder(settings.media_dir)
    return ObjectStore(settings)


def blob_store() -> BlobStore:
    """Return the store of the settings: ``SHIMIN_MEDIA_URL``, else ``SHIMIN_MEDIA_DIR``.

    Raises:
        ConfigurationError: the URL is none of the kinds this understands.
    """
    return _open(get_settings())


def check_writable() -> None:
    """Write a blob and delete it again.

    Raises:
        UpstreamError: ``media_unavailable``.
        ConfigurationError: see :func:`blob_store`.
    """
    store, key = blob_store(), f"{secrets.token_hex(8)}.probe"
    store.put(key, b"probe")
    store.delete(key)


class LocalFolder:
    """Files in a folder, spread over 256 sub-folders by the first two characters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, data: bytes) -> None:
        """Write aside, flush to the disk, then rename: a crash leaves no half file."""
        path = self._path(key)
        aside = path.with_name(f"{key}.{secrets.token_hex(8)}{PARTIAL}")
        with _reported(key):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with aside.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
                _flush_folder(path.parent)
            except OSError:
                aside.unlink(missing_ok=True)
                raise

    def get(self, key: str) -> bytes:
        """Read a file."""
        with _reported(key, _UNREADABLE):
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError as error:
                raise LookupError(key) from error

    def start(self, key: str, length: int) -> bytes:
        """Read the beginning of a file."""
        with _reported(key, _UNREADABLE):
            try:
                with self._path(key).open("rb") as file:
                    return file.read(length)
            except FileNotFoundError as error:
                raise LookupError(key) from error

    def delete(self, key: str) -> None:
        """Remove a file."""
        with _reported(key):
            self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """Look for a file."""
        with _reported(key):
            return self._path(key).is_file()

    def keys(self, before: datetime) -> Iterator[str]:
        """List the files, what a crash left half-written included."""
        for path in self._folder.glob("*/*"):
            with _reported(path.name):
                written = path.stat().st_mtime if path.exists() else before.timestamp()
            if written < before.timestamp():
                yield path.name

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / _checked(key)


class ObjectStore:
    """A bucket of an object store with the S3 protocol (MinIO, Ceph, OSS, COS, OBS, AWS)."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the client; nothing is sent yet.

        Raises:
            ConfigurationError: ``SHIMIN_MEDIA_URL`` is not ``s3://bucket/prefix``, or a
                credential is missing.
        """
        url = urlsplit(settings.media_url)
        key = settings.media_s3_key.get_secret_value()
        secret = settings.media_s3_secret.get_secret_value()
        if url.scheme != "s3" or not url.netloc:
            raise ConfigurationError("SHIMIN_MEDIA_URL must be empty or s3://bucket/prefix")
        if not key or not secret:
            raise ConfigurationError("SHIMIN_MEDIA_S3_KEY and SHIMIN_MEDIA_S3_SECRET are not set")
        endpoint = settings.media_s3_endpoint or None
        self._store = S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            endpoint=endpoint,
            region=settings.media_s3_region,
            access_key_id=key,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=30),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )

    def put(self, key: str, data: bytes) -> None:
        """Send an object; the protocol shows it only once it is whole."""
        with _reported(key):
            self._store.put(_checked(key), data)

    def get(self, key: str) -> bytes:
        """Fetch an object."""
        with _reported(key, _UNREADABLE):
            try:
                return bytes(self._store.get(_checked(key)).bytes())
            except FileNotFoundError as error:
                raise LookupError(key) from error

    def start(self, key: str, length: int) -> bytes:
        """Fetch the beginning of an object."""
        with _reported(key, _UNREADABLE):
            try:
                return bytes(self._store.get_range(_checked(key), start=0, length=length))
            except FileNotFoundError as error:
                raise LookupError(key) from error

    def delete(self, key: str) -> None:
        """Delete an object."""
        with _reported(key):
            try:
                self._store.delete(_checked(key))
            except FileNotFoundError:
                return

    def exists(self, key: str) -> bool:
        """Ask for an object's head."""
        with _reported(key):
            try:
                self._store.head(_checked(key))
            except FileNotFoundError:
                return False
            return True

    def keys(self, before: datetime) -> Iterator[str]:
        """List the bucket, a thousand objects a request."""
        with _reported("*"):
            for page in self._store.list():
                for entry in page:
                    if entry["last_modified"].astimezone(UTC) < before:
                        yield entry["path"].rsplit("/", 1)[-1]


def _checked(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise LookupError(key)
    return key


def _flush_folder(folder: Path) -> None:
    """Make a rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _reported(key: str, message: str = _UNKEPT) -> Iterator[None]:
    """Turn the errors of a disk or of obstore into ours, with a line for the operator."""
    try:
        yield
    except (OSError, BaseError) as error:
        log.error("media_store_failed", key=key, error=f"{type(error).__name__}: {error}"[:500])
        raise UpstreamError(
            "media_unavailable", message, f"{key}: {type(error).__name__}"
        ) from error
