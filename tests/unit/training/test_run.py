"""A training from its file to a network that the protocol measures, as the command line has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("lightning", reason="training needs lightning")
pytest.importorskip("kornia", reason="training needs kornia")
pytest.importorskip("tensorboard", reason="training needs tensorboard")

from tensorboard.backend.event_processing.event_accumulator import (  # noqa: E402
    EventAccumulator,
)
from typer.testing import CliRunner  # noqa: E402

from fewclicks import create_method  # noqa: E402
from fewclicks.cli.app import app  # noqa: E402
from fewclicks.clicks import Click  # noqa: E402
from fewclicks.evaluation.run import evaluate  # noqa: E402
from fewclicks.images.reading import read_image  # noqa: E402
from fewclicks.methods.transformer.network_files import load_network, save_network  # noqa: E402
from fewclicks.training import run  # noqa: E402
from fewclicks.training.measuring import evaluation_plan, measure_network  # noqa: E402
from fewclicks.training.plan import Measuring, NetworkChoice  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.run import create_network, launch  # noqa: E402
from fewclicks.training.targets import RectangleTargets  # noqa: E402
from small_vits import save_vit  # noqa: E402

MEASURED = """
[evaluation]
dataset = "folder"
max_clicks = 3
settings = { flip = false, zoom = false }
"""


@pytest.fixture
def single_objects(small_data: Path) -> Path:
    """The pictures as the data set `folder` has them: masks above 0 are one object."""
    return small_data / "pictures"


def train(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["train", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_verb_leaves_a_network_that_answers_clicks(small_file, small_data, tmp_path):
    small_file.write_text(small_file.read_text() + '\n[[rows]]\nname = "one step"\nrun.steps = 1\n')
    out = tmp_path / "out"
    answer = train(small_file, "--data", small_data, "--out", out, "--device", "cpu", "--json")
    (row,) = json.loads(answer.splitlines()[-1])["rows"]
    assert (row["name"], row["steps"], row["pictures"]) == ("one step", 1, 5)
    method = create_method("simpleclick", weights=str(out / "one_step" / "network.safetensors"))
    prepared = method.prepare(read_image(small_data / "pictures" / "images" / "00.png"))
    probability = method.predict(prepared, [Click(30, 30)]).probability
    assert probability[30, 30] == 1
    assert np.isfinite(probability).all()


def test_what_is_measured_in_between_is_what_evaluate_measures(
    small_file, single_objects, tmp_path
):
    network = create_network(NetworkChoice(shape=_shape(small_file)), seed=0)
    weights = tmp_path / "network.safetensors"
    save_network(network, weights)
    measuring = Measuring(dataset="folder", max_clicks=3, settings={"flip": False})
    fabric = launch("fp32", "cpu")
    ours = measure_network(weights, measuring, data=str(single_objects), fabric=fabric)
    plan = evaluation_plan(weights, measuring, data=str(single_objects))
    result = evaluate(plan, tmp_path / "evaluation")
    assert ours["miou1"] == pytest.approx(result.miou["1"])
    for target in ("80", "85", "90", "95"):
        assert ours[f"noc{target}"] == pytest.approx(result.noc[target])


def _shape(path: Path) -> dict[str, object]:
    return dict(read_plans(path)[0].plan.network.shape)


def test_scalars_pictures_and_figures_are_written(small_file, single_objects, tmp_path):
    small_file.write_text(
        small_file.read_text().replace('images = "pictures"', f'images = "{single_objects}"')
        + MEASURED
    )
    out = tmp_path / "out"
    settings = {"run.pictures_every": 2, "run.steps": 4, "evaluation.every": 2}
    typed = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    train(small_file, "--data", single_objects, "--out", out, "--device", "cpu", *typed)
    events = EventAccumulator(str(out / "events"))
    events.Reload()
    steps = {tag: [each.step for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert steps["loss/cross_entropy"] == steps["loss/smoothness"] == steps["rate"] == [2, 4]
    assert steps["measured/noc85"] == [2, 4]
    assert [each.step for each in events.Images("lessons")] == [2, 4]
    result = json.loads((out / "training.json").read_text())
    assert 1 <= result["measured"]["noc85"] <= 3
    assert result["plan"]["targets"]["boxes"]["kind"] == "rectangles"
    load_network(out / "network.safetensors")


def test_a_training_that_was_stopped_while_it_was_measured_has_figures_in_the_end(
    small_file, single_objects, tmp_path, monkeypatch
):
    settings = {"evaluation.dataset": "folder", "evaluation.max_clicks": "1", "run.steps": "1"}
    plan = read_plans(small_file, settings=settings)[0].plan
    plan = replace(plan, targets={"boxes": RectangleTargets(images=str(single_objects))})

    def carry_out(*, resume=False):
        return run.train(plan, tmp_path, data=str(single_objects), device="cpu", resume=resume)

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(run, "measure_network", stop)
        with pytest.raises(KeyboardInterrupt):
            carry_out()
    figures = carry_out(resume=True)["measured"]
    assert figures["noc85"] == 1
    monkeypatch.setattr(run, "measure_network", stop)  # and is not measured once more
    assert carry_out(resume=True)["measured"] == figures


def test_a_failure_is_told_in_one_line(small_file, tmp_path):
    result = CliRunner().invoke(app, ["train", str(small_file), "--out", str(tmp_path / "out")])
    assert result.exit_code != 0
    assert "no folder of pictures 'pictures'" in str(result.exception)


def test_what_cannot_be_measured_is_refused_before_the_first_step(small_file, small_data, tmp_path):
    out = tmp_path / "out"
    options = ["--data", str(small_data), "--out", str(out), "--set", "evaluation.dataset=grabcut"]
    result = CliRunner().invoke(app, ["train", str(small_file), *options])
    assert result.exit_code != 0
    assert "grabcut" in str(result.exception)
    assert not out.exists()


def test_a_network_begins_as_the_transformer_it_is_started_from(tmp_path):
    folder = save_vit("vit", tmp_path / "vit", intermediate_size=128)
    config = json.loads((folder / "config.json").read_text())
    shape = {
        "dim": config["hidden_size"],
        "depth": config["num_hidden_layers"],
        "heads": config["num_attention_heads"],
        "patch": config["patch_size"],
        "levels": (8, 8, 8, 8),
        "head": 8,
        "side": 4 * config["patch_size"],
        "window": 4,
    }
    started, again, fresh = (
        create_network(NetworkChoice(start=start, shape=shape), seed)
        for start, seed in ((str(folder), 0), (str(folder), 1), (None, 0))
    )
    assert torch.equal(
        started.state_dict()["backbone.blocks.0.mlp.0.weight"],
        again.state_dict()["backbone.blocks.0.mlp.0.weight"],
    )
    drawn = "head.fuse.weight"
    assert torch.equal(started.state_dict()[drawn], fresh.state_dict()[drawn])
    assert not torch.equal(started.state_dict()[drawn], again.state_dict()[drawn])
