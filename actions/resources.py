"""What the actions share, loaded once a process."""

from __future__ import annotations

from functools import lru_cache

from base.settings import get_settings
from dispatch.case.routing import Router
from dispatch.classification.categories import Categories, load_categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.intake import Intake
from dispatch.similar.duplicates import DuplicateFinder
from matcher.catalogue import Catalogue
from matcher.live import LiveCatalogue


@lru_cache(maxsize=1)
def live_catalogue() -> LiveCatalogue:
    """Services and policies of the city, indexed and kept up with their files."""
    return LiveCatalogue(get_settings())


def catalogue() -> Catalogue:
    """Services and policies of the city as their files say now."""
    return live_catalogue().current


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
    return Intake(gazetteer(), classifier(), categories())


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The places of the city."""
    return Gazetteer.load(get_settings().city_dir)


@lru_cache(maxsize=1)
def classifier() -> CategoryClassifier:
    """The classifier of complaints."""
    return CategoryClassifier.load(get_settings())


@lru_cache(maxsize=1)
def duplicates() -> DuplicateFinder:
    """What finds complaints about the same problem."""
    return DuplicateFinder.load(get_settings(), categories(), gazetteer(), classifier())
