from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from base.settings import ROOT, Settings, get_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SHIMIN_"):
            monkeypatch.delenv(name)


def test_the_defaults_are_a_development_installation_on_loopback() -> None:
    settings = Settings(_env_file=None)
    assert settings.environment == "development"
    assert settings.gateway_host == settings.rasa_host == settings.actions_host == "127.0.0.1"
    assert settings.rasa_url == "http://127.0.0.1:5005"
    assert settings.actions_url == "http://127.0.0.1:5055"
    assert settings.database_url == f"sqlite:///{ROOT / 'var' / 'shimin.db'}"
    for directory in (settings.policies_dir, settings.city_dir):
        assert directory.is_dir()
    assert settings.categories_file.is_file()


def test_no_secret_has_a_default() -> None:
    settings = Settings(_env_file=None)
    secrets = [
        settings.api_key,
        settings.data_key,
        settings.session_key,
        settings.webhook_secret,
        settings.dispatch_api_key,
        settings.desk_password,
        settings.rasa_token,
        settings.tracker_key,
        settings.media_s3_key,
        settings.media_s3_secret,
    ]
    assert all(secret.get_secret_value() == "" for secret in secrets)


def test_values_come_typed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIMIN_RASA_HOST", "10.1.2.3")
    monkeypatch.setenv("SHIMIN_RASA_PORT", "6005")
    monkeypatch.setenv("SHIMIN_MEDIA_DIR", "/srv/shimin/media")
    monkeypatch.setenv("SHIMIN_DISPATCH_FORMAT", "xml")
    monkeypatch.setenv("SHIMIN_SOMETHING_OF_A_LATER_VERSION", "1")
    settings = Settings(_env_file=None)
    assert settings.rasa_url == "http://10.1.2.3:6005"
    assert settings.media_dir == Path("/srv/shimin/media")
    assert settings.dispatch_format == "xml"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHIMIN_ENVIRONMENT", "staging"),
        ("SHIMIN_GATEWAY_PORT", "eighty"),
        ("SHIMIN_DISPATCH_FORMAT", "csv"),
        ("SHIMIN_MAX_TEXT_CHARS", "10"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    assert name.removeprefix("SHIMIN_").lower() in str(caught.value)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("SHIMIN_GATEWAY_PORT=9001\nSHIMIN_DESK_PORT=9002\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("SHIMIN_GATEWAY_PORT", "9100")
    settings = Settings(_env_file=file)
    assert (settings.gateway_port, settings.desk_port) == (9100, 9002)


def test_settings_cannot_be_changed_and_secrets_do_not_show() -> None:
    settings = Settings(_env_file=None, api_key="very-secret", data_key="even-more")
    with pytest.raises(ValidationError):
        settings.gateway_port = 1  # type: ignore[misc]
    assert "very-secret" not in repr(settings)
    assert "even-more" not in str(settings.model_dump())


def test_the_process_reads_its_settings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    get_settings.cache_clear()
    try:
        monkeypatch.setenv("SHIMIN_DESK_PORT", "9311")
        first = get_settings()
        monkeypatch.setenv("SHIMIN_DESK_PORT", "9312")
        assert get_settings() is first
        assert first.desk_port == 9311
    finally:
        get_settings.cache_clear()
