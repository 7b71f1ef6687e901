from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from fewclicks.training.student import count_parameters
from fewclicks.training.student_export import export_student
from small_students import small_student


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("student") / "student.onnx"
    export_student(small_student(), path)
    return path


@pytest.mark.parametrize("size", [(8, 8), (48, 56), (40, 72), (88, 24)])
def test_the_file_says_what_the_network_says_at_any_size(exported: Path, size: tuple[int, int]):
    colours = np.random.default_rng(0).random((1, 3, *size), dtype=np.float32)
    session = onnxruntime.InferenceSession(exported.read_bytes())
    (found,) = session.run(None, {"colours": colours})
    with torch.inference_mode():
        expected = small_student()(torch.from_numpy(colours)).numpy()
    # Weights of 11 significant bits, through a dozen layers.
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())


def test_weights_take_two_bytes_each(exported: Path):
    graph_alone = 40_000
    assert exported.stat().st_size < 2 * count_parameters(small_student()) + graph_alone


def test_a_student_that_learns_goes_on_learning_after_its_export(tmp_path: Path):
    student = small_student().train()
    before = {name: value.clone() for name, value in student.state_dict().items()}
    export_student(student, tmp_path / "student.onnx")
    assert student.training
    assert all(torch.equal(value, before[name]) for name, value in student.state_dict().items())
