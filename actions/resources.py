"""What the actions share, loaded once a process."""

from __future__ import annotations

from functools import lru_cache

from base.settings import get_settings
from dispatch.categories import Categories, load_categories
from dispatch.classifier import CategoryClassifier
from dispatch.gazetteer import Gazetteer
from dispatch.intake import Intake
from dispatch.routing import Router
from matcher.catalogue import Catalogue


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Services and policies of the city, indexed."""
    return Catalogue.load(get_settings())


@lru_cache(maxsize=1)
def categories() -> Categories:
    """Complaint categories of the city."""
    return load_categories(get_settings().categories_file)


@lru_cache(maxsize=1)
def router() -> Router:
    """Who handles what in the city."""
    settings = get_settings()
    return Router.load(settings.routing_file, categories(), settings.city_dir)


@lru_cache(maxsize=1)
def intake() -> Intake:
    """The complaint intake with its gazetteer and classifier."""
    settings = get_settings()
    return Intake(
        Gazetteer.load(settings.city_dir), CategoryClassifier.load(settings), categories()
    )
