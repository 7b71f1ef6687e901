"""Answering: from an action that is stored to the mask on screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, encode_rle
from fewclicks.images.reading import read_image, read_size
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.maps import Levels
from fewclicks.methods.registry import create_method, find_method
from fewclicks.methods.warm_up import warm_up
from fewclicks.web.desk import Desk
from fewclicks.web.fair_queue import FairQueue
from fewclicks.web.prepared import PreparedPictures
from fewclicks.web.sittings import Sittings
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
        self._begin(method)

    def _begin(self, name: str) -> None:
        needs_backbone = "backbone" in find_method(name).needs
        method = create_method(name, backbone=self._backbone if needs_backbone else None)
        self.method: AnyMethod = method
        self.name = name
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

    def answer(self, id_: int, desk: Desk, annotator: int) -> Future[RunLengths | None]:
        """Ask for the mask of a desk's present object; None where there is none."""
        if not desk.prompts and desk.reopened is None:
            nothing: Future[RunLengths | None] = Future()
            nothing.set_result(None)
            return nothing
        return self._queue.submit(annotator, ("mask", id_), lambda: self._answer(id_, desk))

    def hover(self, id_: int, desk: Desk, annotator: int, x: int, y: int) -> Future[RunLengths]:
        """Ask what a click on a pixel would give."""

        def work() -> RunLengths:
            prepared = self.pictures.get(id_)
            return encode_rle(self._sittings.preview(id_, prepared, desk, x, y))

        return self._queue.submit(annotator, "hover", work)

    def levels(self, id_: int, desk: Desk, annotator: int) -> Future[Levels]:
        """Ask for the segments that the newest click may stand for."""

        def work() -> Levels:
            return self._sittings.at(id_, self.pictures.get(id_), desk).levels

        return self._queue.submit(annotator, ("levels", id_), work)

    def others(self, id_: int, desk: Desk, annotator: int, number: int) -> Future[list[RunLengths]]:
        """Ask for the other objects of a finished one's kind."""

        def work() -> list[RunLengths]:
            masks = self._sittings.others(self.pictures.get(id_), desk, number)
            return [encode_rle(mask) for mask in masks]

        return self._queue.submit(annotator, ("others", id_), work)

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

    def _answer(self, id_: int, desk: Desk) -> RunLengths | None:
        prepared = self.pictures.get(id_)
        started = time.perf_counter()
        mask = self._sittings.mask(id_, prepared, desk)
        self._durations.append(time.perf_counter() - started)
        return encode_rle(mask)
