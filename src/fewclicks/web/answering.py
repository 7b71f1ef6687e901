"""Answering: from an action that is stored to the mask on screen."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, encode_rle
from fewclicks.images.reading import read_image, read_size
from fewclicks.methods.base import Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.maps import Levels
from fewclicks.methods.registry import METHODS, find_method
from fewclicks.session.session import Session
from fewclicks.web.actions import ClickAction
from fewclicks.web.answerer import Answerer
from fewclicks.web.fair_queue import FairQueue, ResultT, StaleError
from fewclicks.web.model import Model, load_model
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
from fewclicks.web.uploads import Prompts

_AHEAD: Final = 2
_TIMED: Final = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class _AtWork:
    name: str
    pictures: PreparedPictures
    model: Future[Model]
    begun: threading.Event = field(default_factory=threading.Event)


class Answering:
    """One model at work for all annotators.

    Parameters
    ----------
    paths
        Of the pictures, by id.
    method, backbone
        As `create_method` takes them; another method takes the same backbone.

    Raises
    ------
    UnknownEntryError
        If there is no such method.

    Notes
    -----
    The model is loaded and answers in one thread, and prepares the next pictures in another;
    requests come from any thread and wait. Loading begins when it is told to, or when something
    is asked of the model: whoever only wants the list of pictures is not to share the processor
    with it.
    """

    def __init__(
        self, paths: dict[int, Path], *, method: str = "default", backbone: str | None = None
    ) -> None:
        self._paths = paths
        self._order = list(paths)
        self.backbone = backbone
        self._shapes: dict[int, tuple[int, int]] = {}
        self._durations: deque[float] = deque(maxlen=_TIMED)
        self._queue = FairQueue()
        self._references = ReferenceReader(lambda id_: read_image(self.path(id_)))
        self._beginning = threading.Lock()
        self._at_work = self._choose(method)

    def _choose(self, name: str) -> _AtWork:
        find_method(name)
        model: Future[Model] = Future()
        pictures = PreparedPictures(
            lambda id_: model.result().method.prepare(read_image(self._paths[id_]))
        )
        return _AtWork(name=name, pictures=pictures, model=model)

    def begin(self) -> None:
        """Have the method loaded, if that was not begun before."""
        self._begin(self._at_work)

    def _begin(self, at_work: _AtWork) -> None:
        with self._beginning:
            if at_work.begun.is_set():
                return
            at_work.begun.set()
            self._queue.submit("server", at_work, lambda: self._load(at_work))

    def _load(self, at_work: _AtWork) -> None:
        try:
            at_work.model.set_result(load_model(at_work.name, self.backbone))
        except BaseException as error:
            at_work.model.set_exception(error)

    def _submit(
        self, turn: Hashable, about: Hashable, work: Callable[[], ResultT]
    ) -> Future[ResultT]:
        """Ask for work of the model, whose loading is then before it in the queue."""
        self.begin()
        return self._queue.submit(turn, about, work)

    @property
    def model(self) -> Future[Model]:
        """The method at work, once it is loaded; what went wrong, if it cannot be built."""
        return self._at_work.model

    def change(self, name: str) -> None:
        """Have another method answer, from the next answer on.

        Raises
        ------
        FewclicksError
            If it cannot be built; the present one goes on then.
        """
        chosen = self._choose(name)
        self._begin(chosen)
        try:
            chosen.model.result()
        except BaseException:
            chosen.pictures.close()
            raise
        before, self._at_work = self._at_work, chosen
        before.pictures.close()

    @property
    def name(self) -> str:
        """Of the method at work."""
        return self._at_work.name

    @property
    def answerer(self) -> Answerer:
        """The method at work, for the record."""
        self.begin()
        return self.model.result().answerer

    @property
    def pictures(self) -> PreparedPictures:
        """Those that the method at work has prepared."""
        return self._at_work.pictures

    def answer(self, stored: StoredPicture, annotator: int) -> Future[RunLengths | None]:
        """Ask for the mask of a picture's present object; None where there is none."""
        if not stored.desk.is_open:
            nothing: Future[RunLengths | None] = Future()
            nothing.set_result(None)
            return nothing
        return self._submit(annotator, ("mask", stored.id), lambda: self._answer(stored))

    def hover(
        self, stored: StoredPicture, annotator: int, click: ClickAction
    ) -> Future[RunLengths]:
        """Ask what a click would give, without taking it."""
        desk = replace(stored.desk, prompts=(*stored.desk.prompts, click))
        clicked = replace(stored, desk=desk)
        return self._submit(annotator, "hover", lambda: encode_rle(self._session(clicked).mask))

    def levels(self, stored: StoredPicture, annotator: int) -> Future[Levels]:
        """Ask for the segments that the newest click may stand for."""
        return self._submit(annotator, ("levels", stored.id), lambda: self._session(stored).levels)

    @property
    def takes_references(self) -> bool:
        """Whether the method can be guided by them."""
        return "references" in find_method(self.name).takes

    @property
    def has_levels(self) -> bool:
        """Whether a click may stand for a part, the object or a group."""
        return "levels" in find_method(self.name).takes

    def look_at(self, stored: StoredPicture, reference: LabelReference) -> None:
        """Have a reference looked at now, so that the first click does not wait for it."""

        def work() -> None:
            aimed = ClickAction(kind="click", x=0, y=0, is_positive=True, label=reference.label)
            for shown in self._references.guides([aimed], stored.references).by_label.values():
                guidance = Guidance(references=tuple(shown))
                at_work = self._at_work
                at_work.model.result().method.condition(at_work.pictures.get(stored.id), guidance)

        self._submit("server", ("reference", reference.id), work)

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
        return self._submit(
            turn, object(), lambda: self.model.result().uploads.segment(content, prompts)
        )

    def open(self, id_: int) -> None:
        """Have a picture prepared, and then those that come after it."""
        self.begin()
        place = self._order.index(id_) if id_ in self._paths else 0
        self.pictures.expect(self._order[place : place + 1 + _AHEAD])

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
        if not self.model.done():
            self.model.set_exception(StaleError())
        self.pictures.close()

    def _answer(self, stored: StoredPicture) -> RunLengths | None:
        sittings, prepared = self._seated(stored.id)
        started = time.perf_counter()
        mask = sittings.mask(stored.id, prepared, stored.desk, self._guides(stored))
        self._durations.append(time.perf_counter() - started)
        return encode_rle(mask)

    def _session(self, stored: StoredPicture) -> Session:
        sittings, prepared = self._seated(stored.id)
        return sittings.at(stored.id, prepared, stored.desk, self._guides(stored))

    def _seated(self, id_: int) -> tuple[Sittings, Prepared]:
        """Give a prepared picture; no session holds on to one that had to make room."""
        at_work = self._at_work
        sittings = at_work.model.result().sittings
        prepared = at_work.pictures.get(id_)
        sittings.keep_only(at_work.pictures.ids)
        return sittings, prepared

    def _guides(self, stored: StoredPicture) -> Guides:
        desk = stored.desk
        if not self.takes_references or desk.search is not None:
            return NO_GUIDES
        return self._references.guides(desk.prompts, stored.references)
