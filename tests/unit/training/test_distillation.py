from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import rel_entr, softmax
from typer.testing import CliRunner

from fewclicks.backbones.builtin import BuiltInBackbone, BuiltInConfig
from fewclicks.cli.app import app
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.images.reading import read_image
from fewclicks.training.checkpoints import CHECKPOINT
from fewclicks.training.distillation import (
    Learning,
    ask_teacher,
    compare_tokens,
    relational_loss,
    teach,
)
from fewclicks.training.distillation_file import is_distillation, read_distillation
from fewclicks.training.student import unit_tokens
from fewclicks.training.teacher import TeacherConfig
from small_students import SMALL, write_photos
from small_vits import save_vit

BUILTIN = Path(__file__).resolve().parents[3] / "configs" / "embedded" / "builtin.toml"
QUICK = Learning(steps=4, batch=2, crop=4, last_crop=5, warm_up=1, checkpoint_every=2)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[TeacherConfig, str, Path]:
    """A teacher, photographs, and a folder in which it has spoken of them."""
    home = tmp_path_factory.mktemp("distillation")
    photos = write_photos(home / "photos", 6)
    vit = save_vit("vit", home / "vit", patch_size=16, image_size=64)
    teacher = TeacherConfig(weights=str(vit), longest_side=64, directions=6, precision="fp32")
    asked = list(ask_teacher(teacher, str(home / "photos"), home / "out", workers=1, seed=0))
    assert asked[-1] == (6, len(photos))
    return teacher, str(home / "photos"), home / "out"


def run_in(
    taught: tuple[TeacherConfig, str, Path],
    folder: Path,
    learning: Learning,
    *,
    resume: bool = False,
):
    """Teach in a new folder, from the targets of the fixture."""
    teacher, photos, out = taught
    folder.mkdir(exist_ok=True)
    if not (folder / "targets").exists():
        (folder / "targets").symlink_to(out / "targets")
    return teach(teacher, photos, folder, shape=SMALL, learning=learning, resume=resume)


def test_the_relational_loss_is_the_divergence_of_rows():
    rng = np.random.default_rng(0)
    taught, told = rng.uniform(-1, 1, (2, 2, 3, 5))
    expected = rel_entr(softmax(told / 0.1, axis=2), softmax(taught / 0.1, axis=2)).sum(2).mean()
    found = relational_loss(torch.from_numpy(taught), torch.from_numpy(told), temperature=0.1)
    assert found.item() == pytest.approx(expected)


def test_a_student_that_agrees_has_cosine_one_and_loses_nothing():
    tokens = unit_tokens(torch.randn(2, 6, 3, 4))
    cosine, relation = compare_tokens(tokens, tokens, torch.arange(0, 12, 5), temperature=0.07)
    assert cosine.item() == pytest.approx(1.0)
    assert relation.item() == pytest.approx(0.0, abs=1e-5)


def test_a_turn_of_all_tokens_alike_changes_the_cosine_but_no_relation():
    tokens = unit_tokens(torch.randn(1, 6, 3, 4))
    turn = torch.linalg.qr(torch.randn(6, 6))[0]
    cosine, relation = compare_tokens(tokens @ turn, tokens, torch.arange(12), temperature=0.07)
    assert cosine.item() < 0.9
    assert relation.item() == pytest.approx(0.0, abs=1e-4)


def test_the_rate_rises_stays_and_falls():
    learning = Learning(steps=100, rate=1.0, warm_up=10, cool_down=0.2)
    rates = [learning.rate_at(step) for step in (0, 4, 9, 50, 80, 90, 99)]
    np.testing.assert_allclose(rates, [0.1, 0.5, 1.0, 1.0, 1.0, 0.5, 0.05])


def test_crops_are_small_until_the_rate_falls():
    learning = Learning(steps=100, crop=3, last_crop=7, cool_down=0.2)
    assert [learning.crop_at(step) for step in (0, 50, 80, 81, 99)] == [3, 3, 3, 7, 7]


