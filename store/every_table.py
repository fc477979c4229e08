"""Every table of the store: the models of all its rooms, loaded."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import store


def load_tables() -> None:
    """Import each ``*_models`` module, so that ``Base.metadata`` has every table."""
    for module in pkgutil.iter_modules(store.__path__):
        if module.name.endswith("_models"):
            import_module(f"store.{module.name}")
