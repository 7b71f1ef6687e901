"""Fit the evidence network to what `collect_evidence.py` wrote down. Needs torch.

    fit="python tools/fitting/fit_evidence.py"
    $fit alone runs/alone runs
    $fit together runs/together runs runs/evidence.safetensors
    $fit together runs/together runs/again runs evidence_vit.safetensors --all

The first command writes three networks that weigh a region by itself: one for use, and two that
have each seen half of the pictures. The others fit the network that hears the first one's opinion,
which for every picture came from a network that had not seen it: the mean of four, since single
fits differ. Fold 0 is not fitted to, and the loss on it is printed; with `--all`, for the network
to ship, it is fitted to as well.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from scipy import linalg
from torch import nn

from fewclicks.methods.markov.evidence_network import Perceptron

EVIDENCE_COLUMNS = 106
HIDDEN = (64, 32)
BATCH, PEAK_RATE = 4096, 5e-3
USUAL_SHARE, SMALLEST, LARGEST = 0.1, 0.02, 2.0  # of the picture; bounds of a click's weight


@dataclass(frozen=True)
class Recipe:
    """How one perceptron is fitted.

    A click on an object of the usual share of the picture weighs 1; on others, ``power`` says how
    fast its weight grows with the share, as large objects are the commoner wish.
    """

    power: float = 0.0
    epochs: float = 5.0
    dropout: float = 0.1
    decay: float = 0.01


ALONE = Recipe()
STEEP = Recipe(power=1.0, epochs=2.0, dropout=0.4, decay=0.3)
FLAT = Recipe(power=0.7, epochs=2.5, dropout=0.35, decay=0.2)
TOGETHER = (STEEP, STEEP, FLAT, FLAT)

Rows: TypeAlias = dict[str, NDArray[np.generic]]


def read_rows(folders: Sequence[Path], columns: int | None = None) -> Rows:
    """Read all rows; ``share`` is how much of the picture the object of a row's click covers."""
    parts = [np.load(path) for folder in folders for path in sorted(folder.glob("*.npz"))]
    rows = {key: np.concatenate([p[key] for p in parts]) for key in ("label", "weight", "fold")}
    rows["inputs"] = np.concatenate([part["context"][:, :columns] for part in parts])
    rows["share"] = np.concatenate([_shares(part["click"], part["label"]) for part in parts])
    return rows


def _shares(click: NDArray[np.integer], label: NDArray[np.floating]) -> NDArray[np.float32]:
    means = np.bincount(click, label.astype(np.float64)) / np.bincount(click)
    return means.astype(np.float32)[click]