def test_a_student_comes_nearer_to_its_teacher(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    learning = replace(QUICK, steps=60, rate=1e-2, checkpoint_every=20, average=0.9)
    first, *_, last = run_in(taught, tmp_path, learning)
    assert last.step == 60
    assert last.cosine > first.cosine + 0.1
    assert last.relation < first.relation


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    list(run_in(taught, tmp_path / "whole", QUICK))
    list(islice(run_in(taught, tmp_path / "stopped", QUICK), 1))
    (last,) = run_in(taught, tmp_path / "stopped", QUICK, resume=True)
    assert last.step == 4
    whole, stopped = (load_file(tmp_path / name / CHECKPOINT) for name in ("whole", "stopped"))
    assert whole.keys() == stopped.keys()
    for name, value in whole.items():
        torch.testing.assert_close(stopped[name], value)


def test_a_folder_of_another_student_is_refused(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    list(run_in(taught, tmp_path, QUICK))
    with pytest.raises(InputError, match="seed 0"):
        list(run_in(taught, tmp_path, replace(QUICK, steps=6, seed=1), resume=True))


def test_a_loss_that_is_no_number_ends_the_run(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    with pytest.raises(InputError, match="The loss is nan at step"):
        list(run_in(taught, tmp_path, replace(QUICK, rate=1e30, steps=50)))


def test_what_a_run_leaves_behind_serves_the_backbone(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    list(run_in(taught, tmp_path, QUICK))
    config = BuiltInConfig(weights=str(tmp_path / "builtin.onnx"), longest_side=64, colour=0.0)
    picture = read_image(next(Path(taught[1]).iterdir()))
    features = BuiltInBackbone(config).features(picture)
    assert features.tokens.shape == (48, 6)
    assert np.isfinite(features.tokens).all()


def test_the_file_of_the_builtin_model_is_a_whole_plan():
    assert is_distillation(BUILTIN)
    plan = read_distillation(
        BUILTIN, settings={"teacher": "facebook/dinov2-small", "data": "p", "learning.steps": "7"}
    )
    assert plan.teacher.weights == "facebook/dinov2-small"
    assert plan.learning.steps == 7
    assert plan.data == "p"


def test_a_plan_is_carried_out_from_photographs_to_a_network(
    taught: tuple[TeacherConfig, str, Path], tmp_path: Path
):
    file = tmp_path / "small.toml"
    small = "\n".join(f"{key} = {getattr(SMALL, key)}" for key in SMALL.__slots__)
    file.write_text(
        f"teacher = '{taught[0].weights}'\ndata = '{taught[1]}'\n"
        "[targets]\ndirections = 6\nlongest_side = 64\n"
        f"[student]\n{small}\n[learning]\nsteps = 1\nbatch = 1\ncrop = 4\nwarm_up = 1\n"
    )
    seen = []
    plan, out = read_distillation(file), tmp_path / "out"
    last = plan.carry_out(out, watch=lambda *each: seen.append(each))
    assert (out / "builtin.onnx").is_file()
    assert last is not None
    assert json.loads((out / "progress.jsonl").read_text()) == asdict(last)
    assert [done for what, done, _ in seen if what == "asking the teacher"] == [1, 2, 3, 4, 5, 6]
    assert plan.carry_out(out, resume=True) is None
    with pytest.raises(InputError, match="--resume goes on with it"):
        plan.carry_out(out)
    typed = ["train", str(file), "--out", str(out), "--set", "learning.steps=2", "--resume"]
    result = CliRunner().invoke(app, [*typed, "--threads", "1", "--json"])
    assert json.loads(result.stdout)["rows"][0]["step"] == 2, result.output


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("data = 'x'", InputError, "names no teacher; give a vision transformer"),
        ("teacher = 'x'", InputError, "names no data; give photographs"),
        ("teecher = 'x'", UnknownEntryError, "Did you mean 'teacher'"),
        ("teacher = 'x'\ndata = 'y'\n[learning]\nsteps = 0", InputError, "steps is 0"),
        ("teacher =", InputError, "is no TOML"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(
    tmp_path: Path, text: str, error: type[Exception], message: str
):
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(error, match=message):
        read_distillation(file)
