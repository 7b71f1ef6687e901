"""Trainings of guided networks, small: from the file to a method that takes the guidance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("lightning", reason="training needs lightning")
pytest.importorskip("kornia", reason="training needs kornia")
pytest.importorskip("tensorboard", reason="training needs tensorboard")

from safetensors.torch import load_file  # noqa: E402

from drawing import BLOB, paint  # noqa: E402
from fewclicks import create_method  # noqa: E402
from fewclicks.clicks import Click  # noqa: E402
from fewclicks.errors import InputError  # noqa: E402
from fewclicks.methods.guidance import Exemplar, Guidance, Reference  # noqa: E402
from fewclicks.methods.transformer.network_files import save_network  # noqa: E402
from fewclicks.methods.transformer.refcut_network import RefCutNetwork  # noqa: E402
from fewclicks.training.plan import NetworkChoice  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.run import create_network, launch, train  # noqa: E402
from small_vits import save_vit  # noqa: E402

GUIDED = {
    "refcut": '[targets.boxes]\nkind = "parts"\ndataset = "instances"\nfolder = "things"\n'
    "none_probability = 0.3\ndataset_settings = { parts_of = 'thing' }\n",
    "icmformer_pp": '[targets.boxes]\nkind = "kinds"\ndataset = "instances"\nfolder = "things"\n'
    "none_probability = 0.3\nunclicked_probability = 0.3\n",
}
SETTINGS = {"run.steps": "4", "run.least_pixels": "6", "loss.kind": "focal"}
SMALL_SWIN = """
family = "icmformer_swin"
dim = 8
depths = [1, 1, 1, 1]
heads = [1, 1, 2, 2]
window = 2
cross = 1
cross_heads = 2
head = 8
side = 64
drop_path = 0.5
"""
SMALL_CROPS = "cross = 1\ncrop_widths = [4, 4, 4, 8]\ncrop_depths = [1, 1, 1, 1]\n"


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """Five pictures of two blobs and a bar: parts of a thing, or objects of two categories."""
    folder = tmp_path / "data" / "things"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    named = [{"label": k, "category": name} for k, name in ((1, "blob"), (2, "blob"), (3, "bar"))]
    for number in range(5):
        labels = np.roll(BLOB, (3 * number, 4 * number), axis=(0, 1)).astype(np.uint8)
        labels[50:58, 2:14] = 2
        labels[4:10, 60:76] = 3
        Image.fromarray(paint(labels > 0)).save(folder / "images" / f"{number}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{number}.png")
    file = folder / "instances.json"
    file.write_text(json.dumps({str(k): {"objects": named} for k in range(5)}))
    return tmp_path / "data"


def plan_of(small_file: Path, family: str, guided: str | None = None, **settings: str):
    text = small_file.read_text()
    head, rest = text.split("[targets.boxes]")
    more = SMALL_CROPS if family == "icmformer_pp" else ""
    text = head.replace("[network]\n", f'[network]\nfamily = "{family}"\n{more}')
    text += GUIDED[guided or family] + rest.split('images = "pictures"\n')[1]
    file = small_file.with_name(f"{family}.toml")
    file.write_text(text)
    return read_plans(file, settings={**SETTINGS, **settings})[0].plan


def run(plan, out: Path, data: Path, **options):
    train(plan, out, data=str(data), fabric=launch(plan.run.precision, "cpu"), **options)
    return load_file(out / "network.safetensors")


class StoppedError(Exception):
    """As if the process had been killed."""


def stop(done, _total, _loss):
    if done == 3:
        raise StoppedError


@pytest.mark.parametrize("family", ["refcut", "icmformer_pp"])
def test_a_guided_training_taken_up_again_gives_the_very_weights_of_an_unbroken_one(
    small_file, things, tmp_path, family
):
    plan = plan_of(small_file, family)
    unbroken = run(plan, tmp_path / "unbroken", things)
    with pytest.raises(StoppedError):
        run(plan, tmp_path / "broken", things, watch=stop)
    resumed = run(plan, tmp_path / "broken", things, resume=True)

    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    untrained = create_network(plan.network, plan.run.seed).state_dict()
    own = "prompts.positive" if family == "refcut" else "exemplar."
    moved = [name for name in unbroken if name.startswith(own)]
    assert moved
    assert all(not torch.equal(unbroken[name], untrained[name].float()) for name in moved)


@pytest.mark.long
@pytest.mark.parametrize("family", ["refcut", "icmformer_pp"])
def test_two_processes_learn_what_one_does_though_only_some_lessons_are_guided(
    small_file, things, tmp_path, family
):
    plan = plan_of(small_file, family)
    typed = [f"--set={key}={value}" for key, value in SETTINGS.items()]

    def train_in(processes):
        out = tmp_path / str(processes)
        command = [
            *(sys.executable, "-m", "torch.distributed.run"),
            *(f"--nproc_per_node={processes}", "--standalone", "-m", "fewclicks", "train"),
            *(str(small_file.with_name(f"{family}.toml")), "--data", str(things)),
            *("--out", str(out), "--device", "cpu", "--threads", "1", *typed),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return load_file(out / "network.safetensors")

    one, two = train_in(1), train_in(2)
    before = create_network(plan.network, plan.run.seed).state_dict()
    moved = torch.cat([(one[name] - before[name]).flatten() for name in one])
    apart = torch.cat([(one[name] - two[name]).flatten() for name in one])
    assert apart.norm() < 0.02 * moved.norm()


def test_swins_stochastic_depth_does_not_depend_on_stops_either(small_file, small_data, tmp_path):
    text = small_file.read_text()
    rest = text.partition("[targets.boxes]")
    small_file.write_text(f"[network]{SMALL_SWIN}{rest[1]}{rest[2]}")
    settings = {"run.steps": "4", "augmentation.crop": "64"}
    plan = read_plans(small_file, settings=settings)[0].plan
    unbroken = run(plan, tmp_path / "unbroken", small_data)
    with pytest.raises(StoppedError):
        run(plan, tmp_path / "broken", small_data, watch=stop)
    resumed = run(plan, tmp_path / "broken", small_data, resume=True)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)


def test_what_is_trained_answers_by_the_method_of_its_family(small_file, things, tmp_path):
    reference = Reference(image=paint(BLOB), positive=BLOB)
    for family, guidance in (
        ("refcut", Guidance(references=(reference,))),
        ("icmformer_pp", Guidance(exemplar=Exemplar(mask=BLOB, clicks=(Click(30, 24),)))),
    ):
        plan = plan_of(small_file, family, **{"run.steps": "2", "schedule.rate": "0.05"})
        run(plan, tmp_path / family, things)
        weights = str(tmp_path / family / "network.safetensors")
        method = create_method(family, weights=weights, zoom=False)
        prepared = method.prepare(paint(BLOB))
        told = method.condition(prepared, guidance)
        plain, guided = (method.predict(each, [Click(30, 24)]) for each in (prepared, told))
        assert np.isfinite(guided.probability).all()
        assert np.abs(plain.probability - guided.probability).max() > 1e-6


@pytest.mark.parametrize(
    ("family", "guided"), [("simpleclick", "refcut"), ("icmformer", "icmformer_pp")]
)
def test_a_network_that_takes_no_guidance_learns_from_the_same_lessons(
    small_file, things, tmp_path, family, guided
):
    plan = plan_of(small_file, family, guided, **{"run.steps": "1"})
    run(plan, tmp_path / "out", things)
    assert json.loads((tmp_path / "out" / "training.json").read_text())["pictures"] == 5


def test_a_refcut_begins_as_the_simpleclick_that_it_is_given(small_file, tmp_path):
    shape = dict(read_plans(small_file)[0].plan.network.shape)
    base = create_network(NetworkChoice(shape=shape), seed=3)
    save_network(base, tmp_path / "base.safetensors")
    choice = NetworkChoice(family="refcut", weights=str(tmp_path / "base.safetensors"))

    one, other = (create_network(choice, seed) for seed in (0, 1))

    assert isinstance(one, RefCutNetwork)
    for name, values in base.state_dict().items():
        assert torch.equal(one.state_dict()[name], values)
    drawn = "prompts.positive.0.weight"
    assert not torch.equal(one.state_dict()[drawn], other.state_dict()[drawn])
    again = create_network(choice, 0).state_dict()
    assert all(torch.equal(again[name], values) for name, values in one.state_dict().items())
    assert all(values.requires_grad for values in one.parameters())


@pytest.mark.parametrize("family", ["icmformer", "icmformer_pp"])
def test_every_stream_begins_as_the_transformer_it_is_started_from(tmp_path, family):
    folder = save_vit("vit", tmp_path / "vit", intermediate_size=128, num_hidden_layers=4)
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
        "cross": 1,
    }
    if family == "icmformer_pp":
        shape |= {"crop_widths": (4, 4, 4, 8), "crop_depths": (1, 1, 1, 1)}
    started = create_network(NetworkChoice(family=family, start=str(folder), shape=shape), 0)
    plain = create_network(
        NetworkChoice(start=str(folder), shape={k: shape[k] for k in list(shape)[:8]}), 0
    )

    theirs, ours = plain.state_dict(), started.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs if "backbone" in name)
    if family == "icmformer_pp":
        first = shape["depth"] // 2
        for number in range(shape["depth"] - first):
            assert torch.equal(
                ours[f"exemplar.{number}.mlp.0.weight"],
                theirs[f"backbone.blocks.{first + number}.mlp.0.weight"],
            )


def test_a_family_stays_when_weights_take_the_place_of_a_shape(small_file):
    whole = small_file.read_text().replace("[network]\n", '[network]\nfamily = "refcut"\n')
    small_file.write_text(whole + '\n[[rows]]\nname = "on"\nnetwork.weights = "trained"\n')
    (row,) = read_plans(small_file)
    assert row.plan.network == NetworkChoice(family="refcut", weights="trained")


def test_an_unknown_family_is_refused_with_the_known_ones(small_file):
    with pytest.raises(InputError, match=r"No family of networks is called 'refcat'.*refcut"):
        read_plans(small_file, settings={"network.family": "refcat"})


def test_a_network_that_looks_at_no_crops_has_no_start_for_them():
    shape = {"size": "xtiny", "dim": 8, "heads": 2, "depth": 2, "side": 32, "window": 2}
    with pytest.raises(InputError, match=r"looks at no crops; leave network\.crop_start out"):
        create_network(NetworkChoice(crop_start="anything", shape=shape), 0)


def test_a_plain_plan_is_described_as_before_there_were_families(small_file):
    described = read_plans(small_file)[0].plan.describe()["network"]
    assert set(described) == {"start", "weights", "shape"}
    other = read_plans(small_file, settings={"network.family": "refcut"})[0].plan.describe()
    assert other["network"]["family"] == "refcut"
