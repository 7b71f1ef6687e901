"""Fit the evidence network to what `collect.py` wrote down. Needs torch.

    python tools/evidence/fit.py alone runs/evidence/alone runs/evidence
    python tools/evidence/fit.py together runs/evidence/together runs/evidence/again \
        runs/evidence src/fewclicks/methods/markov/evidence.safetensors

The first command writes three networks that weigh a region by itself: one for use, and two that
have each seen half of the pictures. The second fits the network that hears the first one's
opinion, which for every picture came from a network that had not seen it. Fold 0 is never fitted
to; the loss on it is printed.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from fewclicks.methods.markov.evidence_network import Perceptron

EVIDENCE_COLUMNS = 71
HIDDEN = (64, 32)
EPOCHS, BATCH, PEAK_RATE, DECAY, DROPOUT = 5, 4096, 5e-3, 1e-2, 0.1


def read_rows(folders: list[Path], columns: int | None) -> dict[str, NDArray[np.generic]]:
    parts = [np.load(path) for folder in folders for path in sorted(folder.glob("*.npz"))]
    rows = {key: np.concatenate([p[key] for p in parts]) for key in ("label", "weight", "fold")}
    rows["inputs"] = np.concatenate([part["context"][:, :columns] for part in parts])
    return rows


def fit(rows: dict[str, NDArray[np.generic]], folds: set[int], seed: int = 0) -> Perceptron:
    """Weighted logistic regression through two hidden layers, one cycle of the learning rate."""
    torch.manual_seed(seed)
    chosen = np.isin(rows["fold"], list(folds))
    inputs, labels, weights = (
        torch.from_numpy(rows[key][chosen]) for key in ("inputs", "label", "weight")
    )
    some = inputs[torch.randint(len(inputs), (200_000,))].float()
    mean, deviation = some.mean(0), some.std(0) + 1e-2
    sizes = (inputs.shape[1], *HIDDEN)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(DROPOUT)]
    model = nn.Sequential(*layers[:-1], nn.Linear(sizes[-1], 1))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    steps = EPOCHS * (len(inputs) // BATCH)
    torch.set_flush_denormal(True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(inputs), (BATCH,))
        values = ((inputs[batch].float() - mean) / deviation).clamp(-6, 6)
        losses = nn.functional.binary_cross_entropy_with_logits(
            model(values)[:, 0], labels[batch].float(), reduction="none"
        )
        loss = (losses * weights[batch].float()).mean()
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


def loss_on(rows: dict[str, NDArray[np.generic]], folds: set[int], perceptron: Perceptron) -> float:
    chosen = np.flatnonzero(np.isin(rows["fold"], list(folds)))[::10]
    odds = perceptron.log_odds(rows["inputs"][chosen].astype(np.float32)).astype(np.float64)
    label, weight = (rows[key][chosen].astype(np.float64) for key in ("label", "weight"))
    return float((weight * (np.logaddexp(0, odds) - label * odds)).mean())


def main() -> None:
    kind, *places = sys.argv[1:]
    if kind == "alone":
        *sources, networks = map(Path, places)
        rows = read_rows(sources, EVIDENCE_COLUMNS)
        # A picture of an odd fold is clicked by the network of the odd file, fitted to even ones.
        for file, folds in (
            ("alone", {1, 2, 3, 4, 5}),
            ("alone-1", {2, 4}),
            ("alone-0", {1, 3, 5}),
        ):
            network = fit(rows, folds)
            save_file(network.tensors("alone"), networks / f"{file}.safetensors")
            print(
                file,
                f"loss {loss_on(rows, folds, network):.4f}, held out "
                f"{loss_on(rows, {0}, network):.4f}",
                flush=True,
            )
        return
    *sources, networks, target = map(Path, places)
    rows = read_rows(sources, None)
    network = fit(rows, {1, 2, 3, 4, 5})
    print(
        f"together loss {loss_on(rows, {1, 2, 3, 4, 5}, network):.4f}, held out "
        f"{loss_on(rows, {0}, network):.4f}"
    )
    named = load_file(networks / "alone.safetensors") | network.tensors("together")
    save_file(named, target)


if __name__ == "__main__":
    main()
