"""Projects: which of a database's a folder is, also after the folder was moved."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, Select, func, make_url, select
from sqlalchemy.orm import Session as Transaction

from fewclicks.errors import InputError
from fewclicks.web.database import default_url
from fewclicks.web.tables import Picture, Project

DEFAULT_METHOD: Final = "default"


def find_project(there: Transaction, engine: Engine, folder: Path, *, begin: bool) -> Project:
    """Find a folder's project, or begin it.

    Parameters
    ----------
    there
        Of the engine's database.
    folder
        Of pictures, absolute. Projects go by its path, but in the database that lies in the folder
        itself: that one goes where the folder goes, or is mounted.
    begin
        Whether one is begun where there is none.

    Raises
    ------
    InputError
        If there is none, and none is to be begun.
    """
    project = there.scalar(select(Project).where(Project.folder == str(folder)))
    if project is None and engine.url == make_url(default_url(folder)):
        project = there.scalar(_by_work())
        if project is not None:
            project.folder = str(folder)
    if project is None:
        if not begin:
            raise InputError(_never(there, folder))
        project = Project(folder=str(folder), method=DEFAULT_METHOD)
        there.add(project)
        there.flush()
    return project


def _by_work() -> Select[Project]:
    """Select projects, those with the most pictures that somebody worked on first."""
    worked_on = (
        select(func.count())
        .where(Picture.project_id == Project.id, Picture.state != "new")
        .scalar_subquery()
    )
    return select(Project).order_by(worked_on.desc(), Project.id).limit(1)


def _never(there: Transaction, folder: Path) -> str:
    others = list(there.scalars(select(Project.folder).order_by(Project.folder).limit(3)))
    known = f"it has {', '.join(others)}" if others else "it has no folder at all"
    return (
        f"{folder} was never annotated in this database ({known}); needs the folder and the --db "
        "that `fewclicks annotate` had."
    )
