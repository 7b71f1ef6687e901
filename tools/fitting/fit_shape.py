"""Fit the shape network to what `collect_shapes.py` wrote down, and write it as ONNX. Needs torch.

    python tools/fitting/fit_shape.py LESSONS src/fewclicks/methods/markov/shape.onnx --minutes 60

A fifth of the pictures is not fitted to, unless `--all` is given; how well the opinion of their
pixels agrees with the truth, before and after, is printed. Beside the ONNX file lie the network's
numbers as they were at the last look, `NAME.safetensors`; `--start` begins with such a file or with
an ONNX file. Several folders of lessons may stand before the network's name.
"""

from __future__ import annotations

import argparse
import copy
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from fewclicks.clicks import Click
from fewclicks.files import written_beside
from fewclicks.methods.markov.shape_view import CHANNELS, SIDE, Square, see, square_around
from fewclicks.training.student_export import write_small_onnx

BATCH, DECAY, WARM_UP, LOOK = 16, 0.02, 100, 200
EDGE, EDGE_WEIGHT = 5, 0.25  # polygons of labels are no outlines: they count less near the edge
HELD_LESSONS = 400
Lesson: TypeAlias = tuple["Picture", int]


class ShapeLayers(nn.Module):
    """From what is seen to log odds to add: down to a sixteenth of the side, and up again."""

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        full, half, quarter, eighth, least = widths
        self.at_full = _layer(CHANNELS, full)
        self.at_half = nn.Sequential(_layer(full, half, 2), _layer(half, half))
        self.at_quarter = nn.Sequential(
            _layer(half, quarter, 2), _layer(quarter, quarter), _layer(quarter, quarter)
        )
        self.at_eighth = nn.Sequential(
            _layer(quarter, eighth, 2), _layer(eighth, eighth), _layer(eighth, eighth)
        )
        self.at_least = nn.Sequential(
            _layer(eighth, least, 2), _layer(least, least), _layer(least, least)
        )
        self.drop = nn.Dropout2d(0.1)
        self.to_eighth = _layer(least + eighth, eighth)
        self.to_quarter = _layer(eighth + quarter, quarter)
        self.to_half = _layer(quarter + half, half)
        self.answer = nn.Conv2d(half, 1, 3, padding=1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, seen: Tensor) -> Tensor:
        half = self.at_half(self.at_full(seen))
        quarter = self.at_quarter(half)
        eighth = self.at_eighth(quarter)
        up = self.to_eighth(torch.cat([_twice(self.drop(self.at_least(eighth))), eighth], 1))
        up = self.to_quarter(torch.cat([_twice(up), quarter], 1))
        up = self.to_half(torch.cat([_twice(up), half], 1))
        return _twice(self.answer(up))


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _twice(planes: Tensor) -> Tensor:
    return functional.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)


class Picture:
    """A picture with its lessons, as `collect_shapes.py` wrote them."""

    def __init__(self, file: Path) -> None:
        self.name = file.stem
        with np.load(file) as arrays:
            self.arrays = dict(arrays)
        self.shape = self.arrays["labels"].shape
        self.sizes = [float(self.mask("truth", k).mean()) for k in range(len(self.arrays["truth"]))]

    @property
    def is_held(self) -> bool:
        return zlib.crc32(self.name.encode()) % 5 == 0

    def mask(self, key: str, number: int) -> NDArray[np.bool_]:
        packed = self.arrays[key][number]
        return np.unpackbits(packed, count=self.shape[0] * self.shape[1]).reshape(self.shape) > 0

    def weight(self, lesson: int) -> float:
        """Large objects are the commoner wish; what is good already teaches less."""
        size = self.sizes[self.arrays["of"][lesson]]
        return min(1.5, 0.2 + 2 * size**0.5) * (1.3 if self.arrays["iou"][lesson] < 0.95 else 0.3)


@dataclass(frozen=True)
class Shown:
    """Lessons side by side: what is seen, the opinion, the truth, and what each pixel counts."""

    seen: Tensor
    opinion: Tensor
    truth: Tensor
    weight: Tensor


