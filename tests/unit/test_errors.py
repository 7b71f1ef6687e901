from __future__ import annotations

import inspect
import pickle

import pytest

from fewclicks import errors
from fewclicks.errors import (
    FewclicksError,
    ImageError,
    InputError,
    MissingExtraError,
    ShapeError,
    StorageError,
    UnknownEntryError,
    WeightsError,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (InputError, ValueError),
        (ShapeError, ValueError),
        (ImageError, ValueError),
        (UnknownEntryError, ValueError),
        (MissingExtraError, ImportError),
        (StorageError, OSError),
        (WeightsError, OSError),
    ],
)
def test_each_error_is_ours_and_a_builtin_one(error: type[Exception], builtin: type[Exception]):
    assert issubclass(error, FewclicksError)
    assert issubclass(error, builtin)


def test_the_drawn_tree_names_every_error():
    drawn = errors.__doc__ or ""
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, Exception):
            assert name in drawn


def test_an_unknown_name_is_answered_with_a_near_one():
    message = str(UnknownEntryError("method", "simple_click", ["graphcut", "simpleclick"]))

    assert message == (
        "No method is called 'simple_click'. Did you mean 'simpleclick'? "
        "Known: graphcut, simpleclick."
    )


def test_a_name_like_no_other_gets_no_guess():
    message = str(UnknownEntryError("method", "zzz", ["graphcut", "m2n2"]))

    assert message == "No method is called 'zzz'. Known: graphcut, m2n2."


def test_a_missing_part_is_answered_with_the_command_to_type():
    assert str(MissingExtraError("Training", "train")).endswith("pip install 'fewclicks[train]'")


def test_a_shape_error_gives_both_shapes():
    error = ShapeError.differs("pred_mask", (2, 3), needed=(4, 4), of="gt_mask")

    assert str(error) == "pred_mask has shape (2, 3); needs the shape of gt_mask, (4, 4)."


@pytest.mark.parametrize("error", [InputError("a"), StorageError("b"), ImageError("c")])
def test_errors_travel_between_processes(error: FewclicksError):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_errors_with_their_own_arguments_travel_between_processes():
    for error in (UnknownEntryError("method", "a", ["b"]), MissingExtraError("X", "train")):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
