"""References of labels: when they guide, what they cost, and what happens without one."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.errors import InputError
from fewclicks.methods.guidance import Guidance, Reference
from fewclicks.session.session import Session
from guided_method import GuidedBlobs

HEAD = enlarge(mask("......", "..##..", "......", "......", "......"), 4)
BODY = enlarge(mask("......", "......", ".####.", ".####.", "......"), 4)
PICTURE = np.where(
    HEAD[..., None],
    paint(HEAD, inside=(205, 105, 85), noise=0),
    paint(BODY, inside=(160, 60, 40), noise=0),
)
OF_HEAD = Reference(image=PICTURE, positive=HEAD)
OF_BODY = Reference(image=PICTURE, positive=BODY)


@pytest.fixture
def session() -> Session:
    return Session(GuidedBlobs(), PICTURE)


def test_the_reference_of_a_label_guides_while_it_is_aimed_at(session: Session):
    session.attach_reference("head", [OF_HEAD])
    session.click(x=10, y=6)
    assert (session.mask == (HEAD | BODY)).all()
    session.undo()

    session.aim_at("head")
    session.click(x=10, y=6)
    assert (session.mask == HEAD).all()
    assert session.label == "head"


def test_a_label_stays_for_the_next_object_until_another_is_aimed_at(session: Session):
    session.attach_reference("head", [OF_HEAD])
    session.aim_at("head")
    session.click(x=10, y=6)
    session.finish_object("head")
    assert session.label == "head"

    session.aim_at(None)
    session.click(x=10, y=10)
    assert (session.mask == BODY).all()


def test_aiming_is_a_step_and_leaves_the_clicks_so_far(session: Session):
    session.attach_reference("head", [OF_HEAD])
    before = session.click(x=10, y=6)
    assert session.aim_at("head") is before
    session.click(x=11, y=6)
    assert (session.mask == HEAD).all()

    session.undo()
    session.undo()
    assert (session.label, session.prediction) == (None, before)


def test_a_reference_that_comes_later_answers_the_clicks_anew(session: Session):
    session.aim_at("body")
    session.click(x=10, y=6)
    session.attach_reference("body", [OF_BODY])
    assert (session.mask == BODY).all()
    session.attach_reference("body", [])
    assert (session.mask == (HEAD | BODY)).all()


def test_a_label_without_reference_is_clicked_plainly_with_a_notice(session: Session):
    assert session.notice is None
    session.attach_reference("head", [OF_HEAD])
    session.aim_at("tail")
    session.click(x=10, y=6)

    assert session.notice == (
        "No reference is attached to 'tail'; clicks are answered without one."
    )
    assert (session.mask == (HEAD | BODY)).all()
    session.aim_at("head")
    assert session.notice is None


def test_a_sitting_that_comes_back_without_its_references_says_so(session: Session):
    session.attach_reference("head", [OF_HEAD])
    session.aim_at("head")
    session.click(x=10, y=6)
    restored = Session.from_json(session.to_json(), GuidedBlobs(), PICTURE)

    assert restored.notice == "No reference is attached to 'head'; clicks are answered without one."
    restored.attach_reference("head", [OF_HEAD])
    assert restored.notice is None


def test_labels_are_the_same_with_and_without_blanks_around_and_never_empty(session: Session):
    session.attach_reference(" head", [OF_HEAD])
    session.aim_at("head ")
    assert (session.label, session.notice) == ("head", None)
    for act in (session.aim_at, lambda label: session.attach_reference(label, [OF_HEAD])):
        with pytest.raises(InputError, match="label is empty"):
            act(" ")


def test_one_reference_alone_is_answered_with_what_is_needed(session: Session):
    with pytest.raises(InputError, match=r"needs a list of them, \[reference\]"):
        session.attach_reference("head", OF_HEAD)


def test_references_given_at_the_start_are_attached():
    session = Session(GuidedBlobs(), PICTURE, references={"head": [OF_HEAD]})
    session.aim_at("head")
    session.click(x=10, y=6)
    assert (session.mask == HEAD).all()


def test_what_the_picture_was_conditioned_on_already_stays_so():
    method = GuidedBlobs()

    prepared = method.condition(method.prepare(PICTURE), Guidance(references=(OF_HEAD,)))
    session = Session(method, prepared)
    session.box(0, 0, 24, 20)
    session.click(x=10, y=6)
    assert (session.mask == HEAD).all()


def test_the_label_is_saved_and_the_reference_is_attached_again():
    method = GuidedBlobs()
    session = Session(method, PICTURE, references={"head": [OF_HEAD]})
    session.aim_at("head")
    session.click(x=10, y=6)

    restored = Session.from_json(session.to_json(), method, PICTURE)
    assert restored.label == "head"
    restored.attach_reference("head", [OF_HEAD])
    assert (restored.mask == session.mask).all()


def test_a_method_that_takes_none_refuses_a_reference_and_the_session_goes_on():
    session = Session(BlobMethod(), PICTURE)
    with pytest.raises(InputError, match=r"takes no reference;.*refcut or fewclicks"):
        session.attach_reference("head", [OF_HEAD])
    session.click(x=10, y=6)
    assert session.mask.any()
