"""Depth in a session: when it comes, whom it reaches, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from drawing import BLOB, paint
from fake_method import BlobMethod
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.base import Prediction, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.session.session import Session

PICTURE = paint(BLOB)
NEAR = np.where(np.arange(80) < 30, np.float32(0.9), np.float32(0.1)) * np.ones((60, 1), np.float32)


class NearBlobs(BlobMethod):
    """Blobs end where depth jumps; the picture is conditioned once for each guidance."""

    def __init__(self) -> None:
        super().__init__()
        self.guided: list[Guidance] = []
        self.fails = False

    def condition(self, prepared: Prepared, guidance: Guidance) -> Prepared:
        guidance.check(prepared.shape, takes=["depth"])
        self.guided.append(guidance)
        return replace(prepared, excluded=guidance.excluded, depth=guidance.depth)

    def predict(
        self, prepared: Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        if self.fails:
            raise InputError("not today")
        answer = super().predict(prepared, clicks, previous)
        if prepared.depth is None:
            return answer
        newest = clicks[-1]
        like = np.abs(prepared.depth - prepared.depth[newest.y, newest.x]) < 0.1
        return Prediction(probability=answer.probability * like)


def test_depth_given_at_the_start_reaches_the_first_answer():
    session = Session(NearBlobs(), PICTURE, depth=NEAR)
    session.click(20, 24)
    np.testing.assert_array_equal(session.mask, BLOB & (NEAR > 0.5))


def test_depth_that_comes_later_answers_the_clicks_anew_without_preparing_again():
    method = NearBlobs()
    session = Session(method, PICTURE)
    session.click(20, 24)
    assert (session.mask == BLOB).all()
    answer = session.set_depth(NEAR)
    assert answer is session.prediction
    np.testing.assert_array_equal(session.mask, BLOB & (NEAR > 0.5))
    session.set_depth(None)
    assert (session.mask == BLOB).all()
    assert method.prepared == 1


def test_undo_leaves_depth_and_gives_answers_that_knew_it():
    session = Session(NearBlobs(), PICTURE)
    session.click(20, 24)
    session.click(70, 50, is_positive=False)
    session.set_depth(NEAR)
    session.undo()
    np.testing.assert_array_equal(session.mask, BLOB & (NEAR > 0.5))
    assert session.can_redo


def test_depth_stays_when_objects_are_finished_and_the_same_array_is_handed_on():
    method = NearBlobs()
    session = Session(method, PICTURE, depth=NEAR)
    session.click(20, 24)
    session.finish_object("left")
    session.click(40, 24)
    assert (session.mask == (BLOB & (NEAR < 0.5))).all()
    assert len(method.guided) == 2
    assert method.guided[0].depth is method.guided[1].depth


def test_sessions_on_a_picture_that_knows_its_depth_keep_it():
    method = NearBlobs()
    prepared = method.condition(method.prepare(PICTURE), Guidance(depth=NEAR))
    session = Session(method, prepared)
    session.box(0, 0, 60, 60)
    np.testing.assert_array_equal(session.mask, BLOB & (NEAR > 0.5))


def test_a_change_of_the_given_array_changes_nothing():
    given = NEAR.copy()
    session = Session(NearBlobs(), PICTURE, depth=given)
    given[:] = 0
    session.click(20, 24)
    assert (session.mask == (BLOB & (NEAR > 0.5))).all()


def test_depth_that_cannot_be_used_leaves_the_session_as_it_was():
    method = NearBlobs()
    session = Session(method, PICTURE)
    session.click(20, 24)
    before = session.prediction
    method.fails = True
    with pytest.raises(InputError, match="not today"):
        session.set_depth(NEAR)
    method.fails = False
    assert session.prediction is before
    session.click(21, 24)
    assert (session.mask == BLOB).all()


def test_a_method_that_takes_no_depth_says_so():
    with pytest.raises(InputError, match="takes no depth; leave it out"):
        Session(BlobMethod(), PICTURE, depth=NEAR)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (
            NEAR[:5],
            ShapeError,
            r"depth has shape \(5, 80\); needs the shape of the image, \(60, 80\)",
        ),
        (NEAR * 40, InputError, r"runs from 4 to 36; needs inverse depth in \[0, 1\]"),
        (np.full((60, 80), np.nan), InputError, "runs from nan"),
        (np.zeros((60, 80), dtype=np.uint8), InputError, "of type uint8; needs an array of real"),
        ("depth.png", InputError, "of type str; needs an array of real numbers; fewclicks.read_"),
    ],
)
def test_what_is_no_depth_is_refused(wrong: object, error: type[Exception], said: str):
    session = Session(NearBlobs(), PICTURE)
    with pytest.raises(error, match=said):
        session.set_depth(wrong)  # type: ignore[arg-type]
