from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from base.errors import ConfigurationError, UpstreamError
from base.settings import Settings
from store.blobs import BlobStore, LocalFolder, ObjectStore, blob_store
from tests.stack import free_port
from tests.store.city import CityStore

KEY = "0123456789abcdef0123456789abcdef.bin"
OTHER = "ff23456789abcdef0123456789abcdef.public"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """A real HTTP server with the S3 protocol on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_settings(endpoint: str, url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "media_url": url,
        "media_s3_endpoint": endpoint,
        "media_s3_key": "key",
        "media_s3_secret": "secret",
        **changes,
    }
    return Settings(_env_file=None, **values)


def bucket(endpoint: str) -> tuple[Any, str]:
    name = f"photos-{next(_numbers)}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=name)
    return client, name


@pytest.fixture(params=["folder", "s3", "s3 with a prefix"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return LocalFolder(tmp_path / "media")
    endpoint = request.getfixturevalue("s3_server")
    _, name = bucket(endpoint)
    prefix = "/city/photos" if "prefix" in request.param else ""
    return ObjectStore(s3_settings(endpoint, f"s3://{name}{prefix}"))


@pytest.mark.parametrize("data", [b"", b"x", os.urandom(3_000_000)], ids=["empty", "one", "3 MB"])
def test_what_is_put_is_got(blobs: BlobStore, data: bytes) -> None:
    blobs.put(KEY, data)
    assert blobs.get(KEY) == data
    assert blobs.exists(KEY)


def test_a_later_put_replaces(blobs: BlobStore) -> None:
    blobs.put(KEY, b"first")
    blobs.put(KEY, b"second")
    blobs.put(OTHER, b"other")
    assert (blobs.get(KEY), blobs.get(OTHER)) == (b"second", b"other")


def test_what_is_deleted_or_never_was_is_a_lookup_error(blobs: BlobStore) -> None:
    blobs.put(KEY, b"x")
    blobs.delete(KEY)
    blobs.delete(KEY)
    assert not blobs.exists(KEY)
    with pytest.raises(LookupError):
        blobs.get(KEY)


def test_keys_are_listed_by_age(blobs: BlobStore) -> None:
    assert list(blobs.keys(datetime.now(UTC))) == []
    blobs.put(KEY, b"x")
    blobs.put(OTHER, b"y")
    assert sorted(blobs.keys(datetime.now(UTC) + timedelta(seconds=5))) == [KEY, OTHER]
    assert list(blobs.keys(datetime.now(UTC) - timedelta(minutes=1))) == []


@pytest.mark.parametrize(
    "key", ["", "x", "../../etc/passwd", "..", "a\x00b", "UPPER.bin", "/a.bin"]
)
def test_no_other_keys(blobs: BlobStore, key: str) -> None:
    for step in (blobs.get, blobs.delete, blobs.exists, lambda k: blobs.put(k, b"x")):
        with pytest.raises(LookupError):
            step(key)


def test_many_at_once(blobs: BlobStore) -> None:
    """Readers see the old or the new bytes, never half of them."""
    blobs.put(KEY, b"0" * 200_000)
    seen: list[bytes] = []

    def write(number: int) -> None:
        blobs.put(KEY, str(number).encode() * 200_000)

    def read() -> None:
        seen.append(blobs.get(KEY))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    threads += [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert all(len(data) == 200_000 and len(set(data)) == 1 for data in seen)


def test_objects_lie_under_the_prefix(s3_server: str) -> None:
    client, name = bucket(s3_server)
    ObjectStore(s3_settings(s3_server, f"s3://{name}/city/photos/")).put(KEY, b"x")
    (entry,) = client.list_objects_v2(Bucket=name)["Contents"]
    assert entry["Key"] == f"city/photos/{KEY}"


def test_a_crash_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the old bytes stay, the half-written file is gone, the operator hears."""
    folder = LocalFolder(tmp_path)
    folder.put(KEY, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.blobs.os.fsync", full)
    with pytest.raises(UpstreamError) as caught:
        folder.put(KEY, b"new")
    assert caught.value.code == "media_unavailable"
    assert "再发一次" in caught.value.message
    assert [path.name for path in tmp_path.rglob("*.*")] == [KEY]
    assert folder.get(KEY) == b"old"


def test_an_unreachable_store_is_an_upstream_error() -> None:
    store = ObjectStore(s3_settings(f"http://127.0.0.1:{free_port()}", "s3://photos"))
    started = time.monotonic()
    with pytest.raises(UpstreamError, match="media_unavailable"):
        store.put(KEY, b"x")
    with pytest.raises(UpstreamError, match="media_unavailable"):
        store.get(KEY)
    assert time.monotonic() - started < 25


def test_a_missing_bucket_is_an_upstream_error(s3_server: str) -> None:
    store = ObjectStore(s3_settings(s3_server, "s3://never-made"))
    with pytest.raises(UpstreamError, match="media_unavailable"):
        store.put(KEY, b"x")


@pytest.mark.parametrize(
    "changes",
    [
        {"media_url": "ftp://photos"},
        {"media_url": "s3://"},
        {"media_url": "photos"},
        {"media_s3_key": ""},
        {"media_s3_secret": ""},
    ],
)
def test_wrong_settings_are_told(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_MEDIA"):
        ObjectStore(s3_settings("", **{"url": "s3://photos", **_renamed(changes)}))


def _renamed(changes: dict[str, str]) -> dict[str, str]:
    return {("url" if name == "media_url" else name): value for name, value in changes.items()}


def test_the_settings_choose(city_store: CityStore, s3_server: str) -> None:
    assert isinstance(blob_store(), LocalFolder)
    _, name = bucket(s3_server)
    city_store.configure(
        MEDIA_URL=f"s3://{name}",
        MEDIA_S3_ENDPOINT=s3_server,
        MEDIA_S3_KEY="key",
        MEDIA_S3_SECRET="hidden-value",
    )
    assert isinstance(blob_store(), ObjectStore)
    assert "hidden-value" not in repr(city_store.settings)
