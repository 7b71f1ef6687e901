"""Tables of the annotation database; `migrations` makes them and brings old ones up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def now() -> datetime:
    """UTC, as every time is kept."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map: ClassVar[dict[type, object]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
    }


class Project(Base):
    """A folder of pictures, and how it is annotated."""

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(unique=True)
    method: Mapped[str]
    backbone: Mapped[str | None]
    created: Mapped[datetime] = mapped_column(default=now)


class Label(Base):
    """What objects are called, in the order of the digit keys."""

    __tablename__ = "label"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    colour: Mapped[str] = mapped_column(String(7))


class Annotator(Base):
    """A person, and the checksum of what lets them in."""

    __tablename__ = "annotator"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class Entrance(Base):
    """A log-in: the sha256 of the secret that its page holds."""

    __tablename__ = "entrance"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    created: Mapped[datetime] = mapped_column(default=now)


class Picture(Base):
    """A picture of the folder.

    ``version`` counts every change. ``draft`` is the mask of the present object as run lengths,
    as of ``draft_version``; ``objects`` how many are finished.
    """

    __tablename__ = "picture"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    state: Mapped[str] = mapped_column(String(8), default="new")
    version: Mapped[int] = mapped_column(Integer, default=0)
    objects: Mapped[int] = mapped_column(Integer, default=0)
    draft: Mapped[str | None]
    draft_version: Mapped[int] = mapped_column(Integer, default=-1)
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    held_until: Mapped[datetime | None]


class AnswererRow(Base):
    """A method that answered, with its settings and the checksums of its weights."""

    __tablename__ = "answerer"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str]


class ActionRow(Base):
    """One action, never deleted: the raw record of who did what, when and with which method.

    ``standing`` is ``done``, ``undone`` (redo brings it back) or ``dropped`` (undone, and another
    action came after); ``log`` for undo and redo themselves, which only stand in the record.
    ``answerer`` is missing in rows of versions that did not keep it, and where none answered.
    """

    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("picture_id", "number"),
        Index("action_by_picture", "picture_id", "standing", "number"),
        Index("action_by_kind", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("picture.id"))
    number: Mapped[int]
    uuid: Mapped[str] = mapped_column(String(36))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(16))
    content: Mapped[str]
    standing: Mapped[str] = mapped_column(String(8))
    method: Mapped[str]
    answerer: Mapped[str | None] = mapped_column(ForeignKey("answerer.sha256"))
