"""Time merge trees beside scikit-learn's and SciPy's, on one thread, in one run.

    python benchmarks/merge_tree.py [--grid 60x60] [--channels 384] [--repeats 7] [--out FILE]

Tokens are smooth in places and noisy in others, as a network's are. Ratios are of processor time;
"children" says which share of the baseline's rows ours has too.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import ward_tree
from sklearn.feature_extraction.image import grid_to_graph

from fewclicks.backbones.base import Grid
from fewclicks.evaluation.machine import describe_machine
from fewclicks.evaluation.speed.rows import Stage, time_stage
from fewclicks.files import write_text
from fewclicks.proposals.merge_tree import MergeTree, build_merge_tree
from fewclicks.proposals.recipe import Recipe
from fewclicks.proposals.sampling import draw_node
from fewclicks.proposals.shards import Label, Row, write_shard

PICTURES = 64


def make_tokens(grid: Grid, channels: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(size=(channels, grid.height, grid.width))
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 3.0) for one in smooth], axis=-1)
    tokens = smooth / smooth.std() + 0.3 * rng.normal(size=smooth.shape)
    return tokens.reshape(grid.count, channels)


def stages(grid: Grid, channels: int) -> list[Stage]:
    exact = make_tokens(grid, channels)
    tokens = exact.astype(np.float32)
    shape = (grid.height, grid.width)
    touching = grid_to_graph(*shape)
    tree = MergeTree.from_children(build_merge_tree(tokens, shape), grid)
    rng = np.random.default_rng(0)
    return [
        Stage(
            name=f"merge tree, {number}",
            ours=lambda given=given, is_exact=is_exact: build_merge_tree(
                given, shape, exact=is_exact
            ),
            baseline="scikit-learn ward_tree",
            theirs=lambda given=given: ward_tree(given, connectivity=touching)[0],
        )
        for number, given, is_exact in (("fp32", tokens, False), ("fp64", exact, True))
    ] + [
        Stage(
            name="merge tree without the grid, fp32",
            ours=lambda: build_merge_tree(tokens, shape, connectivity=False),
            baseline="SciPy ward",
            theirs=lambda: linkage(tokens, "ward"),
        ),
        Stage(name="lay out a tree", ours=lambda: MergeTree.from_children(tree.children, grid)),
        Stage(name="draw a region", ours=lambda: tree.region(draw_node(tree, rng))),
    ]


def same_children(grid: Grid, channels: int) -> float:
    exact = make_tokens(grid, channels)
    shape = (grid.height, grid.width)
    expected = ward_tree(exact, connectivity=grid_to_graph(*shape))[0]
    found = build_merge_tree(exact, shape, exact=True)
    return float((np.sort(expected, axis=1) == found).all(axis=1).mean())


def pictures_a_second(grid: Grid, channels: int) -> float:
    """From features in files to a shard on disk, in processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(PICTURES):
            np.save(folder / f"{number}.npy", make_tokens(grid, channels, number).astype("f4"))
        return PICTURES / _cpu_seconds(lambda: _store(folder, grid))


def _store(folder: Path, grid: Grid) -> None:
    rows = []
    for number in range(PICTURES):
        tokens = np.load(folder / f"{number}.npy", allow_pickle=False)
        label = Label(image=f"{number}.jpg", checksum="0" * 64, height=480, width=480, grid=grid)
        rows.append(Row(label=label, children=build_merge_tree(tokens, (grid.height, grid.width))))
    write_shard(folder, Recipe(kind="tree", backbone="stored"), rows)


def _cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", default="60x60")
    parser.add_argument("--channels", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    grid = Grid(*(int(side) for side in given.grid.split("x")))
    rows = [time_stage(stage, given.repeats) for stage in stages(grid, given.channels)]
    found = {
        "machine": describe_machine(workers=1, threads=1),
        "grid": given.grid,
        "channels": given.channels,
        "rows": [asdict(row) for row in rows],
        "same_children_fp64": same_children(grid, given.channels),
        "pictures_a_second": round(pictures_a_second(grid, given.channels), 1),
    }
    for row in rows:
        beside = f"  {row.ratio:6.1f} x {row.baseline}" if row.baseline else ""
        print(f"{row.name:36} {1000 * (row.cpu_s or 0.0):9.2f} ms{beside}")
    print(f"children as scikit-learn's, fp64: {found['same_children_fp64']:.1%}")
    print(f"from stored features to a shard: {found['pictures_a_second']} pictures a second")
    if given.out is not None:
        write_text(given.out, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
