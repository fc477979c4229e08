"""The store on each database, as in tests/store."""

from __future__ import annotations

from tests.store.conftest import any_store, city_store

__all__ = ["any_store", "city_store"]
