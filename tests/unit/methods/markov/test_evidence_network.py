from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from fewclicks.methods.markov.distances import distances_from
from fewclicks.methods.markov.evidence import RegionClick, gather_context, gather_evidence
from fewclicks.methods.markov.evidence_network import (
    EvidenceNetwork,
    Perceptron,
    network_for,
)
from fewclicks.methods.markov.regions import Regions


def _perceptron(*sizes: int, seed: int = 0) -> Perceptron:
    random = np.random.default_rng(seed)

    def numbers(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    layers = list(zip(sizes, [*sizes[1:], 1], strict=True))
    return Perceptron(
        mean=numbers(sizes[0]),
        deviation=random.uniform(0.5, 2.0, sizes[0]).astype(np.float32),
        weights=tuple(numbers(*layer) / np.float32(layer[0] ** 0.5) for layer in layers),
        biases=tuple(numbers(layer[1]) for layer in layers),
    )


def _slow(perceptron: Perceptron, row: NDArray[np.float32]) -> float:
    """One region, one number after the other."""
    values = [
        min(max((float(value) - float(mean)) / float(deviation), -6.0), 6.0)
        for value, mean, deviation in zip(row, perceptron.mean, perceptron.deviation, strict=True)
    ]
    for k, (weight, bias) in enumerate(zip(perceptron.weights, perceptron.biases, strict=True)):
        if k:
            values = [max(value, 0.0) for value in values]
        values = [
            float(bias[unit])
            + sum(value * float(weight[i, unit]) for i, value in enumerate(values))
            for unit in range(weight.shape[1])
        ]
    return values[0]


@pytest.mark.parametrize("sizes", [(4,), (4, 3), (7, 6, 5), (5, 4, 3, 2)])
def test_a_perceptron_is_what_paper_and_pencil_give(sizes: tuple[int, ...]):
    perceptron = _perceptron(*sizes)
    inputs = np.random.default_rng(1).normal(0, 2, (20, sizes[0])).astype(np.float32)
    expected = [_slow(perceptron, row) for row in inputs]
    found = perceptron.log_odds(inputs)
    assert found.shape == (20,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_what_lies_far_out_says_no_more_than_six_deviations():
    perceptron = _perceptron(4, 3)
    outside = perceptron.mean + np.array([[9.0], [-1e6]]) * perceptron.deviation
    bound = perceptron.mean + np.array([[6.0], [-6.0]]) * perceptron.deviation
    np.testing.assert_allclose(
        perceptron.log_odds(outside.astype(np.float32)),
        perceptron.log_odds(bound.astype(np.float32)),
        rtol=1e-4,
    )


def test_the_inputs_stay_as_they_are():
    inputs = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    before = inputs.copy()
    _perceptron(4, 3).log_odds(inputs)
    np.testing.assert_array_equal(inputs, before)


@pytest.mark.parametrize("sizes", [(4,), (4, 3, 2)])
def test_a_perceptron_survives_a_file_beside_another_one(sizes: tuple[int, ...], tmp_path: Path):
    written, beside = _perceptron(*sizes), _perceptron(6, 5, 4, 3, seed=1)
    save_file(written.tensors("alone") | beside.tensors("together"), tmp_path / "both.safetensors")
    named = load_file(tmp_path / "both.safetensors")
    for prefix, kept in (("alone", written), ("together", beside)):
        read = Perceptron.from_tensors(named, prefix)
        assert len(read.weights) == len(read.biases) == len(kept.weights)
        for name, numbers in kept.tensors(prefix).items():
            np.testing.assert_array_equal(read.tensors(prefix)[name], numbers)


def test_the_second_perceptron_hears_the_first_ones_opinion_of_all(regions: Regions):
    network = EvidenceNetwork(alone=_perceptron(106, 8), together=_perceptron(130, 8, seed=1))
    clicks = [
        RegionClick(region=region, is_positive=positive, distances=distances_from(regions, region))
        for region, positive in ((20, True), (50, False))
    ]
    for previous in (None, np.linspace(0, 1, regions.count)):
        evidence = gather_evidence(regions, clicks, previous)
        first = np.array([_slow(network.alone, row) for row in evidence], dtype=np.float32)
        context = gather_context(regions, evidence, first, previous)
        expected = [_slow(network.together, row) for row in context]
        found = network.log_odds(regions, clicks, previous)
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("backbone", ["colour", "builtin", "some/vit"])
def test_a_shipped_network_fits_the_evidence_and_is_read_once(backbone: str):
    network = network_for(backbone)
    assert network_for(backbone) is network
    for perceptron, columns in ((network.alone, 106), (network.together, 130)):
        assert perceptron.mean.shape == perceptron.deviation.shape == (columns,)
        assert (perceptron.deviation > 0).all()
        sizes = [columns, *(len(bias) for bias in perceptron.biases)]
        assert sizes[-1] == 1
        shapes = [weight.shape for weight in perceptron.weights]
        assert shapes == list(itertools.pairwise(sizes))
        assert all(np.isfinite(numbers).all() for numbers in perceptron.tensors("").values())


@pytest.mark.parametrize(
    ("backbone", "most"), [("colour", 20_000), ("builtin", 80_000), ("some/vit", 80_000)]
)
def test_the_shipped_networks_are_as_small_as_they_say(backbone: str, most: int):
    network = network_for(backbone)
    tensors = [*network.alone.tensors("").values(), *network.together.tensors("").values()]
    assert 10_000 < sum(numbers.size for numbers in tensors) < most


def test_the_network_for_colour_leaves_the_walk_over_tokens_alone():
    assert not network_for("colour").weighs_token_walk
    assert network_for("some/vit").weighs_token_walk


def test_what_a_network_does_not_weigh_does_not_move_it(regions: Regions):
    away = np.linspace(0.0, 7.0, regions.count)

    def found(log_steps: NDArray[np.float64] | None) -> NDArray[np.float32]:
        clicks = [
            RegionClick(
                region=region,
                is_positive=region == 20,
                distances=distances_from(regions, region, log_steps=log_steps),
            )
            for region in (20, 50)
        ]
        return network_for("colour").log_odds(regions, clicks, None)

    np.testing.assert_allclose(found(away), found(None), atol=1e-4)


@pytest.mark.parametrize("backbone", ["colour", "builtin", "some/vit"])
def test_a_shipped_network_takes_a_click_at_its_word(regions: Regions, backbone: str):
    """A region that was clicked is on the side of its click, more than the average region."""
    labels = regions.superpixels.labels
    on, off = int(labels[20, 16]), int(labels[40, 30])
    clicks = [
        RegionClick(
            region=region,
            is_positive=positive,
            distances=distances_from(
                regions, region, log_steps=np.log1p(30 * regions.feature_distance[region])
            ),
        )
        for region, positive in ((on, True), (off, False))
    ]
    found = network_for(backbone).log_odds(regions, clicks, None)
    assert found[on] > 0 > found[off]
