"""Weights, networks and stores that are read without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from drawing import BLOB, paint
from fewclicks.backbones.base import Grid
from fewclicks.backbones.builtin import BuiltInBackbone, BuiltInConfig
from fewclicks.backbones.builtin import __file__ as BUILTIN  # noqa: N812
from fewclicks.methods.markov.evidence_network import evidence_file, read_network
from fewclicks.proposals.merge_tree import build_merge_tree
from fewclicks.proposals.recipe import Recipe, write_recipe
from fewclicks.proposals.shards import Label, Row, write_shard
from fewclicks.proposals.store import ProposalStore
from fuzzing.trial import Reader

IMAGE: Final = paint(BLOB)


def _safetensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _tensor(shape: list[int], ends: list[int], kind: str = "F32") -> dict[str, Any]:
    return {"a": {"dtype": kind, "shape": shape, "data_offsets": ends}}


EVIL_TENSORS: Final = {
    "a header of 2^63 bytes": (1 << 63).to_bytes(8, "little") + b"{}",
    "a header of 1 GB": (1 << 30).to_bytes(8, "little") + b"{}",
    "no tensors": _safetensors({}),
    "a list": _safetensors([]),
    "a tensor outside": _safetensors(_tensor([10**6], [0, 4 * 10**6])),
    "a tensor backwards": _safetensors(_tensor([1], [4, 0]), bytes(4)),
    "a size beyond counting": _safetensors(_tensor([2**62, 4], [0, 4]), bytes(4)),
    "an unknown kind": _safetensors(_tensor([1], [0, 4], "PICKLE"), bytes(4)),
    "metadata of numbers": _safetensors({"__metadata__": {"a": 1}}),
    "deep": _safetensors(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "another family": _safetensors({"__metadata__": {"fewclicks.network": "other"}}),
    "no configuration": _safetensors({"__metadata__": {"fewclicks.network": "simpleclick"}}),
    "a deep configuration": _safetensors(
        {"__metadata__": {"fewclicks.network": "simpleclick", "fewclicks.config": "[" * 90_000}}
    ),
    "an endless network": _safetensors(
        {
            "__metadata__": {
                "fewclicks.network": "simpleclick",
                "fewclicks.config": json.dumps({"dim": 16, "depth": 10**9, "heads": 1}),
            }
        }
    ),
    "a huge network": _safetensors(
        {
            "__metadata__": {
                "fewclicks.network": "simpleclick",
                "fewclicks.config": json.dumps({"dim": 10**9, "depth": 4, "heads": 1}),
            }
        }
    ),
}


def _evidence(folder: Path) -> list[Path]:
    path = folder / "evidence.safetensors"
    path.write_bytes(evidence_file("colour").read_bytes())
    return [path]


def _onnx(folder: Path) -> list[Path]:
    path = folder / "a.onnx"
    path.write_bytes(Path(BUILTIN).with_name("builtin.onnx").read_bytes())
    return [path]


def _look(_home: Path, file: Path) -> None:
    features = BuiltInBackbone(BuiltInConfig(weights=str(file), threads=1)).features(IMAGE)
    assert features.tokens.ndim == 2


def _store(folder: Path) -> list[Path]:
    recipe = Recipe(kind="tree", backbone="colour", backbone_settings={"longest_side": 64})
    rng = np.random.default_rng(0)
    rows = [
        Row(
            label=Label(image=f"{k}.png", checksum="0" * 64, height=90, width=105, grid=Grid(3, 4)),
            children=build_merge_tree(rng.normal(size=(12, 5)), (3, 4)),
        )
        for k in range(3)
    ]
    write_recipe(folder, recipe)
    return [write_shard(folder, recipe, rows), folder / "store.json"]


def _draw(home: Path, _file: Path) -> None:
    store = ProposalStore(home)
    assert all("\n" not in problem for problem in store.verify())
    for image in store.images:
        store.sample_region(image, np.random.default_rng(0))


def read_only(read: Callable[[Path], object]) -> Callable[[Path, Path], object]:
    return lambda _, file: read(file)


READERS: Final = [
    Reader(
        name="evidence network",
        build=_evidence,
        read=read_only(read_network),
        evil=EVIL_TENSORS,
    ),
    Reader(name="built-in network", build=_onnx, read=_look),
    Reader(name="store", build=_store, read=_draw, by_folder=True),
]
