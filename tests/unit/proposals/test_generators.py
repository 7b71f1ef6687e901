"""Generators: the rivals of merge trees, against dense solvers and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.linalg import eigh

from drawing import mask
from fewclicks.backbones.base import Features, Grid
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.proposals.freemask import matrix_nms
from fewclicks.proposals.generators import GENERATORS, create_generator
from fewclicks.proposals.merge_tree import build_merge_tree
from fewclicks.proposals.spectrum import cosines, slow_modes

THING = mask(
    "..............",
    "..............",
    "...#####......",
    "...######.....",
    "....#####.....",
    "....####......",
    "..............",
    "..............",
    "..............",
    "..............",
)


def features_of(labels: np.ndarray, *, channels: int = 8, noise: float = 0.03) -> Features:
    """A direction for each label, nearly at right angles, and a little noise."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(channels, channels)))[0]
    tokens = directions[labels.ravel()] + noise * rng.normal(size=(labels.size, channels))
    return Features(tokens=tokens.astype(np.float32), grid=Grid(*labels.shape), temperature=0.1)


@pytest.fixture
def thing() -> Features:
    return features_of(THING.astype(int))


@pytest.mark.parametrize("tokens", [30, 140])  # below and above what is solved whole
def test_slow_modes_are_those_of_the_dense_generalised_problem(tokens):
    rng = np.random.default_rng(1)
    # Three groups that hang together loosely, so that the first modes stand apart.
    groups = np.arange(tokens) % 3
    affinity = np.where(groups[:, None] == groups, 1.0, 0.03) * rng.uniform(
        0.8, 1.0, (tokens, tokens)
    )
    affinity = (affinity + affinity.T) / 2
    degrees = np.diag(affinity.sum(axis=1))
    _, vectors = eigh(degrees - affinity, degrees)
    found = slow_modes(affinity, 2)
    for mode, expected in zip(found.T, vectors[:, 1:3].T, strict=True):
        sign = np.sign(expected[np.abs(expected).argmax()])
        np.testing.assert_allclose(mode, sign * expected, atol=1e-6 * np.abs(expected).max())


def test_a_graph_of_one_token_has_no_modes():
    with pytest.raises(InputError, match="one token"):
        slow_modes(np.ones((1, 1)), 1)


def test_a_merge_tree_is_built_as_the_settings_say(thing):
    for settings in ({}, {"connectivity": False}, {"connectivity": "no", "exact": "yes"}):
        found = create_generator("tree", **settings).propose(thing)
        expected = build_merge_tree(
            thing.tokens, (10, 14), connectivity=not settings, exact="exact" in settings
        )
        np.testing.assert_array_equal(found.children, expected)
        assert found.masks == ()


def test_tokencut_finds_the_thing_that_stands_out(thing):
    (found,) = create_generator("tokencut").propose(thing).masks
    np.testing.assert_array_equal(found, THING)


def test_tokencut_splits_the_published_graph_at_the_mean_of_its_second_vector():
    labels = np.random.default_rng(5).integers(0, 3, (6, 9))
    given = features_of(ndimage.median_filter(labels, 3), noise=0.3)
    unit = given.tokens / np.linalg.norm(given.tokens, axis=1, keepdims=True)
    affinity = np.where(unit @ unit.T > 0.2, 1.0, 1e-5)
    degrees = np.diag(affinity.sum(axis=1))
    second = eigh(degrees - affinity, degrees)[1][:, 1]
    seed = int(np.abs(second).argmax())
    second = second * np.sign(second[seed])
    parts, _ = ndimage.label((second > second.mean()).reshape(6, 9))
    (found,) = create_generator("tokencut").propose(given).masks
    np.testing.assert_array_equal(found, parts == parts.ravel()[seed])


def test_deep_spectral_segments_are_the_parts_but_for_the_background():
    labels = THING.astype(int)
    labels[7:9, 1:6] = 2
    labels[1:4, 10:13] = 3
    found = create_generator("dsm", modes=3).propose(features_of(labels)).masks
    expected = {(labels == label).tobytes() for label in (1, 2, 3)}
    assert {one.tobytes() for one in found} == expected


def test_freemask_finds_the_thing_and_the_ground_before_all_else(thing):
    found = create_generator("freemask").propose(thing).masks
    assert {one.tobytes() for one in found[:2]} == {THING.tobytes(), (~THING).tobytes()}


def test_matrix_nms_is_the_papers_formula_mask_by_mask():
    rng = np.random.default_rng(0)
    masks = rng.random((9, 40)) < rng.uniform(0.2, 0.8, (9, 1))
    masks[5] = masks[2]
    iou = np.array([[(a & b).sum() / (a | b).sum() for b in masks] for a in masks])
    expected = []
    for j in range(9):
        decays = []
        for i in range(j):
            hidden = max((iou[k, i] for k in range(i)), default=0.0)
            decays.append(np.exp(-2.0 * (iou[i, j] ** 2 - hidden**2)))
        expected.append(min([*decays, 1.0]))
    np.testing.assert_allclose(matrix_nms(masks, 2.0), expected, rtol=1e-5)


def test_freemask_gives_no_more_masks_than_asked_for(thing):
    assert len(create_generator("freemask", most_masks=1).propose(thing).masks) == 1


@pytest.mark.parametrize("kind", GENERATORS)
def test_one_token_is_no_hindrance(kind):
    given = Features(tokens=np.ones((1, 3), np.float32), grid=Grid(1, 1), temperature=1.0)
    found = create_generator(kind).propose(given)
    assert all(one.shape == (1, 1) for one in found.masks)


@pytest.mark.parametrize("kind", GENERATORS)
def test_the_same_features_give_the_same_proposals(kind, thing):
    one, other = (create_generator(kind).propose(thing) for _ in range(2))
    assert [mask.tobytes() for mask in one.masks] == [mask.tobytes() for mask in other.masks]
    np.testing.assert_array_equal(one.children, other.children)


def test_cosines_do_not_see_lengths():
    tokens = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(cosines(tokens), cosines(tokens * 7.0), atol=1e-6)
    assert np.isfinite(cosines(np.zeros((3, 2), np.float32))).all()


def test_an_unknown_kind_is_answered_with_a_near_miss():
    with pytest.raises(UnknownEntryError, match="Did you mean 'tokencut'"):
        create_generator("token-cut")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("tokencut", {"threshold": 1.5}, "threshold is 1.5"),
        ("tokencut", {"floor": 0.0}, "floor is 0"),
        ("dsm", {"segments": 1}, "segments is 1"),
        ("dsm", {"modes": 0}, "modes is 0"),
        ("freemask", {"least_score": 1.0}, "least_score is 1.0"),
        ("freemask", {"most_masks": 0}, "most_masks is 0"),
        ("freemask", {"sharpness": 0.0}, "sharpness is 0"),
        ("tree", {"connectivty": True}, "Did you mean 'connectivity'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(kind, settings, message):
    with pytest.raises(InputError, match=message):
        create_generator(kind, **settings)
