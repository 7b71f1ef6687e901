"""Exchange: what annotators made, out of the store and into it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fewclicks.errors import FewclicksError
from fewclicks.files import write_text
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.images.reading import read_size
from fewclicks.web.actions import AddAction, Mask, check_name
from fewclicks.web.store import Store

RECORD: Final = "record"
"""The format that is our own: every action there ever was."""

_RECORD_FILE: Final = "record.jsonl"
_ANSWERERS_FILE: Final = "methods.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What an import brought.

    Parameters
    ----------
    objects
        How many were added.
    unknown
        Names of annotated pictures that the folder does not have.
    annotated
        Names of pictures that were left as they are, since somebody worked on them.
    """

    objects: int
    unknown: tuple[str, ...]
    annotated: tuple[str, ...]


def collect(store: Store, *, only_done: bool = False) -> Annotations:
    """Collect the finished objects of every picture that has one, or is done and still there.

    Parameters
    ----------
    only_done
        Leave out pictures that nobody said are done.

    Raises
    ------
    StorageError, ImageError
        If a picture without objects is there and cannot be read.
    """
    pictures = []
    rows = store.pictures()
    for row in rows:
        if row.state != "done" and (only_done or not row.objects):
            continue
        path = store.folder / row.name
        objects = tuple(
            AnnotatedObject(label=one.label, rle=one.rle)
            for one in store.picture(row.id).desk.objects
        )
        # A picture that is gone keeps its annotations; one without any must not stop the others.
        if not objects and not path.exists():
            continue
        height, width = objects[0].rle["size"] if objects else read_size(path)
        pictures.append(
            AnnotatedPicture(name=row.name, height=height, width=width, objects=objects, path=path)
        )
    labels = tuple(label.name for label in store.labels())
    return Annotations(pictures=pictures, labels=labels, folder=[row.name for row in rows])


def write_record(store: Store, out: Path) -> list[Path]:
    """Write every action of every picture as a line of JSON, and what answered them beside it.

    A line says who, when, what, and by which method; ``answerer`` names its settings and the
    checksums of its weights in the other file. ``standing`` says whether the action stands
    (``done``), is ``undone``, or was ``dropped``; undo and redo themselves are ``log``. A picture's
    lines in their order replay its desk, and all lines by ``sequence`` the references of labels.
    """
    lines = out / _RECORD_FILE
    write_text(
        lines, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _lines(store))
    )
    answerers = out / _ANSWERERS_FILE
    described = {sha256: json.loads(content) for sha256, content in store.answerers().items()}
    write_text(answerers, json.dumps(described, indent=1) + "\n")
    return [lines, answerers]


def take(store: Store, annotations: Annotations, *, annotator: int) -> Taken:
    """Begin with objects from elsewhere, all or none; pictures worked on already are left alone.

    Parameters
    ----------
    annotator
        Whom the record names.

    Raises
    ------
    FewclicksError
        If a mask does not fit its picture, or a label is none; nothing is taken then.
    """
    rows = {row.name: row for row in store.pictures()}
    wanted: dict[int, list[AddAction]] = {}
    unknown, annotated = [], []
    for label in annotations.labels:
        check_name(label)
    for picture in annotations.pictures:
        row = rows.get(picture.name)
        if row is None:
            unknown.append(picture.name)
        elif row.state != "new":
            annotated.append(picture.name)
        elif picture.objects:
            _check_size(store.folder / row.name, picture)
            wanted.setdefault(row.id, []).extend(
                AddAction(kind="add", label=one.label, rle=Mask.of(one.rle))
                for one in picture.objects
            )
    for label in annotations.labels:
        store.add_label(label)
    for id_, actions in wanted.items():
        for action in actions:
            store.act(id_, str(uuid.uuid4()), action, annotator=annotator, method="import")
        store.give_back(id_, annotator)
    return Taken(
        objects=sum(map(len, wanted.values())), unknown=tuple(unknown), annotated=tuple(annotated)
    )


def _check_size(path: Path, picture: AnnotatedPicture) -> None:
    height, width = read_size(path)
    if (height, width) != (picture.height, picture.width):
        raise FewclicksError(
            f"{path} is {width} x {height}, but was annotated as {picture.width} x "
            f"{picture.height}; annotate the picture as it is now."
        )


def _lines(store: Store) -> Iterator[dict[str, object]]:
    for picture in store.pictures():
        for row in store.record(picture.id):
            yield {
                "sequence": row.id,
                "picture": picture.name,
                "picture_id": picture.id,
                "number": row.number,
                "at": row.at.isoformat(),
                "annotator": row.annotator_id,
                "method": row.method,
                "answerer": row.answerer,
                "standing": row.standing,
                "action": json.loads(row.content),
            }
