from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import mask, paint
from fake_method import BlobConfig, BlobMethod
from fewclicks.clicks import Click
from fewclicks.errors import FewclicksError, InputError, ShapeError
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.session.session import Session

TWO_BLOBS = mask(
    "............",
    ".###....###.",
    ".###....###.",
    ".###....###.",
    "............",
    "............",
)
LEFT = np.where(np.arange(12) < 6, TWO_BLOBS, False)
RIGHT = TWO_BLOBS & ~LEFT


@pytest.fixture
def method() -> BlobMethod:
    return BlobMethod()


@pytest.fixture
def session(method: BlobMethod) -> Session:
    return Session(method, paint(TWO_BLOBS))


def test_nothing_is_masked_before_the_first_click(session: Session):
    assert session.prediction is None
    assert session.clicks == ()
    assert not session.mask.any()
    assert session.mask.shape == (6, 12)
    assert session.probability.dtype == np.float32
    assert not session.probability.any()


def test_a_click_marks_the_blob_it_hits(session: Session):
    answer = session.click(x=2, y=2)

    assert (session.mask == LEFT).all()
    assert session.prediction is answer
    assert session.clicks == (Click(x=2, y=2),)


def test_clicks_come_in_any_whole_number(session: Session):
    session.click(x=np.int64(2), y=2.0, is_positive=np.bool_(False))  # type: ignore[arg-type]

    assert session.clicks == (Click(x=2, y=2, is_positive=False),)


def test_the_same_click_twice_is_two_clicks_and_one_answer(session: Session):
    session.click(x=2, y=2)
    session.click(x=2, y=2)

    assert len(session.clicks) == 2
    assert (session.mask == LEFT).all()


def test_undo_restores_the_answer_before_the_click(session: Session):
    before = session.click(x=2, y=2)
    session.click(x=9, y=2)

    assert session.undo() is before
    assert session.prediction is before
    assert (session.mask == LEFT).all()


def test_redo_gives_back_the_very_answer_that_was_undone(session: Session):
    session.click(x=2, y=2)
    after = session.click(x=9, y=2)
    session.undo()

    assert session.redo() is after


def test_undo_of_the_first_click_leaves_nothing(session: Session):
    session.click(x=2, y=2)

    assert session.undo() is None
    assert not session.mask.any()
    assert not session.can_undo
    assert session.can_redo


def test_undo_and_redo_say_when_nothing_is_left(session: Session):
    with pytest.raises(InputError, match="no step to undo"):
        session.undo()
    with pytest.raises(InputError, match="no step to redo"):
        session.redo()


def test_a_click_after_undo_drops_what_was_undone(session: Session):
    session.click(x=2, y=2)
    session.undo()
    session.click(x=9, y=2)

    assert not session.can_redo
    assert (session.mask == RIGHT).all()


def test_undone_answers_out_of_the_budget_are_computed_again(method: BlobMethod):
    one_answer = 6 * 12 * 4
    session = Session(method, paint(TWO_BLOBS), kept_bytes=2 * one_answer)
    answers = [session.click(x=x, y=2) for x in (1, 2, 9, 10)]
    asked = list(method.asked)

    assert session.undo() is answers[2]
    again = session.undo()
    session.undo()
    first = session.prediction

    assert again is not answers[1]
    assert again is not None
    assert first is not None
    assert (again.probability == answers[1].probability).all()
    assert (first.probability == answers[0].probability).all()
    assert {clicks for clicks, _ in method.asked} == {clicks for clicks, _ in asked}


def test_kept_answers_never_weigh_more_than_the_budget(method: BlobMethod):
    one_answer = 6 * 12 * 4
    session = Session(method, paint(TWO_BLOBS), kept_bytes=3 * one_answer)
    for _ in range(10):
        session.click(x=2, y=2)

    assert session._timeline.answers.kept._bytes == 3 * one_answer
    assert len(session._timeline.answers.kept._answers) == 3


def test_a_click_outside_the_picture_is_refused_and_changes_nothing(session: Session):
    before = session.click(x=2, y=2)

    with pytest.raises(InputError, match="x=12, y=0 is outside the image"):
        session.click(x=12, y=0)

    assert session.prediction is before
    assert session.clicks == (Click(x=2, y=2),)


@pytest.mark.parametrize("fail", [RuntimeError("no memory"), KeyboardInterrupt()])
def test_a_method_that_fails_leaves_the_session_as_it_was(
    session: Session, method: BlobMethod, monkeypatch: pytest.MonkeyPatch, fail: BaseException
):
    before = session.click(x=2, y=2)
    session.click(x=9, y=2)
    session.undo()

    def predict(*_: object) -> Prediction:
        raise fail

    monkeypatch.setattr(method, "predict", predict)
    for step in (
        lambda: session.click(x=9, y=2),
        lambda: session.scribble([(1, 1), (3, 3)]),
        lambda: session.box(0, 0, 6, 6),
    ):
        with pytest.raises(type(fail)):
            step()

    assert session.prediction is before
    assert session.clicks == (Click(x=2, y=2),)
    assert session.can_redo


