from __future__ import annotations

import pytest
from pydantic import ValidationError

from fewclicks.errors import InputError
from fewclicks.web.actions import (
    AddAction,
    ClickAction,
    DeskAction,
    Mask,
    check_inside,
    read_action,
    write_action,
)
from fewclicks.web.desk import Desk, lay

MASK = {"size": [4, 5], "counts": "054000"}


def _read(**content: object) -> DeskAction:
    import json

    return read_action(json.dumps(content))


CLICK = _read(kind="click", x=1, y=2, is_positive=True)
AWAY = _read(kind="click", x=3, y=3, is_positive=False)


def finish(label: str) -> DeskAction:
    return _read(kind="finish", label=label, mask=MASK)


def numbered(*actions: DeskAction) -> Desk:
    return lay(enumerate(actions, 1))


def test_prompts_gather_until_the_object_is_finished():
    assert numbered(CLICK, AWAY).prompts == (CLICK, AWAY)
    done = numbered(CLICK, AWAY, finish("cat"))
    assert done.prompts == ()
    assert [(one.id, one.label, one.prompts) for one in done.objects] == [(3, "cat", (CLICK, AWAY))]


def test_a_reopened_object_keeps_its_number_and_its_place():
    desk = numbered(CLICK, finish("cat"), AWAY, finish("dog"), _read(kind="reopen", object=2), AWAY)
    assert [one.label for one in desk.objects] == ["dog"]
    assert desk.prompts == (CLICK, AWAY)
    again = desk.after(finish("lion"), 7)
    assert [(one.id, one.label) for one in again.objects] == [(2, "lion"), (4, "dog")]


def test_discarding_a_reopened_object_brings_it_back_as_it_was():
    before = numbered(CLICK, finish("cat"), AWAY, finish("dog"))
    desk = before.after(_read(kind="reopen", object=2), 5).after(AWAY, 6)
    assert desk.after(_read(kind="discard"), 7) == before


def test_a_reopened_object_is_untouched_until_something_is_done_to_it():
    desk = numbered(CLICK, finish("cat"), _read(kind="reopen", object=2))
    assert desk.is_untouched
    assert not desk.after(AWAY, 4).is_untouched


def test_finished_objects_are_renamed_deleted_and_put_in_order():
    desk = numbered(CLICK, finish("cat"), AWAY, finish("dog"))
    assert [
        o.label for o in desk.after(_read(kind="relabel", object=4, label="fox"), 5).objects
    ] == [
        "cat",
        "fox",
    ]
    assert [o.id for o in desk.after(_read(kind="delete", object=2), 5).objects] == [4]
    assert [o.id for o in desk.after(_read(kind="order", objects=[4, 2]), 5).objects] == [4, 2]


def test_a_mask_from_elsewhere_is_what_later_prompts_go_on_from():
    desk = numbered(_read(kind="add", label="cat", rle=MASK), _read(kind="reopen", object=1))
    assert desk.origin == {"size": [4, 5], "counts": "054000"}


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        (_read(kind="finish", label="cat"), "no object to finish"),
        (_read(kind="discard"), "no object to discard"),
        (_read(kind="reopen", object=9), "no finished object 9"),
        (_read(kind="delete", object=9), "no finished object 9"),
        (_read(kind="relabel", object=9, label="a"), "no finished object 9"),
        (_read(kind="order", objects=[1]), "needs each of"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(action: DeskAction, complaint: str):
    with pytest.raises(InputError, match=complaint):
        Desk().after(action, 1)


def test_only_one_object_is_open_at_a_time():
    desk = numbered(CLICK, finish("cat"), AWAY)
    with pytest.raises(InputError, match="Another object is open"):
        desk.after(_read(kind="reopen", object=2), 4)


@pytest.mark.parametrize(
    "action",
    [CLICK, AWAY, finish("<b>cat</b> é"), _read(kind="add", label="x", rle=MASK)],
)
def test_an_action_is_read_as_it_was_written(action: DeskAction):
    assert read_action(write_action(action)) == action


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "click", "x": 1.5, "y": 2, "is_positive": True},
        {"kind": "click", "x": 1, "y": 2, "is_positive": "yes"},
        {"kind": "click", "x": 1, "y": 2},
        {"kind": "scribble", "points": [], "is_positive": True},
        {"kind": "scribble", "points": [[float("nan"), 1.0]], "is_positive": True},
        {"kind": "brush", "points": [[1, 1]], "radius": 0, "is_positive": True},
        {"kind": "finish", "label": ""},
        {"kind": "finish", "label": "two\nlines"},
        {"kind": "order", "objects": ["1"]},
        {"kind": "jump"},
        {"kind": "discard", "extra": 1},
    ],
)
def test_what_is_no_action_is_not_read(content: dict[str, object]):
    with pytest.raises(ValidationError):
        _read(**content)


def test_places_outside_the_picture_and_masks_of_another_size_are_refused():
    for x, y in ((-1, 0), (5, 0), (0, 4)):
        with pytest.raises(InputError, match="is outside the picture"):
            check_inside(ClickAction(kind="click", x=x, y=y, is_positive=True), height=4, width=5)
    added = AddAction.model_validate({"kind": "add", "label": "a", "rle": MASK})
    check_inside(added, height=4, width=5)
    with pytest.raises(InputError, match="needs the size of its picture"):
        check_inside(added, height=5, width=4)
    assert Mask.of(added.mask.rle) == added.mask
