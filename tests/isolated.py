"""An installation of its own for in-process tests: database, folders and keys under a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from cryptography.fernet import Fernet

from base.settings import Settings, get_settings
from store.database import upgrade
from tests.stack import free_port
from tests.store.migrated import copy_migrated


def isolated_environment(folder: Path, **changes: object) -> dict[str, str]:
    """Return ``SHIMIN_`` variables; ``changes`` are settings by their field name.

    Nobody listens on its ports, whatever runs on this machine.
    """
    ports = ("gateway_port", "actions_port", "rasa_port", "desk_port")
    values: dict[str, object] = {
        **{name: free_port() for name in ports},
        "dispatch_url": f"http://127.0.0.1:{free_port()}",
        "environment": "development",
        "api_key": "test-api-key",
        "data_key": Fernet.generate_key().decode(),
        "session_key": "test-session-key",
        "webhook_secret": "test-webhook-secret",
        "dispatch_api_key": "test-dispatch-key",
        "desk_password": "test-desk-password",
        "rasa_token": "test-rasa-token",
        "tracker_key": Fernet.generate_key().decode(),
        "database_url": f"sqlite:///{folder / 'shimin.db'}",
        "desk_database_url": f"sqlite:///{folder / 'desk.db'}",
        "tracker_url": f"sqlite:///{folder / 'rasa.db'}",
        "media_dir": folder / "media",
        "desk_media_dir": folder / "desk-media",
        **changes,
    }
    return {f"SHIMIN_{name.upper()}": str(value) for name, value in values.items()}


@contextmanager
def isolated(folder: Path, **changes: object) -> Iterator[Settings]:
    """Make this process use an installation under ``folder`` with a migrated database."""
    with mock.patch.dict(os.environ, isolated_environment(folder, **changes)):
        get_settings.cache_clear()
        try:
            if "database_url" in changes:
                upgrade()
            else:
                copy_migrated(folder / "shimin.db")
            yield get_settings()
        finally:
            get_settings.cache_clear()
