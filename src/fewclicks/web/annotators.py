"""Annotators: who may come in, and who they are."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, select

from fewclicks.errors import InputError
from fewclicks.web.database import transaction
from fewclicks.web.tables import Annotator, Entrance

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logged in."""

    id: int
    name: str


class Annotators:
    """Log-ins of one project.

    Parameters
    ----------
    engine
        The database.
    project_id
        Whose annotators they are.
    token
        What lets people in; empty where everybody on this machine may come in.
    """

    def __init__(self, engine: Engine, project_id: int, *, token: str = "") -> None:
        self._engine = engine
        self._project_id = project_id
        self._token = token

    def enter(self, token: str, name: str) -> tuple[str, Person] | None:
        """Let a person in by the server's token.

        Returns
        -------
        tuple, optional
            A secret that stands for the person from now on, of which only a checksum is kept,
            and the person; None where the token is wrong.

        Raises
        ------
        InputError
            If the name is empty or too long.
        """
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        name = " ".join(name.split())
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InputError(f"A name needs 1 to {_LONGEST_NAME} letters, such as 'Anna'.")
        secret = secrets.token_urlsafe(32)
        with transaction(self._engine) as there:
            of_it = select(Annotator).where(Annotator.project_id == self._project_id)
            annotator = there.scalar(of_it.where(Annotator.name == name))
            if annotator is None:
                annotator = Annotator(project_id=self._project_id, name=name)
                there.add(annotator)
                there.flush()
            there.add(Entrance(secret_sha256=_checksum(secret), annotator_id=annotator.id))
            person = Person(annotator.id, name)
        return secret, person

    def recognise(self, secret: str) -> Person | None:
        """Find who holds a secret."""
        wanted = (
            select(Annotator)
            .join(Entrance, Entrance.annotator_id == Annotator.id)
            .where(Entrance.secret_sha256 == _checksum(secret))
            .where(Annotator.project_id == self._project_id)
        )
        with transaction(self._engine) as there:
            found = there.scalar(wanted)
            return None if found is None else Person(found.id, found.name)


def _checksum(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
