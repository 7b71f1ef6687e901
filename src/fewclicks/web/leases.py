"""Leases: the right to change a picture, which two annotators never have at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session as Transaction

from fewclicks.errors import InputError
from fewclicks.web.tables import Annotator, Picture

LEASE_SECONDS: Final = 45


class LeaseError(InputError):
    """Another annotator works on the picture."""


def take_lease(there: Transaction, picture: Picture, annotator: int) -> None:
    """Take or renew a picture's lease, within a transaction that has locked its row.

    Raises
    ------
    LeaseError
        If another annotator has it.
    """
    check_lease(there, picture, annotator)
    picture.holder_id = annotator
    picture.held_until = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)


def check_lease(there: Transaction, picture: Picture, annotator: int) -> None:
    """Refuse whoever would change a picture that another has.

    Raises
    ------
    LeaseError
        If another annotator has it.
    """
    if picture.holder_id not in (None, annotator) and holds(picture.held_until):
        name = there.get_one(Annotator, picture.holder_id).name
        raise LeaseError(f"{name} is working on {picture.name}; wait, or take another.")


def holder_of(there: Transaction, picture: Picture) -> str | None:
    """Say whose lease holds, if any does."""
    if picture.holder_id is None or not holds(picture.held_until):
        return None
    return there.get_one(Annotator, picture.holder_id).name


def holds(until: datetime | None) -> bool:
    """Whether a lease that ends then holds now."""
    if until is None:
        return False
    if until.tzinfo is None:  # SQLite forgets it
        until = until.replace(tzinfo=UTC)
    return until > datetime.now(UTC)