def test_each_click_is_asked_with_the_answer_before_it(session: Session, method: BlobMethod):
    first = session.click(x=2, y=2)
    session.click(x=9, y=2)

    assert method.asked[0] == ((Click(x=2, y=2),), None)
    assert method.asked[1][1] is first


def test_an_answer_in_the_history_cannot_be_painted_over(session: Session):
    answer = session.click(x=2, y=2)

    with pytest.raises(ValueError, match="read-only"):
        answer.probability[0, 0] = 1

    session.mask[:] = True
    session.probability[:] = 1
    assert (session.mask == LEFT).all()


# Objects


def test_a_finished_object_keeps_its_mask_label_and_prompts(session: Session):
    session.click(x=2, y=2)
    finished = session.finish_object("dog")

    assert session.objects == (finished,)
    assert finished.label == "dog"
    assert finished.prompts == (Click(x=2, y=2),)
    assert (finished.mask == LEFT).all()
    assert session.prediction is None
    assert session.clicks == ()


def test_the_next_object_keeps_off_finished_ones(session: Session):
    session.click(x=0, y=0)  # the ground, all round both blobs
    session.finish_object("ground")
    session.click(x=2, y=2)
    session.click(x=0, y=5, is_positive=False)

    assert (session.mask == LEFT).all()
    assert not (session.mask & session.objects[0].mask).any()


def test_a_method_that_ignores_exclusion_still_does_not_paint_finished_objects(
    session: Session, method: BlobMethod, monkeypatch: pytest.MonkeyPatch
):
    session.click(x=2, y=2)
    session.finish_object("dog")
    everything = Prediction(probability=np.ones((6, 12), dtype=np.float32))
    monkeypatch.setattr(method, "predict", lambda *_: everything)

    session.click(x=9, y=2)

    assert (session.mask == ~LEFT).all()
    assert (session.probability == ~LEFT).all()


def test_a_positive_click_on_a_finished_object_names_it(session: Session):
    session.click(x=2, y=2)
    session.finish_object("dog")

    with pytest.raises(InputError, match=r"x=3, y=3 is on the finished object 'dog'"):
        session.click(x=3, y=3)
    session.click(x=3, y=3, is_positive=False)


def test_an_empty_object_cannot_be_finished(session: Session):
    with pytest.raises(InputError, match="'dog' is still empty"):
        session.finish_object("dog")
    session.click(x=2, y=2, is_positive=False)
    with pytest.raises(InputError, match="'dog' is still empty"):
        session.finish_object("dog")


def test_an_object_needs_a_label(session: Session):
    session.click(x=2, y=2)

    with pytest.raises(InputError, match="label is empty"):
        session.finish_object("  ")


def test_undo_goes_step_by_step_across_a_finished_object(session: Session):
    first = session.click(x=2, y=2)
    session.finish_object("dog")
    session.click(x=9, y=2)
    session.finish_object("cat")

    session.undo()
    assert (session.mask == RIGHT).all()
    assert session.undo() is None
    assert [finished.label for finished in session.objects] == ["dog"]
    assert session.undo() is first
    assert session.objects == ()
    for _ in range(3):
        session.redo()
    assert [finished.label for finished in session.objects] == ["dog", "cat"]


def test_the_next_object_begins_without_the_last_answer(session: Session, method: BlobMethod):
    session.click(x=2, y=2)
    session.finish_object("dog")
    session.click(x=9, y=2)

    assert method.asked[-1] == ((Click(x=9, y=2),), None)


# Boxes


def test_nothing_outside_the_box_is_part_of_the_mask(session: Session):
    session.click(x=0, y=0)
    session.box(0, 0, 6, 6)

    assert not session.mask[:, 6:].any()
    assert (session.mask[:, :6] == ~LEFT[:, :6]).all()


def test_the_centre_of_a_box_stands_for_a_click_until_there_is_one(
    session: Session, method: BlobMethod
):
    session.box(0, 0, 5, 5)
    assert (session.mask == LEFT).all()
    assert session.clicks == ()

    session.click(x=4, y=4, is_positive=False)
    assert method.asked[-1][0] == (Click(x=2, y=2), Click(x=4, y=4, is_positive=False))

    session.click(x=1, y=1)
    assert method.asked[-1][0] == (Click(x=4, y=4, is_positive=False), Click(x=1, y=1))


def test_an_answer_to_the_centre_is_not_the_previous_one_of_a_persons_click(
    session: Session, method: BlobMethod
):
    start = session.correct(LEFT)
    session.box(0, 0, 5, 5)
    session.click(x=1, y=1)

    assert method.asked[-1][1] is start


