"""Citizens and the desk of the running stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.driver import Citizen, Desk, citizens
from tests.stack import Stack


@pytest.fixture
def new_citizen(stack: Stack) -> Iterator[Callable[[], Citizen]]:
    """Make citizens who have never written before."""
    yield from citizens(stack)


@pytest.fixture
def citizen(new_citizen: Callable[[], Citizen]) -> Citizen:
    """One such citizen."""
    return new_citizen()


@pytest.fixture
def desk(stack: Stack) -> Iterator[Desk]:
    """The dispatcher's side."""
    person = Desk(stack)
    yield person
    person.close()