def show(lesson: Lesson, chance: np.random.Generator | None) -> tuple[NDArray[np.float32], ...]:
    """Draw a lesson, by chance moved, enlarged, mirrored and in other light."""
    picture, number = lesson
    arrays, (height, width) = picture.arrays, picture.shape
    clicks = [
        Click(x=int(x * width), y=int(y * height), is_positive=bool(positive))
        for x, y, positive in arrays["clicks"][number]
        if positive >= 0
    ]
    opinion = arrays["opinion"][number].astype(np.float32)[arrays["labels"]]
    margin = {} if chance is None else {"margin": chance.uniform(0.15, 0.55)}
    square = square_around(opinion > 0, clicks, **margin)
    if chance is not None:
        across, down, larger = chance.normal(size=3)
        square = Square(
            x=square.x + 0.05 * square.side * across,
            y=square.y + 0.05 * square.side * down,
            side=square.side * float(np.exp(0.1 * larger)),
            is_mirrored=bool(chance.random() < 0.5),
        )
    seen = see(arrays["image"], opinion, picture.mask("previous", number), clicks, square)
    of = arrays["of"][number]
    labels = [picture.mask(key, of).astype(np.float32) for key in ("truth", "void")]
    truth, void = np.moveaxis(square.read(np.dstack(labels)), -1, 0)
    if chance is not None:
        seen[:3] *= chance.uniform(0.8, 1.2)
        seen[:3] += chance.normal(0, 0.1, (3, 1, 1)).astype(np.float32)
    return seen, seen[3] * 4, (truth > 0.5).astype(np.float32), seen[8] * (1 - void)


def batch(lessons: Sequence[Lesson], chance: np.random.Generator | None = None) -> Shown:
    parts = zip(*(show(lesson, chance) for lesson in lessons), strict=True)
    seen, opinion, truth, weight = (torch.from_numpy(np.stack(part)) for part in parts)
    return Shown(seen.to(memory_format=torch.channels_last), opinion, truth, weight)


def loss_of(logits: Tensor, shown: Shown) -> Tensor:
    """Cross entropy and one less the soft IoU, for each lesson alike."""
    truth = shown.truth[:, None]
    edge = functional.max_pool2d(truth, EDGE, 1, EDGE // 2) + functional.max_pool2d(
        -truth, EDGE, 1, EDGE // 2
    )
    weight = shown.weight * (1 - (1 - EDGE_WEIGHT) * edge[:, 0].abs())
    sides = (1, 2)
    each = functional.binary_cross_entropy_with_logits(logits, shown.truth, reduction="none")
    entropy = (each * weight).sum(sides) / weight.sum(sides).clamp(min=1)
    odds = torch.sigmoid(logits)
    both = (odds * shown.truth * weight).sum(sides)
    either = ((odds + shown.truth - odds * shown.truth) * weight).sum(sides)
    return (entropy + 0.5 * (1 - (both + 1) / (either + 1))).mean()


def answer(network: nn.Module, shown: Shown) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        change = network(shown.seen)
    return shown.opinion + change.float()[:, 0]


def agreement(network: nn.Module, lessons: Sequence[Lesson]) -> str:
    """Mean IoU of the opinion's pixels, before and after, by the lessons' weights, in words."""
    if not lessons:
        return "no picture is held back, so no IoU"
    network.eval()
    found = []
    with torch.no_grad():
        for begin in range(0, len(lessons), BATCH):
            shown = batch(lessons[begin : begin + BATCH])
            truth = shown.truth > 0.5
            ious = []
            for logits in (shown.opinion, answer(network, shown)):
                both = (((logits > 0) & truth) * shown.weight).sum((1, 2))
                either = (((logits > 0) | truth) * shown.weight).sum((1, 2))
                ious.append(both / either.clamp(min=1))
            found.append(torch.stack(ious))
    weight = torch.tensor([picture.weight(number) for picture, number in lessons])
    before, after = ((torch.cat(found, 1) * weight).sum(1) / weight.sum()).tolist()
    return f"IoU {before:.4f}, then {after:.4f}"


