"""Files are encrypted, bound to their name, and survive a change of keys."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import ConfigurationError
from store.file_cipher import open_file, seal_file
from tests.store.city import CityStore

NAME = "0123456789abcdef.bin"
PHOTO = b"\xff\xd8\xff\xe0 a face, a number plate" * 20

in_one_city = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@in_one_city
@given(st.binary(max_size=2000), st.text(max_size=40))
def test_what_is_sealed_comes_back(city_store: CityStore, data: bytes, name: str) -> None:
    sealed = seal_file(data, name)
    assert open_file(sealed, name) == data
    assert len(data) < 16 or data not in sealed
    assert seal_file(data, name) != sealed


@in_one_city
@given(st.data())
def test_a_changed_file_does_not_open(city_store: CityStore, data: st.DataObject) -> None:
    sealed = bytearray(seal_file(PHOTO, NAME))
    if data.draw(st.booleans()):
        del sealed[data.draw(st.integers(0, len(sealed) - 1)) :]
    else:
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ConfigurationError, match=NAME):
        open_file(bytes(sealed), NAME)


def test_a_file_does_not_open_under_another_name(city_store: CityStore) -> None:
    sealed = seal_file(PHOTO, NAME)
    with pytest.raises(ConfigurationError, match="other"):
        open_file(sealed, "other.bin")


def test_keys_rotate(city_store: CityStore) -> None:
    old = city_store.settings.data_key.get_secret_value()
    new = Fernet.generate_key().decode()
    before = seal_file(PHOTO, NAME)
    city_store.configure(DATA_KEY=f"{new},{old}")
    assert open_file(before, NAME) == PHOTO
    after = seal_file(PHOTO, NAME)
    city_store.configure(DATA_KEY=new)
    assert open_file(after, NAME) == PHOTO
    with pytest.raises(ConfigurationError, match="SHIMIN_DATA_KEY"):
        open_file(before, NAME)


def test_files_of_older_versions_open(city_store: CityStore) -> None:
    key = city_store.settings.data_key.get_secret_value()
    token = Fernet(key).encrypt(PHOTO)
    assert open_file(token, NAME) == PHOTO
    unnamed = seal_without_id(PHOTO, NAME, urlsafe_b64decode(key))
    assert open_file(unnamed, NAME) == PHOTO
    with pytest.raises(ConfigurationError, match="other"):
        open_file(unnamed, "other.bin")
    city_store.configure(DATA_KEY=Fernet.generate_key().decode())
    for older in (token, unnamed, b"AG1:", b"AG2:", b""):
        with pytest.raises(ConfigurationError, match=NAME):
            open_file(older, NAME)


def seal_without_id(data: bytes, name: str, key: bytes) -> bytes:
    """What the version before key ids wrote."""
    derived = HKDF(SHA256(), 32, salt=None, info=b"shimin media file").derive(key)
    nonce = b"n" * 12
    return b"AG1:" + nonce + AESGCM(derived).encrypt(nonce, data, name.encode())
