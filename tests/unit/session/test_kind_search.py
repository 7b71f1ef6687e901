"""One finished object stands for its kind: what is proposed, accepted, corrected and refused."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.guidance import Exemplar
from fewclicks.session.exemplars import split_into_proposals
from fewclicks.session.prompts import PackedMask
from fewclicks.session.session import Session
from guided_method import GuidedBlobs

FOUR = enlarge(
    mask(
        "...............",
        ".##..###.....#.",
        ".##..###.......",
        "...............",
        ".####..........",
        ".####..........",
    ),
    4,
)
FIRST, SECOND, THIRD = Click(x=8, y=8), Click(x=24, y=8), Click(x=12, y=20)


@pytest.fixture
def method() -> GuidedBlobs:
    return GuidedBlobs()


@pytest.fixture
def session(method: GuidedBlobs) -> Session:
    """With the first blob finished, and a negative click on the second."""
    session = Session(method, paint(FOUR))
    session.click(FIRST.x, FIRST.y)
    session.click(SECOND.x, SECOND.y, is_positive=False)
    session.finish_object("blob")
    return session


def _areas(session: Session) -> list[int]:
    return [proposal.area // 16 for proposal in session.others.proposals]


def test_others_of_the_kind_are_proposed_part_by_part_the_largest_first(session: Session):
    session.others.of(0)

    assert _areas(session) == [8, 6, 1]
    assert [proposal.number for proposal in session.others.proposals] == [0, 1, 2]
    largest = session.others.proposals[0]
    assert (largest.box.x0, largest.box.y0, largest.box.x1, largest.box.y1) == (4, 16, 20, 24)
    assert largest.mask.sum() == 8 * 16
    assert (session.mask == FOUR & ~session.objects[0].mask).all()


def test_crumbs_are_no_proposals():
    drawn = mask("####.#", "####..", "####..", "####..", "####..", "####..")
    exemplar = np.ones((7, 3), dtype=bool)

    assert [p.area for p in split_into_proposals(drawn, exemplar)] == [24]
    assert [p.area for p in split_into_proposals(drawn, exemplar[:1])] == [24, 1]
    assert split_into_proposals(np.zeros_like(drawn), exemplar) == []


def test_an_accepted_proposal_is_a_finished_object_called_as_the_exemplar(session: Session):
    session.others.of(0)
    accepted = session.others.accept(0)

    assert session.objects[-1] is accepted
    assert (accepted.label, int(accepted.mask.sum())) == ("blob", 8 * 16)
    assert _areas(session) == [6, 1]


def test_a_refused_proposal_does_not_come_back(session: Session):
    session.others.of(0)
    session.others.refuse(0)
    session.click(SECOND.x, SECOND.y)

    assert _areas(session) == [6, 1]
    with pytest.raises(InputError, match="on a proposal that was refused"):
        session.click(THIRD.x, THIRD.y)


def test_clicks_correct_what_is_proposed(session: Session):
    session.others.of(0)
    session.click(THIRD.x, THIRD.y, is_positive=False)

    assert _areas(session) == [6, 1]


def test_accepting_and_refusing_are_undone_and_done_again(session: Session):
    session.others.of(0)
    session.others.accept(0)
    session.others.refuse(0)
    assert _areas(session) == [1]

    session.undo()
    assert _areas(session) == [6, 1]
    session.undo()
    assert (_areas(session), len(session.objects)) == ([8, 6, 1], 1)
    session.undo()
    assert session.others.exemplar is None
    for _ in range(3):
        session.redo()
    assert (_areas(session), len(session.objects)) == ([1], 2)


def test_a_negative_click_counts_until_an_accepted_object_covers_it(
    session: Session, method: GuidedBlobs
):
    negative = Click(x=SECOND.x, y=SECOND.y, is_positive=False)

    def clicks_now() -> tuple[Click, ...]:
        exemplar = method.guided[-1].exemplar
        assert isinstance(exemplar, Exemplar)
        return exemplar.clicks

    session.others.of(0)
    assert clicks_now() == (FIRST, negative)
    session.others.accept(0)
    assert clicks_now() == (FIRST, negative)
    asked = len(method.asked)
    session.others.accept(0)
    assert clicks_now() == (FIRST,)
    assert len(method.asked) == asked + 1


def test_accepting_leaves_the_others_as_they_are(session: Session, method: GuidedBlobs):
    session.others.of(0)
    before = session.prediction
    asked = len(method.asked)
    session.others.accept(0)

    assert session.prediction is before
    assert len(method.asked) == asked


def test_a_click_costs_the_same_however_many_objects_are_accepted(
    session: Session, monkeypatch: pytest.MonkeyPatch
):
    session.others.of(0)
    session.others.accept(0)
    session.others.accept(0)
    unpacked: list[PackedMask] = []
    real = PackedMask.unpack
    monkeypatch.setattr(PackedMask, "unpack", lambda self: unpacked.append(self) or real(self))
    session.click(2, 2, is_positive=False)
    session.undo()

    assert unpacked == []


def test_a_search_that_ended_leaves_nothing_behind(session: Session, method: GuidedBlobs):
    session.others.of(0)
    session.others.refuse(0)
    session.others.end()

    assert (session.prediction, session.others.proposals) == (None, [])
    session.click(THIRD.x, THIRD.y)
    assert session.mask.sum() == 8 * 16
    assert method.guided[-1].exemplar is None


def test_finishing_takes_all_that_is_proposed_as_one(session: Session):
    session.others.of(0)
    finished = session.finish_object("rest")

    assert finished.mask.sum() == 15 * 16
    assert session.others.exemplar is None


def test_a_search_outlives_its_process(session: Session, method: GuidedBlobs):
    session.others.of(0)
    session.others.accept(0)
    session.others.refuse(1)
    session.click(SECOND.x, SECOND.y)
    session.undo()

    restored = Session.from_json(session.to_json(), method, session.image)

    assert restored.steps == session.steps
    assert _areas(restored) == _areas(session) == [6]
    assert (restored.mask == session.mask).all()
    assert restored.redo() is not None


def test_what_cannot_be_is_refused(session: Session):
    with pytest.raises(InputError, match=r"no finished object 3; known: 0 to 0"):
        session.others.of(3)
    for judge in (session.others.accept, session.others.refuse):
        with pytest.raises(InputError, match="Nothing is proposed; declare a finished object"):
            judge(0)
    session.others.of(0)
    with pytest.raises(InputError, match=r"no proposal 7; known: 0 to 2"):
        session.others.refuse(7)
    session.undo()
    session.click(THIRD.x, THIRD.y)
    with pytest.raises(InputError, match="An object is open"):
        session.others.of(0)


def test_ending_no_search_leaves_the_open_object_as_it_is(session: Session):
    session.click(THIRD.x, THIRD.y)
    before = session.mask
    with pytest.raises(InputError, match="Nothing is proposed"):
        session.others.end()
    assert (session.mask == before).all()
    assert session.clicks == (THIRD,)


def test_an_exemplar_that_leaves_no_room_is_refused_and_the_session_goes_on(method: GuidedBlobs):
    session = Session(method, paint(FOUR))
    session.correct(np.ones_like(FOUR))
    session.finish_object("everything")
    with pytest.raises(InputError, match="cover the whole picture"):
        session.others.of(0)
    session.undo()
    assert session.mask.all()


def test_another_object_may_become_the_exemplar_while_a_search_is_on(session: Session):
    session.others.of(0)
    session.others.accept(0)
    session.others.refuse(0)
    session.others.of(1)

    assert session.others.exemplar == session.objects[1]
    assert _areas(session) == [6, 1]  # what was refused as one kind may be of another
    session.undo()
    assert session.others.exemplar == session.objects[0]
    assert _areas(session) == [1]


def test_a_method_that_takes_no_exemplar_says_which_do():
    session = Session(BlobMethod(), paint(FOUR))
    session.click(FIRST.x, FIRST.y)
    session.finish_object("blob")
    with pytest.raises(InputError, match=r"takes no exemplar.*fewclicks"):
        session.others.of(0)
    assert session.others.exemplar is None
