"""Answering: from an action that is stored to the mask on screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, encode_rle
from fewclicks.images.reading import read_image, read_size
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.maps import Levels
from fewclicks.methods.registry import METHODS, create_method, find_method
from fewclicks.methods.warm_up import warm_up
from fewclicks.session.session import Session
from fewclicks.web.actions import ClickAction
from fewclicks.web.answerer import describe_answerer
from fewclicks.web.fair_queue import FairQueue
from fewclicks.web.prepared import PreparedPictures
from fewclicks.web.references import (
    NO_GUIDES,
    Guides,
    LabelReference,
    ReferenceReader,
    labels_of,
)
from fewclicks.web.sittings import Sittings
from fewclicks.web.store import StoredPicture
from fewclicks.web.uploads import Prompts, Uploads

_AHEAD: Final = 2
_TIMED: Final = 50


class Answering:
    """One model at work for all annotators.

    Parameters
    ----------
    paths
        Of the pictures, by id.
    method, backbone
        As `create_method` takes them.

    Notes
    -----
    The model answers in one thread and prepares the next pictures in another; requests come from
    any thread and wait.
    """

    def __init__(
        self, paths: dict[int, Path], *, method: str = "default", backbone: str | None = None
    ) -> None:
        self._paths = paths
        self._order = list(paths)
        self._backbone = backbone
        self._shapes: dict[int, tuple[int, int]] = {}
        self._durations: deque[float] = deque(maxlen=_TIMED)
        self._queue = FairQueue()
        self._references = ReferenceReader(lambda id_: read_image(self.path(id_)))
        self._begin(method)

    def _begin(self, name: str) -> None:
        needs_backbone = "backbone" in find_method(name).needs
        method = create_method(name, backbone=self._backbone if needs_backbone else None)
        self.method: AnyMethod = method
        self.name = name
        self.answerer = describe_answerer(name, method)
        self._sittings = Sittings(method)
        self._uploads = Uploads(method)
        self.pictures = PreparedPictures(lambda id_: method.prepare(read_image(self._paths[id_])))

    def change(self, name: str) -> None:
        """Have another method answer, between two answers.

        Raises
        ------
        FewclicksError
            If it cannot be built; the present one goes on then.
        """
        before = self.pictures
        self._queue.submit("server", "method", lambda: self._begin(name)).result()
        before.close()

    def answer(self, stored: StoredPicture, annotator: int) -> Future[RunLengths | None]:
        """Ask for the mask of a picture's present object; None where there is none."""
        if not stored.desk.is_open:
            nothing: Future[RunLengths | None] = Future()
            nothing.set_result(None)
            return nothing
        return self._queue.submit(annotator, ("mask", stored.id), lambda: self._answer(stored))

    def hover(
        self, stored: StoredPicture, annotator: int, click: ClickAction
    ) -> Future[RunLengths]:
        """Ask what a click would give, without taking it."""
        desk = replace(stored.desk, prompts=(*stored.desk.prompts, click))
        clicked = replace(stored, desk=desk)
        return self._queue.submit(
            annotator, "hover", lambda: encode_rle(self._session(clicked).mask)
        )

    def levels(self, stored: StoredPicture, annotator: int) -> Future[Levels]:
        """Ask for the segments that the newest click may stand for."""
        return self._queue.submit(
            annotator, ("levels", stored.id), lambda: self._session(stored).levels
        )

    @property
    def takes_references(self) -> bool:
        """Whether the method can be guided by them."""
        return "references" in find_method(self.name).takes

    def look_at(self, stored: StoredPicture, reference: LabelReference) -> None:
        """Have a reference looked at now, so that the first click does not wait for it."""

        def work() -> None:
            aimed = ClickAction(kind="click", x=0, y=0, is_positive=True, label=reference.label)
            for shown in self._references.guides([aimed], stored.references).by_label.values():
                guidance = Guidance(references=tuple(shown))
                self.method.condition(self.pictures.get(stored.id), guidance)

        self._queue.submit("server", ("reference", reference.id), work)

    def notice(self, stored: StoredPicture) -> str | None:
        """Say why the newest prompt was answered without its label's reference, if it was."""
        newest = labels_of(stored.desk.prompts[-1:])
        reference = stored.references.get(newest[0]) if newest else None
        if reference is None:
            return None
        if not self.takes_references:
            known = " or ".join(entry.name for entry in METHODS if "references" in entry.takes)
            why = f"'{self.name}' takes no references; choose {known}."
        elif (problem := self._references.problem(reference)) is not None:
            why = problem
        else:
            return None
        return f"The reference of '{reference.label}' does not guide: {why}"

    def segment(self, content: bytes, prompts: Prompts, turn: Hashable) -> Future[BoolMask]:
        """Ask for a mask of a picture that is sent along, in somebody's turn."""
        return self._queue.submit(turn, object(), lambda: self._uploads.segment(content, prompts))

    def open(self, id_: int) -> None:
        """Have a picture prepared, and then those that come after it."""
        place = self._order.index(id_) if id_ in self._paths else 0
        self.pictures.expect(self._order[place : place + 1 + _AHEAD])

    def warm_up(self) -> None:
        """Compile and load on a small picture, so that the first annotator does not wait for it."""
        warm_up(self.method)

    def path(self, id_: int) -> Path:
        """Where a picture lies.

        Raises
        ------
        InputError
            If there is no such picture.
        """
        try:
            return self._paths[id_]
        except KeyError:
            raise InputError(f"There is no picture {id_}.") from None

    def name_of(self, id_: int) -> str:
        """Give the file's name."""
        return self.path(id_).name

    def shape(self, id_: int) -> tuple[int, int]:
        """Give a picture's height and width."""
        if id_ not in self._shapes:
            self._shapes[id_] = read_size(self.path(id_))
        return self._shapes[id_]

    def has(self, id_: int) -> bool:
        """Whether a picture is prepared."""
        return self.pictures.has(id_)

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._queue.waiting

    @property
    def click_seconds(self) -> float | None:
        """Median of the newest answers; None before the first."""
        durations = sorted(self._durations)
        return durations[len(durations) // 2] if durations else None

    def close(self) -> None:
        """Stop both threads."""
        self._queue.close()
        self.pictures.close()

    def _answer(self, stored: StoredPicture) -> RunLengths | None:
        prepared = self._prepared(stored.id)
        started = time.perf_counter()
        mask = self._sittings.mask(stored.id, prepared, stored.desk, self._guides(stored))
        self._durations.append(time.perf_counter() - started)
        return encode_rle(mask)

    def _session(self, stored: StoredPicture) -> Session:
        prepared = self._prepared(stored.id)
        return self._sittings.at(stored.id, prepared, stored.desk, self._guides(stored))

    def _prepared(self, id_: int) -> Prepared:
        """Give a prepared picture; no session holds on to one that had to make room."""
        prepared = self.pictures.get(id_)
        self._sittings.keep_only(self.pictures.ids)
        return prepared

    def _guides(self, stored: StoredPicture) -> Guides:
        desk = stored.desk
        if not self.takes_references or desk.search is not None:
            return NO_GUIDES
        return self._references.guides(desk.prompts, stored.references)
