"""Store: every action is on disk before anybody hears that it is done."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from fewclicks.errors import InputError
from fewclicks.images.folders import list_pictures
from fewclicks.images.masks import RunLengths
from fewclicks.web.actions import (
    AddAction,
    DeskAction,
    FinishAction,
    RedoAction,
    ReferenceAction,
    UndoAction,
    read_action,
    write_action,
)
from fewclicks.web.answerer import Answerer
from fewclicks.web.database import DatabaseError, transaction
from fewclicks.web.desk import Desk, lay
from fewclicks.web.leases import LeaseError, check_lease, holder_of, holds, take_lease
from fewclicks.web.projects import find_project
from fewclicks.web.references import LabelReference, lay_references, read_label_action
from fewclicks.web.tables import ActionRow, Annotator, AnswererRow, Label, Picture, Project

COLOURS: Final = (
    "#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#46f0f0", "#f032e6", "#bcf60c",
    "#fabebe", "#008080", "#e6beff", "#9a6324", "#fffac8", "#800000", "#aaffc3", "#808000",
)  # fmt: skip

PictureState: TypeAlias = Literal["new", "open", "done"]


class PictureRow(NamedTuple):
    """A picture, as a list of ten thousand shows it."""

    id: int
    name: str
    state: str
    objects: int
    holder: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPicture:
    """A picture, and all that stands on its desk.

    Parameters
    ----------
    id, name, state, version
        As in the table.
    desk
        What the actions come to.
    draft, optional
        Mask of the present object, if one was kept for this very version.
    can_undo, can_redo
        Whether there is an action to take back, or again.
    holder
        Whose lease holds, if any does.
    references
        What each label means, as somebody showed on any picture.
    """

    id: int
    name: str
    state: str
    version: int
    desk: Desk
    draft: RunLengths | None
    can_undo: bool
    can_redo: bool
    holder: str | None
    references: Mapping[str, LabelReference]


class Store:
    """One folder's annotations in a database.

    Parameters
    ----------
    engine
        An up-to-date database.
    folder
        Of pictures.
    begin
        Whether a folder that has no annotations begins to have some.

    Raises
    ------
    InputError
        If it has none, and does not begin.

    Notes
    -----
    Threads and servers may share it: each verb is one transaction, and those that change a
    picture lock its row.
    """

    def __init__(self, engine: Engine, folder: Path, *, begin: bool = True) -> None:
        self._engine = engine
        # SQLite lets one in at a time, and has the others sleep and try again, some for long.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
        self.folder = folder
        self.project_id = self._open(begin=begin)

    def _open(self, *, begin: bool) -> int:
        """Find the folder's project; pictures that came since are added."""
        names = list_pictures(self.folder)
        with self._transaction() as there:
            project = find_project(there, self._engine, self.folder, begin=begin)
            of_it = select(Picture.name).where(Picture.project_id == project.id)
            known = set(there.scalars(of_it))
            new = [
                {"project_id": project.id, "name": name, "state": "new", "version": 0,
                 "objects": 0, "draft_version": -1}
                for name in names if name not in known
            ]  # fmt: skip
            if new:
                there.execute(insert(Picture), new)
            return project.id

    # The project.

    @property
    def key(self) -> str:
        """Tells the project from others that the same address may serve another day."""
        described = f"{self.folder}\n{self.project_id}"
        return hashlib.sha256(described.encode()).hexdigest()[:16]

    @property
    def chosen(self) -> tuple[str, str | None]:
        """Method and backbone that answer, as `create_method` takes them."""
        with self._transaction() as there:
            project = there.get_one(Project, self.project_id)
            return project.method, project.backbone

    def choose(self, method: str, backbone: str | None) -> None:
        """Have others answer from now on."""
        with self._transaction() as there:
            project = there.get_one(Project, self.project_id)
            project.method, project.backbone = method, backbone

    def labels(self) -> list[Label]:
        """In the order of their keys."""
        with self._transaction() as there:
            wanted = select(Label).where(Label.project_id == self.project_id).order_by(Label.id)
            return list(there.scalars(wanted))

    def add_label(self, name: str, colour: str | None = None) -> Label:
        """Add a label, or give the one that has this name."""
        with self._transaction() as there:
            return self._label(there, name, colour)

    def change_label(self, id_: int, *, name: str | None, colour: str | None) -> Label:
        """Recolour a label, or rename it where no other has that name; objects keep theirs.

        Raises
        ------
        InputError
            If there is no such label, or another has the name.
        """
        try:
            with self._transaction() as there:
                label = there.get(Label, id_)
                if label is None or label.project_id != self.project_id:
                    raise InputError(f"There is no label {id_}.")
                label.name = name or label.name
                label.colour = colour or label.colour
                return label
        except DatabaseError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise InputError(f"Another label is called '{name}' already.") from None
            raise

    def counts(self) -> tuple[int, int]:
        """How many pictures there are, and how many are done."""
        with self._transaction() as there:
            of_it = select(func.count()).where(Picture.project_id == self.project_id)
            done = there.scalar(of_it.where(Picture.state == "done"))
            return there.scalar(of_it) or 0, done or 0

    def pictures(self) -> list[PictureRow]:
        """All pictures by name."""
        wanted = (
            select(
                Picture.id, Picture.name, Picture.state, Picture.objects,
                Annotator.name, Picture.held_until,
            )
            .outerjoin(Annotator, Annotator.id == Picture.holder_id)
            .where(Picture.project_id == self.project_id)
            .order_by(Picture.name)
        )  # fmt: skip
        with self._transaction() as there:
            return [
                PictureRow(id_, name, state, objects, holder if holds(until) else None)
                for id_, name, state, objects, holder, until in there.execute(wanted)
            ]

    # One picture.

    def picture(self, id_: int) -> StoredPicture:
        """Read a picture and its desk.

        Raises
        ------
        InputError
            If the project has no such picture.
        """
        with self._transaction() as there:
            return self._read(there, self._locked(there, id_))

    def act(
        self,
        id_: int,
        uuid: str,
        action: DeskAction | UndoAction | RedoAction,
        *,
        annotator: int,
        method: str,
        answerer: Answerer | None = None,
    ) -> StoredPicture:
        """Take an action; once this returns, it outlives whatever happens to the server.

        Parameters
        ----------
        uuid
            Of the action; one that is known changes nothing, so that it may be sent again.
        annotator
            Who does it; needs the picture's lease, or that nobody has it.
        method, answerer
            What answers the action, for the record.

        Raises
        ------
        InputError
            If the action does not fit; nothing has changed then.
        LeaseError
            If another annotator works on the picture.
        """
        with self._transaction() as there:
            picture = self._locked(there, id_)
            known = there.scalar(select(ActionRow).where(ActionRow.uuid == uuid))
            if known is not None:
                return self._read(there, picture)
            take_lease(there, picture, annotator)
            rows = self._rows(there, id_)
            newest = select(func.max(ActionRow.number)).where(ActionRow.picture_id == id_)
            number = (there.scalar(newest) or 0) + 1
            standing = "log"
            content = action.model_dump_json()
            match action:
                case UndoAction():
                    _newest(rows, "done", "There is nothing to undo.").standing = "undone"
                case RedoAction():
                    _oldest(rows, "undone", "There is nothing to redo.").standing = "done"
                case _:
                    _desk(rows).after(action, number)  # complains where it does not fit
                    for row in rows:
                        if row.standing == "undone":
                            row.standing = "dropped"
                    standing, content = "done", write_action(action)
                    if isinstance(action, FinishAction | AddAction | ReferenceAction):
                        self._label(there, action.label, None)
            there.add(
                ActionRow(
                    picture_id=id_, number=number, uuid=uuid, annotator_id=annotator,
                    kind=action.kind, content=content, standing=standing, method=method,
                    answerer=self._known(there, answerer),
                )
            )  # fmt: skip
            there.flush()
            picture.version += 1
            if picture.state == "new":
                picture.state = "open"
            stored = self._read(there, picture)
            picture.objects = len(stored.desk.objects)
            return stored

    def knows(self, uuid: str) -> bool:
        """Whether an action was taken already, so that it is sent again."""
        with self._transaction() as there:
            return there.scalar(select(ActionRow.id).where(ActionRow.uuid == uuid)) is not None

    def drop(self, id_: int, uuid: str) -> StoredPicture:
        """Take back an action that turned out not to fit; it stays in the record as dropped."""
        with self._transaction() as there:
            picture = self._locked(there, id_)
            there.execute(
                update(ActionRow)
                .where(ActionRow.picture_id == id_, ActionRow.uuid == uuid)
                .values(standing="dropped")
            )
            picture.version += 1
            return self._read(there, picture)

    def keep_draft(self, id_: int, version: int, rle: RunLengths) -> None:
        """Keep the present object's mask, unless the picture has changed since."""
        with self._transaction() as there:
            there.execute(
                update(Picture)
                .where(Picture.id == id_, Picture.version == version)
                .values(draft=json.dumps(rle), draft_version=version)
            )

    def set_state(self, id_: int, state: PictureState, *, annotator: int) -> StoredPicture:
        """Say that a picture is done, or open again.

        Raises
        ------
        LeaseError
            If another annotator works on it.
        """
        with self._transaction() as there:
            picture = self._locked(there, id_)
            check_lease(there, picture, annotator)
            picture.state = state
            return self._read(there, picture)

    def answerers(self) -> dict[str, str]:
        """Descriptions of all methods that ever answered, by their sha256."""
        with self._transaction() as there:
            return {row.sha256: row.content for row in there.scalars(select(AnswererRow))}

    def record(self, id_: int) -> Sequence[ActionRow]:
        """Every action that ever was, oldest first, undone ones too."""
        with self._transaction() as there:
            wanted = select(ActionRow).where(ActionRow.picture_id == id_).order_by(ActionRow.number)
            return list(there.scalars(wanted))

    # Leases.

    def lease(self, id_: int, annotator: int) -> str:
        """Take or renew a picture's lease, and say who has it now."""
        with self._transaction() as there:
            picture = self._locked(there, id_)
            with suppress(LeaseError):
                take_lease(there, picture, annotator)
            return there.get_one(Annotator, picture.holder_id).name

    def give_back(self, id_: int, annotator: int) -> None:
        """Let others have the picture."""
        with self._transaction() as there:
            there.execute(
                update(Picture)
                .where(Picture.id == id_, Picture.holder_id == annotator)
                .values(holder_id=None, held_until=None)
            )

    # How it works.

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._turn, transaction(self._engine) as there:
            yield there

    def _locked(self, there: Transaction, id_: int) -> Picture:
        picture = there.get(Picture, id_, with_for_update=True)
        if picture is None or picture.project_id != self.project_id:
            raise InputError(f"There is no picture {id_}.")
        return picture

    def _label(self, there: Transaction, name: str, colour: str | None) -> Label:
        of_it = select(Label).where(Label.project_id == self.project_id)
        label = there.scalar(of_it.where(Label.name == name))
        if label is None:
            count = there.scalar(select(func.count()).select_from(of_it.subquery())) or 0
            label = Label(
                project_id=self.project_id,
                name=name,
                colour=colour or COLOURS[count % len(COLOURS)],
            )
            there.add(label)
            there.flush()
        return label

    def _known(self, there: Transaction, answerer: Answerer | None) -> str | None:
        """Keep an answerer, once."""
        if answerer is None:
            return None
        if there.get(AnswererRow, answerer.sha256) is None:
            there.add(AnswererRow(sha256=answerer.sha256, content=answerer.content))
            there.flush()
        return answerer.sha256

    def _references(self, there: Transaction) -> dict[str, LabelReference]:
        wanted = (
            select(ActionRow.id, ActionRow.content)
            .join(Picture, Picture.id == ActionRow.picture_id)
            .where(ActionRow.kind.in_(["reference", "unreference"]), ActionRow.standing == "done")
            .where(Picture.project_id == self.project_id)
            .order_by(ActionRow.id)
        )
        return lay_references((id_, read_label_action(text)) for id_, text in there.execute(wanted))

    def _rows(self, there: Transaction, id_: int) -> list[ActionRow]:
        wanted = (
            select(ActionRow)
            .where(ActionRow.picture_id == id_, ActionRow.standing.in_(["done", "undone"]))
            .order_by(ActionRow.number)
        )
        return list(there.scalars(wanted))

    def _read(self, there: Transaction, picture: Picture) -> StoredPicture:
        rows = self._rows(there, picture.id)
        is_fresh = picture.draft is not None and picture.draft_version == picture.version
        return StoredPicture(
            id=picture.id,
            name=picture.name,
            state=picture.state,
            version=picture.version,
            desk=_desk(rows),
            draft=json.loads(picture.draft or "null") if is_fresh else None,
            can_undo=any(row.standing == "done" for row in rows),
            can_redo=any(row.standing == "undone" for row in rows),
            holder=holder_of(there, picture),
            references=self._references(there),
        )


def _desk(rows: Sequence[ActionRow]) -> Desk:
    return lay((row.number, read_action(row.content)) for row in rows if row.standing == "done")


def _newest(rows: Sequence[ActionRow], standing: str, complaint: str) -> ActionRow:
    found = [row for row in rows if row.standing == standing]
    if not found:
        raise InputError(complaint)
    return found[-1]


def _oldest(rows: Sequence[ActionRow], standing: str, complaint: str) -> ActionRow:
    found = [row for row in rows if row.standing == standing]
    if not found:
        raise InputError(complaint)
    return found[0]