def test_the_whole_picture_is_a_box(session: Session):
    session.box(0, 0, 12, 6)

    assert session.clicks == ()


def test_a_second_box_replaces_the_first(session: Session):
    session.box(0, 0, 5, 5)
    session.box(7, 0, 12, 5)

    assert (session.mask == RIGHT).all()


def test_a_box_that_does_not_fit_is_refused(session: Session):
    session.click(x=9, y=2)
    before = session.prediction

    with pytest.raises(InputError, match="empty"):
        session.box(5, 0, 2, 5)
    with pytest.raises(InputError, match=r"leaves the image \(width 12, height 6\)"):
        session.box(5, 0, 13, 5)
    with pytest.raises(InputError, match="leaves out the positive click at x=9, y=2"):
        session.box(0, 0, 5, 5)
    assert session.prediction is before


def test_a_positive_click_outside_the_box_is_refused(session: Session):
    session.box(0, 0, 5, 5)

    with pytest.raises(InputError, match="outside the Box 0,0,5,5"):
        session.click(x=9, y=2)
    session.click(x=9, y=2, is_positive=False)


def test_the_centre_of_a_box_moves_off_finished_objects(session: Session, method: BlobMethod):
    session.click(x=2, y=2)
    session.finish_object("dog")
    session.box(1, 1, 4, 6)

    assert method.asked[-1][0] == (Click(x=2, y=4),)


def test_a_box_on_finished_objects_alone_is_refused(session: Session):
    session.click(x=2, y=2)
    session.finish_object("dog")

    with pytest.raises(InputError, match="nothing but excluded"):
        session.box(1, 1, 4, 4)
    assert not session.can_redo
    assert session.prediction is None


def test_a_box_ends_with_its_object(session: Session):
    session.box(0, 0, 5, 5)
    session.finish_object("dog")
    session.click(x=9, y=2)

    assert (session.mask == RIGHT).all()


# Scribbles


def test_a_scribble_is_one_step(session: Session, method: BlobMethod):
    session.scribble([(1, 1), (3, 3)])

    assert len(method.asked) == 1
    assert (session.mask == LEFT).all()
    session.undo()
    assert session.clicks == ()


def test_a_negative_scribble_takes_away(session: Session):
    session.click(x=2, y=2)
    session.click(x=9, y=2)
    session.scribble([(9, 1), (9, 3)], is_positive=False)

    assert (session.mask == LEFT).all()
    assert not session.clicks[-1].is_positive


def test_a_scribble_that_leaves_the_picture_is_refused(session: Session):
    with pytest.raises(InputError, match="outside the image"):
        session.scribble([(1, 1), (1, -7), (3, 3)])
    assert not session.can_undo


def test_a_stroke_across_a_finished_object_counts_beside_it():
    on = mask("#" * 100, "." * 100)
    on[:, 40:60] = False
    session = Session(BlobMethod(), paint(on))
    session.click(x=10, y=0)
    session.finish_object("left half")
    session.scribble([(0, 0), (99, 0)])

    assert [click.x for click in session.clicks] == [49, 74, 99]


def test_a_stroke_on_a_finished_object_alone_is_refused(session: Session):
    session.click(x=2, y=2)
    session.finish_object("dog")

    with pytest.raises(InputError, match="on the finished object 'dog'"):
        session.scribble([(1, 1), (3, 3)])


# Masks to correct


def test_an_initial_mask_is_the_first_answer_and_cannot_be_undone(method: BlobMethod):
    session = Session(method, paint(TWO_BLOBS), initial_mask=LEFT)

    assert (session.mask == LEFT).all()
    assert not session.can_undo
    assert session.steps == ()


def test_an_initial_mask_is_what_the_first_click_goes_on_from():
    method = BlobMethod(BlobConfig(memory=0.8))
    session = Session(method, paint(TWO_BLOBS), initial_mask=LEFT)
    session.click(x=9, y=2)

    assert (session.mask == TWO_BLOBS).all()
    session.undo()
    assert (session.mask == LEFT).all()


def test_an_initial_mask_belongs_to_the_first_object(method: BlobMethod):
    session = Session(method, paint(TWO_BLOBS), initial_mask=LEFT)
    session.finish_object("dog")

    assert not session.mask.any()


def test_a_correction_takes_the_place_of_the_answer(session: Session):
    session.click(x=2, y=2)
    half = LEFT.copy()
    half[2:] = False
    answer = session.correct(half)

    assert (session.mask == half).all()
    assert session.clicks == (Click(x=2, y=2),)
    session.undo()
    assert (session.mask == LEFT).all()
    assert session.redo() is answer


def test_a_correction_keeps_off_finished_objects(session: Session):
    session.click(x=2, y=2)
    session.finish_object("dog")
    session.correct(TWO_BLOBS)

    assert (session.mask == RIGHT).all()