def fit(rows: Rows, folds: set[int], recipe: Recipe, seed: int = 0) -> Perceptron:
    """Weighted logistic regression through two hidden layers, one cycle of the learning rate."""
    torch.manual_seed(seed)
    chosen = np.isin(rows["fold"], list(folds))
    inputs, labels, weights = (
        torch.from_numpy(rows[key][chosen]) for key in ("inputs", "label", "weight")
    )
    share = torch.from_numpy(rows["share"][chosen])
    weights = weights.float() * (share / USUAL_SHARE).clamp(SMALLEST, LARGEST) ** recipe.power
    some = inputs[torch.randint(len(inputs), (200_000,))].float()
    mean, deviation = some.mean(0), some.std(0) + 1e-2
    sizes = (inputs.shape[1], *HIDDEN)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(recipe.dropout)]
    model = nn.Sequential(*layers[:-1], nn.Linear(sizes[-1], 1))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.decay)
    steps = int(recipe.epochs * len(inputs) / BATCH) + 1
    torch.set_flush_denormal(True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(inputs), (BATCH,))
        values = ((inputs[batch].float() - mean) / deviation).clamp(-6, 6)
        losses = nn.functional.binary_cross_entropy_with_logits(
            model(values)[:, 0], labels[batch].float(), reduction="none"
        )
        loss = (losses * weights[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    return Perceptron(
        mean=mean.numpy(),
        deviation=deviation.numpy(),
        weights=tuple(np.ascontiguousarray(layer.weight.detach().numpy().T) for layer in linear),
        biases=tuple(layer.bias.detach().numpy() for layer in linear),
    )


def mean_of(networks: Sequence[Perceptron]) -> Perceptron:
    """Make several perceptrons one whose log odds are their mean, layer beside layer."""
    mean, deviation = networks[0].mean, networks[0].deviation
    layers = list(zip(*(network.weights for network in networks), strict=True))
    biases = list(zip(*(network.biases for network in networks), strict=True))
    # All read inputs that are standardised, and bounded, as for the first.
    weights = [
        weight * (deviation / network.deviation)[:, None]
        for network, weight in zip(networks, layers[0], strict=True)
    ]
    shifts = [
        bias + ((mean - network.mean) / network.deviation) @ weight
        for network, weight, bias in zip(networks, layers[0], biases[0], strict=True)
    ]
    merged = [
        np.concatenate(weights, axis=1),
        *(linalg.block_diag(*layer) for layer in layers[1:-1]),
        np.concatenate(layers[-1]) / len(networks),
    ]
    added = [
        np.concatenate(shifts),
        *(np.concatenate(layer) for layer in biases[1:-1]),
        np.mean(biases[-1], axis=0),
    ]
    return Perceptron(
        mean=mean,
        deviation=deviation,
        weights=tuple(np.ascontiguousarray(weight, dtype=np.float32) for weight in merged),
        biases=tuple(np.asarray(bias, dtype=np.float32) for bias in added),
    )


def loss_on(rows: Rows, folds: set[int], perceptron: Perceptron) -> float:
    chosen = np.flatnonzero(np.isin(rows["fold"], list(folds)))[::10]
    odds = perceptron.log_odds(rows["inputs"][chosen].astype(np.float32)).astype(np.float64)
    label, weight = (rows[key][chosen].astype(np.float64) for key in ("label", "weight"))
    return float((weight * (np.logaddexp(0, odds) - label * odds)).mean())


def _report(name: str, rows: Rows, folds: set[int], network: Perceptron) -> None:
    fitted, held_out = loss_on(rows, folds, network), loss_on(rows, {0}, network)
    print(f"{name} loss {fitted:.4f}, held out {held_out:.4f}", flush=True)


def fit_alone(sources: Sequence[Path], networks: Path) -> None:
    rows = read_rows(sources, EVIDENCE_COLUMNS)
    # A picture of an odd fold is clicked by the network of the odd file, fitted to even ones.
    for file, folds in (("alone", {1, 2, 3, 4, 5}), ("alone-1", {2, 4}), ("alone-0", {1, 3, 5})):
        network = fit(rows, folds, ALONE)
        save_file(network.tensors("alone"), networks / f"{file}.safetensors")
        _report(file, rows, folds, network)


def fit_together(sources: Sequence[Path], networks: Path, target: Path, folds: set[int]) -> None:
    rows = read_rows(sources)
    fits = [fit(rows, folds, recipe, seed) for seed, recipe in enumerate(TOGETHER)]
    network = mean_of(fits)
    for each in (*fits, network):
        _report("together", rows, folds, each)
    save_file(load_file(networks / "alone.safetensors") | network.tensors("together"), target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("alone", "together"))
    parser.add_argument("places", type=Path, nargs="+")
    parser.add_argument("--all", action="store_true", help="fit to the held-out pictures too")
    options = parser.parse_args()
    if options.kind == "alone":
        *sources, networks = options.places
        fit_alone(sources, networks)
        return
    *sources, networks, target = options.places
    fit_together(sources, networks, target, {0, 1, 2, 3, 4, 5} if options.all else {1, 2, 3, 4, 5})


if __name__ == "__main__":
    main()
