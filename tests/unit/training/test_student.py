from __future__ import annotations

import numpy as np
import pytest
import torch

from fewclicks.errors import InputError
from fewclicks.training.student import Student, StudentConfig, count_parameters, unit_tokens
from small_students import small_student


@pytest.mark.parametrize("size", [(8, 8), (8, 40), (24, 40), (72, 48)])
def test_each_cell_of_eight_pixels_gets_a_descriptor_whatever_the_size(size: tuple[int, int]):
    with torch.inference_mode():
        features = small_student()(torch.rand(2, 3, *size))
    assert features.shape == (2, 6, size[0] // 8, size[1] // 8)


def test_the_published_student_stays_below_three_million_parameters():
    assert 2e6 < count_parameters(Student(StudentConfig())) <= 3e6


def test_a_mirrored_picture_is_not_described_as_itself():
    # Nothing but the borders tells places apart, yet left and right are not the same.
    student, picture = small_student(), torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        straight, mirrored = student(picture), student(picture.flip(3)).flip(3)
    assert not torch.allclose(straight, mirrored, atol=1e-3)


def test_tokens_lose_their_mean_and_get_length_one():
    features = torch.randn(2, 5, 3, 4)
    found = unit_tokens(features).numpy()
    for picture, tokens in zip(features.numpy(), found, strict=True):
        plain = picture.reshape(5, 12).T
        plain = plain - plain.mean(axis=0)
        plain /= np.linalg.norm(plain, axis=1, keepdims=True)
        np.testing.assert_allclose(tokens, plain, atol=1e-6)


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(InputError, match="divides coarse, 192"):
        StudentConfig(heads=5)