def test_a_mask_to_correct_must_fit(session: Session, method: BlobMethod):
    with pytest.raises(ShapeError, match=r"\(2, 2\); needs the shape of the image, \(6, 12\)"):
        session.correct(np.zeros((2, 2), dtype=bool))
    with pytest.raises(InputError, match="type uint8; needs bool"):
        session.correct(LEFT.astype(np.uint8))
    with pytest.raises(ShapeError):
        Session(method, paint(TWO_BLOBS), initial_mask=np.zeros((2, 2), dtype=bool))


# Pictures


def test_a_picture_is_prepared_once_for_several_sessions(method: BlobMethod):
    prepared = method.prepare(paint(TWO_BLOBS))
    one, other = Session(method, prepared), Session(method, prepared)
    one.click(x=2, y=2)
    other.click(x=9, y=2)

    assert method.prepared == 1
    assert (one.mask == LEFT).all()
    assert (other.mask == RIGHT).all()


def test_what_a_prepared_picture_excludes_stays_excluded(method: BlobMethod):
    prepared = method.condition(method.prepare(paint(TWO_BLOBS)), Guidance(excluded=LEFT))
    session = Session(method, prepared)
    session.box(0, 0, 12, 6)

    assert not (session.mask & LEFT).any()
    with pytest.raises(InputError, match="where the object cannot be"):
        Session(method, prepared).click(x=2, y=2)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("dog.jpg", "image is a str; needs an array"),
        ([[1]], "image is a list"),
        (np.zeros((4, 4), dtype=np.uint8), r"shape \(4, 4\)"),
        (np.zeros((4, 4, 3), dtype=np.float32), "type float32"),
        (np.zeros((0, 4, 3), dtype=np.uint8), r"shape \(0, 4, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(method: BlobMethod, image: object, message: str):
    with pytest.raises(InputError, match=message):
        Session(method, image)  # type: ignore[arg-type]


def test_a_picture_of_one_pixel_has_room_for_a_click(method: BlobMethod):
    session = Session(method, np.zeros((1, 1, 3), dtype=np.uint8))
    session.click(x=0, y=0)
    session.finish_object("dot")

    assert session.objects[0].mask.all()


# Threads


def test_two_sessions_in_two_threads_answer_as_one_after_the_other():
    method = BlobMethod(BlobConfig(memory=0.9))
    tour = [(2, 2), (9, 2), (0, 0), (9, 3), (1, 1)]
    alone = _tour(method, tour), _tour(method, tour[::-1])
    together: list[list[bytes]] = [[], []]

    def walk(which: int) -> None:
        together[which] = _tour(method, tour[:: 1 if which == 0 else -1])

    threads = [threading.Thread(target=walk, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tuple(together) == alone


def _tour(method: BlobMethod, places: list[tuple[int, int]]) -> list[bytes]:
    session = Session(method, paint(TWO_BLOBS))
    return [
        session.click(x=x, y=y, is_positive=(x + y) % 3 > 0).probability.tobytes()
        for x, y in places * 5
    ]


# Whatever a person does


def _moves() -> st.SearchStrategy[Callable[[Session], object]]:
    xs, ys = st.integers(-1, 12), st.integers(-1, 6)
    return st.one_of(
        st.builds(lambda x, y, on: lambda s: s.click(x, y, is_positive=on), xs, ys, st.booleans()),
        st.builds(lambda x, y, z: lambda s: s.scribble([(x, y), (z, y)]), xs, ys, xs),
        st.builds(lambda a, b, c, d: lambda s: s.box(a, b, c, d), xs, ys, xs, ys),
        st.just(lambda s: s.correct(RIGHT)),
        st.just(lambda s: s.finish_object("thing")),
        st.just(lambda s: s.undo()),
        st.just(lambda s: s.redo()),
    )


@settings(deadline=None, max_examples=80)
@given(st.lists(_moves(), max_size=14))
def test_any_row_of_steps_can_be_undone_redone_and_saved(moves):
    method, image = BlobMethod(BlobConfig(memory=0.7)), paint(TWO_BLOBS)
    session = Session(method, image, kept_bytes=2 * 6 * 12 * 4)
    for move in moves:
        try:
            move(session)
        except FewclicksError:
            continue
        for finished in session.objects:
            assert not (session.mask & finished.mask).any()
    end = session.mask, session.clicks, session.objects, session.probability

    restored = Session.from_json(session.to_json(), method, image)
    assert restored.to_json() == session.to_json()
    for one in (session, restored):
        undone = 0
        while one.can_undo:
            one.undo()
            undone += 1
        assert not one.mask.any()
        for _ in range(undone):
            one.redo()
        assert (one.mask == end[0]).all()
        assert one.clicks == end[1]
        assert one.objects == end[2]
        assert (one.probability == end[3]).all()
