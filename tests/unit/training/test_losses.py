"""Losses, against slow plain versions that look at one pixel after another."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fewclicks.errors import InputError

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.training.losses import (  # noqa: E402
    Neighbourhood,
    cross_entropy,
    normalised_focal_loss,
    smoothness,
)


@pytest.fixture
def answers():
    chance = np.random.default_rng(5)
    logits = chance.normal(size=(2, 1, 6, 7)) * 3
    target = chance.random((2, 1, 6, 7)) < 0.4
    judged = chance.random((2, 1, 6, 7)) < 0.8
    return logits, target, judged


def as_tensors(*arrays):
    return tuple(torch.tensor(np.asarray(array, dtype=np.float64)) for array in arrays)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_cross_entropy_is_that_of_each_judged_pixel(answers):
    logits, target, judged = answers
    means = []
    for logit, on, known in zip(logits, target, judged, strict=True):
        right = [
            sigmoid(x) if y else 1 - sigmoid(x)
            for x, y, k in zip(logit.flat, on.flat, known.flat, strict=True)
            if k
        ]
        means.append(-sum(math.log(each) for each in right) / len(right))
    assert float(cross_entropy(*as_tensors(*answers))) == pytest.approx(np.mean(means))


def plain_focal_loss(logits, target, judged, alpha, gamma):
    means = []
    for logit, on, known in zip(logits, target, judged, strict=True):
        pixels = [
            (sigmoid(x), y) for x, y, k in zip(logit.flat, on.flat, known.flat, strict=True) if k
        ]
        right = [p if y else 1 - p for p, y in pixels]
        scale = len(pixels) / sum((1 - each) ** gamma for each in right)
        losses = [
            -(alpha if y else 1 - alpha) * (1 - each) ** gamma * scale * math.log(each)
            for each, (_, y) in zip(right, pixels, strict=True)
        ]
        means.append(sum(losses) / len(losses))
    return np.mean(means)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.5, 2.0), (0.25, 1.0)])
def test_the_focal_loss_is_normalised_over_each_picture(answers, alpha, gamma):
    ours = normalised_focal_loss(*as_tensors(*answers), alpha=alpha, gamma=gamma)
    assert float(ours) == pytest.approx(plain_focal_loss(*answers, alpha, gamma))


def test_the_focal_loss_takes_no_gradient_through_its_normaliser(answers):
    logits, target, judged = as_tensors(*answers)
    logits.requires_grad_()
    normalised_focal_loss(logits, target, judged).backward()
    held = logits.detach().clone().requires_grad_()
    right = torch.sigmoid(torch.where(target > 0.5, held, -held))
    focus = (1 - right) ** 2 * judged
    pixels = judged.sum((1, 2, 3), keepdim=True)
    scale = (pixels / focus.sum((1, 2, 3), keepdim=True)).detach()
    (-(0.5 * focus * scale * right.log()) / pixels / 2).sum().backward()
    assert torch.allclose(logits.grad, held.grad)


def test_certain_and_wrong_answers_give_finite_losses():
    logits = torch.tensor([1e4, -1e4]).reshape(1, 1, 1, 2).requires_grad_()
    target, judged = torch.tensor([[[[0.0, 1.0]]]]), torch.ones(1, 1, 1, 2)
    for loss in (cross_entropy, normalised_focal_loss):
        value = loss(logits, target, judged)
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()


def plain_smoothness(values, image, size, dilation):
    height, width = values.shape
    red, green, blue = (255.0 * image[c] for c in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    u, v = -0.147 * red - 0.289 * green + 0.436 * blue, 0.615 * red - 0.515 * green - 0.100 * blue
    total, reach = 0.0, size // 2
    for y in range(height):
        for x in range(width):
            terms = []
            for down in range(-reach, reach + 1):
                for right in range(-reach, reach + 1):
                    b, a = y + down * dilation, x + right * dilation
                    if (down, right) == (0, 0) or not (0 <= b < height and 0 <= a < width):
                        continue
                    place = (down**2 + right**2) * dilation**2
                    chroma = (u[y, x] - u[b, a]) ** 2 + (v[y, x] - v[b, a]) ** 2
                    weight = math.exp(
                        -place / 32 - (luma[y, x] - luma[b, a]) ** 2 / 32 - chroma / 16
                    )
                    terms.append(weight * (values[y, x] - values[b, a]) ** 2)
            total += sum(terms) / len(terms)
    return total / (height * width)


@pytest.mark.parametrize(("size", "dilation"), [(5, 1), (3, 2), (3, 1)])
def test_smoothness_is_that_of_every_pixel_and_its_neighbours(size, dilation):
    chance = np.random.default_rng(1)
    values = chance.random((2, 1, 7, 9))
    image = 0.5 + 0.02 * chance.random((2, 3, 7, 9))  # colours so alike that their weights matter
    expected = np.mean(
        [plain_smoothness(v[0], i, size, dilation) for v, i in zip(values, image, strict=True)]
    )
    ours = smoothness(*as_tensors(values, image), Neighbourhood(size=size, dilation=dilation))
    assert float(ours) == pytest.approx(expected, rel=1e-5)


def test_an_edge_of_colours_costs_less_than_the_same_edge_without_one():
    values = torch.zeros(1, 1, 8, 8)
    values[..., 4:] = 1.0
    with_edge = values.expand(1, 3, 8, 8).clone()
    window = Neighbourhood()
    assert smoothness(values, with_edge, window) < 1e-6
    assert smoothness(values, torch.zeros(1, 3, 8, 8), window) > 0.01


def test_a_window_larger_than_the_picture_looks_at_what_there_is():
    values, image = torch.rand(1, 1, 2, 3), torch.full((1, 3, 2, 3), 0.5)
    expected = plain_smoothness(values[0, 0].numpy(), image[0].numpy(), 5, 1)
    assert float(smoothness(values, image, Neighbourhood())) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("bad", [{"size": 4}, {"dilation": 0}, {"luma_variance": 0.0}])
def test_an_impossible_window_is_refused(bad):
    with pytest.raises(InputError, match="needs"):
        Neighbourhood(**bad)
