"""Weights, networks, checkpoints and the plans of trainings, which need torch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import torch
from torch import nn

from bright_network import bright_network
from fewclicks.backbones.registry import create_backbone
from fewclicks.clicks import Click
from fewclicks.methods.registry import create_method
from fewclicks.methods.transformer.network_files import load_network, save_network
from fewclicks.methods.transformer.onnx_export import export_network
from fewclicks.training.checkpoints import read_checkpoint, restore, write_checkpoint
from fewclicks.training.distillation_file import read_distillation
from fewclicks.training.plan_file import read_plans
from fuzzing.stores import EVIL_TENSORS, IMAGE, read_only
from fuzzing.texts import CONFIGS, EVIL_TOML, copied, written
from fuzzing.trial import Reader
from small_vits import save_vit


def _network(folder: Path) -> list[Path]:
    save_network(bright_network(), folder / "a.safetensors")
    return [folder / "a.safetensors"]


def _checkpoint(folder: Path) -> list[Path]:
    network, optimiser = _trained()
    write_checkpoint(
        folder / "checkpoint.safetensors",
        step=3,
        described={"a": 1},
        network=network,
        optimiser=optimiser,
    )
    return [folder / "checkpoint.safetensors"]


def _trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return network, optimiser


def _restore(_home: Path, file: Path) -> None:
    network, optimiser = _trained()
    restore(read_checkpoint(file), described={"a": 1}, network=network, optimiser=optimiser)


def _exported(folder: Path) -> list[Path]:
    network = bright_network()
    export_network(network, folder / "net")
    return [folder / "net" / name for name in ("decoder.onnx", "network.json", "encoder.onnx")]


def _click(home: Path, _file: Path) -> None:
    method = create_method("simpleclick", weights=str(home / "net"))
    method.predict(method.prepare(IMAGE), [Click(x=30, y=24)])


def _vit(folder: Path) -> list[Path]:
    save_vit("vit", folder / "vit")
    return [folder / "vit" / name for name in ("config.json", "model.safetensors")]


_VIT: Final = {
    "model_type": "vit",
    "patch_size": 8,
    "num_hidden_layers": 3,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 32,
}
EVIL_VITS: Final = {
    "a thousand million layers": json.dumps({**_VIT, "num_hidden_layers": 10**9}).encode(),
    "a patch of no pixel": json.dumps({**_VIT, "patch_size": 0}).encode(),
    "a program": json.dumps({**_VIT, "auto_map": {"AutoModel": "evil.Evil"}}).encode(),
    "another architecture": json.dumps({**_VIT, "model_type": "bert"}).encode(),
    "a huge width": json.dumps({**_VIT, "hidden_size": 10**9}).encode(),
    "a picture of a million": json.dumps({**_VIT, "image_size": 10**6}).encode(),
    "words for numbers": json.dumps({**_VIT, "hidden_size": "32"}).encode(),
}


def _describe(home: Path, _file: Path) -> None:
    create_backbone(str(home / "vit"), device="cpu").features(IMAGE)


def _plan(_home: Path, file: Path) -> object:
    return read_plans(file)


def _read_stores(_home: Path, file: Path) -> object:
    os.environ.setdefault("FEWCLICKS_STORES", "stores")
    return read_plans(file)


_DISTILLATION: Final = (
    'title = "t"\nteacher = "vit"\ndata = "photos"\n[learning]\nsteps = 4\nbatch = 2\n'
    "[student]\nfine = 8\n[targets]\nlongest_side = 64\n"
)
_TRAINING: Final = """title = "base"
[network]
size = "xtiny"
[targets.regions]
kind = "proposals"
store = "STORE"
images = "photos"
alpha = 0.8
[schedule]
rate = 1e-4
milestones = [0.5, 0.75]
[run]
epochs = 2
batch = 8
[[rows]]
name = "a"
[[rows]]
name = "b"
run.batch = 4
"""


READERS: Final = [
    Reader(
        name="click network",
        build=_network,
        read=read_only(load_network),
        evil=EVIL_TENSORS,
    ),
    Reader(name="checkpoint", build=_checkpoint, read=_restore, evil=EVIL_TENSORS),
    Reader(name="exported network", build=_exported, read=_click, by_folder=True),
    Reader(name="vision transformer", build=_vit, read=_describe, evil=EVIL_VITS, by_folder=True),
    Reader(
        name="training",
        build=written("training.toml", _TRAINING),
        read=_plan,
        evil=EVIL_TOML,
    ),
    Reader(name="training", build=copied(CONFIGS / "mis" / "mis.toml"), read=_read_stores),
    Reader(
        name="distillation",
        build=written("distillation.toml", _DISTILLATION),
        read=read_only(read_distillation),
        evil=EVIL_TOML,
    ),
]