def read_written(network: nn.Module, file: Path, shown: Shown) -> None:
    """Take the numbers of an ONNX file, where each layer's scale is part of its weights.

    The scale is found anew from what the lessons make of each layer, so that learning goes on as if
    it had never stopped.
    """
    model = onnx.load(file)
    known = {each.name: each for each in model.graph.initializer}
    cast = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    numbers = [
        [
            torch.tensor(onnx.numpy_helper.to_array(known[cast.get(name, name)])).float()
            for name in node.input[1:]
        ]
        for node in model.graph.node
        if node.op_type == "Conv"
    ]
    convolutions = [each for each in network.modules() if isinstance(each, nn.Conv2d)]
    scales = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    with torch.no_grad():
        for convolution, (weight, bias) in zip(convolutions, numbers, strict=True):
            convolution.weight.copy_(weight)
            if convolution.bias is not None:
                convolution.bias.copy_(bias)
        measuring = [
            scale.register_forward_pre_hook(partial(_measure, bias=bias))
            for scale, (_, bias) in zip(scales, numbers, strict=False)
        ]
        network.eval()(shown.seen)
    for each in measuring:
        each.remove()


def _measure(scale: nn.BatchNorm2d, given: tuple[Tensor], *, bias: Tensor) -> None:
    """Let a layer's scale change what it is given by its bias only."""
    variance, mean = torch.var_mean(given[0], (0, 2, 3))
    scale.running_mean.copy_(mean)
    scale.running_var.copy_(variance)
    scale.weight.copy_((variance + scale.eps).sqrt())
    scale.bias.copy_(bias + mean)


def follow(slow: nn.Module, fast: nn.Module, step: int) -> None:
    """Let the mean of the last few hundred steps follow."""
    share = 1 - min(0.998, step / (step + 20))
    with torch.no_grad():
        for kept, new in zip(slow.state_dict().values(), fast.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, share)
            else:
                kept.copy_(new)


def keep(network: nn.Module, out: Path) -> None:
    named = {name: value.contiguous() for name, value in network.state_dict().items()}
    with written_beside(out.with_suffix(".safetensors")) as beside:
        save_file(named, beside)


def fit(options: argparse.Namespace, pictures: Sequence[Picture]) -> nn.Module:
    lessons = [(each, k) for each in pictures for k in range(len(each.arrays["of"]))]
    held = [lesson for lesson in lessons if lesson[0].is_held]
    chance = np.random.default_rng(options.seed)
    held = [held[k] for k in chance.permutation(len(held))[:HELD_LESSONS]]
    taught = [lesson for lesson in lessons if options.all or not lesson[0].is_held]
    if not taught:
        raise SystemExit(f"{options.lessons[0]} holds no lessons to fit to; collect some first.")
    weights = np.array([picture.weight(number) for picture, number in taught])
    weights /= weights.sum()
    torch.manual_seed(options.seed)
    network = ShapeLayers().to(memory_format=torch.channels_last)
    if options.start and options.start.suffix == ".onnx":
        drawn = chance.choice(len(taught), 8 * BATCH, p=weights)
        read_written(network, options.start, batch([taught[k] for k in drawn], chance))
    elif options.start:
        network.load_state_dict(load_file(options.start))
    print(f"begins: {agreement(network, held)}", flush=True)
    slow = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY, fused=True)
    begun, step = time.monotonic(), 0
    while (done := (time.monotonic() - begun) / 60 / options.minutes) < 1:
        rate = options.rate * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = rate + 0.01 * options.rate
        network.train()
        drawn = chance.choice(len(taught), BATCH, p=weights)
        shown = batch([taught[k] for k in drawn], chance)
        loss = loss_of(answer(network, shown), shown)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1
        follow(slow, network, step)
        if step % LOOK == 0:
            print(f"{step} steps, {done:.0%}: {agreement(slow, held)}", flush=True)
            keep(slow, options.out)
    print(f"{step} steps: {agreement(slow, held)}", flush=True)
    keep(slow, options.out)
    return slow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--start", type=Path, help="numbers of an earlier fit")
    parser.add_argument("--all", action="store_true", help="fit to the held pictures as well")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    files = [file for folder in options.lessons for file in sorted(folder.glob("*.npz"))]
    network = fit(options, [Picture(file) for file in files])
    example = torch.zeros(1, CHANNELS, SIDE, SIDE)
    write_small_onnx(network, example, options.out, takes="seen", gives="change")


if __name__ == "__main__":
    main()
