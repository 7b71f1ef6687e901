"""Whatever a person does, in whatever order: held to a plain list of what was seen after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from drawing import mask, paint
from fake_method import BlobConfig, BlobMethod
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.registry import create_method
from fewclicks.session.prompts import FinishedObject
from fewclicks.session.session import Session

HEIGHT, WIDTH = 9, 14
BLOBS = mask(
    "..............",
    ".####...####..",
    ".####...####..",
    ".####...#..#..",
    "........#..#..",
    "..##....####..",
    "..##..........",
    "...........##.",
    "..............",
)
PICTURES = {
    "blobs": paint(BLOBS),
    "one grey": np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8),
    "noise": np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8),
    "stripes": paint(np.tile([[True, False]], (HEIGHT, WIDTH // 2)), noise=0),
}
XS, YS = st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1)


@cache
def built(name: str) -> AnyMethod:
    if name == "blobs":
        return BlobMethod(BlobConfig(memory=0.7))
    return create_method(name, backbone="colour" if name in ("fewclicks", "m2n2") else None)


@dataclass(frozen=True)
class Seen:
    """What a person saw: compared bit by bit."""

    mask: bytes
    probability: bytes
    clicks: tuple[Click, ...]
    objects: tuple[FinishedObject, ...]

    @classmethod
    def of(cls, session: Session) -> Seen:
        return cls(
            mask=session.mask.tobytes(),
            probability=session.probability.tobytes(),
            clicks=session.clicks,
            objects=session.objects,
        )


class Sitting(RuleBasedStateMachine):
    """Every step a person may rightly take; what was seen after each stands in a list."""

    name = "blobs"
    image: RgbImage
    session: Session

    @initialize(picture=st.sampled_from(sorted(PICTURES)), kept=st.integers(1, 4))
    def begin(self, picture: str, kept: int) -> None:
        self.image = PICTURES[picture]
        # Room for so few answers that undo must often reckon them again.
        self.session = Session(built(self.name), self.image, kept_bytes=kept * HEIGHT * WIDTH * 4)
        self.seen, self.now = [Seen.of(self.session)], 0
        self.box: Box | None = None

    def _took_a_step(self) -> None:
        self.seen = [*self.seen[: self.now + 1], Seen.of(self.session)]
        self.now += 1

    def _finished(self) -> BoolMask:
        return np.any([one.mask for one in self.session.objects] or [self.image[..., 0] < 0], 0)

    def _may_be_on_the_object(self, x: int, y: int) -> bool:
        steps = self.session.steps
        since = max(
            (n for n, step in enumerate(steps, 1) if type(step).__name__ == "Finish"), default=0
        )
        boxes = [step for step in steps[since:] if isinstance(step, Box)]
        inside = not boxes or (
            boxes[-1].x0 <= x < boxes[-1].x1 and boxes[-1].y0 <= y < boxes[-1].y1
        )
        return inside and not self._finished()[y, x]

    @rule(x=XS, y=YS)
    def click_what_the_answer_has_wrong(self, x: int, y: int) -> None:
        """Towards the other class than the pixel has, where it may be on the object."""
        wants_it = not self.session.mask[y, x] and self._may_be_on_the_object(x, y)
        self.session.click(x=x, y=y, is_positive=wants_it)
        self._took_a_step()
        assert self.session.clicks[-1] == Click(x=x, y=y, is_positive=wants_it)

    @rule(x=XS, y=YS)
    def click_what_it_has_right(self, x: int, y: int) -> None:
        self.session.click(x=x, y=y, is_positive=bool(self.session.mask[y, x]))
        self._took_a_step()

    @rule(ends=st.lists(st.tuples(XS, YS), min_size=1, max_size=3))
    def scribble_on_the_ground(self, ends: list[tuple[int, int]]) -> None:
        self.session.scribble(ends, is_positive=False)
        self._took_a_step()

    @rule(x=XS, y=YS)
    def box_without_positive_clicks(self, x: int, y: int) -> None:
        if any(click.is_positive for click in self.session.clicks) or self._finished()[y, x]:
            return
        self.session.box(x, y, WIDTH, HEIGHT)
        self._took_a_step()

    @rule(seed=st.integers(0, 9))
    def correct(self, seed: int) -> None:
        self.session.correct(np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.3)
        self._took_a_step()

    @precondition(lambda self: self.session.mask.any())
    @rule(label=st.sampled_from(["dog", "grüße", "a b"]))
    def finish(self, label: str) -> None:
        before = self.session.mask
        finished = self.session.finish_object(label)
        self._took_a_step()
        assert (finished.mask == before).all()

    @rule(steps=st.integers(-4, 4))
    def walk_through_the_history(self, steps: int) -> None:
        for _ in range(abs(steps)):
            there = self.now + (1 if steps > 0 else -1)
            move = self.session.redo if steps > 0 else self.session.undo
            if not 0 <= there < len(self.seen):
                with pytest.raises(InputError):
                    move()
                return
            move()
            self.now = there
            assert Seen.of(self.session) == self.seen[there]

    @rule()
    def save_and_take_up_again(self) -> None:
        text = self.session.to_json()
        self.session = Session.from_json(text, built(self.name), self.image)
        assert self.session.to_json() == text

    @invariant()
    def what_is_seen_is_what_was_seen_here_before(self) -> None:
        if not hasattr(self, "session"):
            return
        assert Seen.of(self.session) == self.seen[self.now]
        assert self.session.can_undo == (self.now > 0)
        assert self.session.can_redo == (self.now < len(self.seen) - 1)

    @invariant()
    def masks_have_the_pictures_size_and_keep_off_finished_objects(self) -> None:
        if not hasattr(self, "session"):
            return
        found, probability = self.session.mask, self.session.probability
        assert found.shape == probability.shape == (HEIGHT, WIDTH)
        assert found.dtype == np.bool_
        assert probability.dtype == np.float32
        assert ((probability >= 0) & (probability <= 1)).all()
        covered = np.sum([one.mask for one in self.session.objects], axis=0, dtype=int)
        assert not (found & (covered > 0)).any()
        assert not (probability[np.broadcast_to(covered > 0, found.shape)] > 0).any()
        assert (covered <= 1).all()


@pytest.mark.parametrize(
    ("name", "examples"), [("blobs", 40), ("graphcut", 8), ("fewclicks", 5), ("m2n2", 6)]
)
def test_any_right_step_is_taken_undone_redone_and_saved(name: str, examples: int):
    machine = type("Sitting", (Sitting,), {"name": name})
    run_state_machine_as_test(
        machine,
        settings=settings(
            deadline=None,
            max_examples=examples,
            stateful_step_count=16,
            suppress_health_check=list(HealthCheck),
        ),
    )
