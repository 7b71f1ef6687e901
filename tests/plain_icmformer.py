"""iCMFormer and iCMFormer++ written plainly, over tensors by their names: one window after another.

Only the description was read for it; all in fp64. Slow, and meant to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import plain_hrnet
import plain_simpleclick as plain
from plain_simpleclick import Array, Tensors

_AT = "compare.features.network"
_IS_HRNET = f"{_AT}.layer1.0.conv1.weight"
_CALLED_BY_AUTHORS = (
    ("attention.qkv", "attn.qkv"),
    ("attention.out", "attn.proj"),
    ("mlp.0", "mlp.fc1"),
    ("mlp.2", "mlp.fc2"),
    ("neck.levels.0", "neck.down_4"),
    ("neck.levels.1", "neck.down_8"),
    ("neck.levels.2", "neck.down_16"),
    ("neck.levels.3", "neck.down_32"),
)


def numbers(network: nn.Module) -> dict[str, Array]:
    """All tensors, those of blocks and pyramid called as SimpleClick's authors call them."""
    called = {}
    for name, values in network.state_dict().items():
        for ours, theirs in _CALLED_BY_AUTHORS:
            name = name.replace(ours, theirs)
        called[name] = values.double().numpy()
    return called


class Picture:
    """One picture, (3, H, W) in [0, 1], and the network that looks at it."""

    def __init__(
        self, tensors: Tensors, image: Array, *, heads: int, window: int, global_every: int
    ) -> None:
        self.tensors, self.image = tensors, image
        self.heads, self.window, self.every = heads, window, global_every
        self.colours = (image - plain.MEAN[:, None, None]) / plain.DEVIATION[:, None, None]
        blocks = [name for name in tensors if name.startswith("backbone.blocks.")]
        self.depth = 1 + max(int(name.split(".")[2]) for name in blocks)
        self.half = self.depth // 2

    def places(self, tokens: Array) -> Array:
        """The network's own grid only."""
        learnt = self.tensors["backbone.position"][0].transpose(1, 2, 0)
        assert learnt.shape == tokens.shape
        return np.asarray(tokens + learnt)

    def of_colours(self, colours: Array) -> Array:
        tokens = self.places(plain.patches(self.tensors, "backbone.embed", colours))
        return self.run("backbone.blocks", tokens, 0, self.half)

    def of_maps(self, maps: Array) -> Array:
        tokens = self.places(plain.patches(self.tensors, "guidance", maps))
        return self.run("backbone.blocks", tokens, 0, self.half)

    def run(self, name: str, tokens: Array, start: int, stop: int, *, shift: int = 0) -> Array:
        """Blocks ``start`` to ``stop``, called by their number less ``shift``."""
        tokens = tokens.copy()
        for number in range(start, stop):
            for y, x in self.windows(number, tokens):
                seen = tokens[y, x]
                changed = plain.block(
                    self.tensors, f"{name}.{number - shift}", flat(seen), self.heads
                )
                tokens[y, x] = changed.reshape(seen.shape)
        return tokens

    def windows(self, number: int, tokens: Array) -> list[tuple[slice, slice]]:
        rows, columns, _ = tokens.shape
        whole = (number + 1) % self.every == 0
        return plain.windows(rows, columns, max(rows, columns) if whole else self.window)

    def logits(self, tokens: Array) -> Array:
        levels = plain.pyramid(self.tensors, tokens.transpose(2, 0, 1))
        return head(self.tensors, levels, self.image.shape[1:])


def head(tensors: Tensors, levels: Sequence[Array], size: tuple[int, ...]) -> Array:
    seen = [
        plain.resized(
            plain.relu(plain.pointwise(tensors, f"head.levels.{i}", level)),
            levels[0].shape[1:],
            corners=False,
        )
        for i, level in enumerate(levels)
    ]
    fused = plain.relu(plain.pointwise(tensors, "head.fuse", np.concatenate(seen)))
    return plain.resized(plain.pointwise(tensors, "head.classify", fused), size, corners=True)[0]


def icmformer(picture: Picture, guidance: Array) -> Array:
    """(3, H, W) of guidance to (H, W)."""
    image, clicks = picture.of_colours(picture.colours), picture.of_maps(guidance)
    count = 1 + max(int(name.split(".")[1]) for name in picture.tensors if name[:6] == "cross.")
    for number in range(count):
        for y, x in picture.windows(number, clicks):
            seen = clicks[y, x]
            clicks[y, x] = cross_modality(
                picture.tensors, f"cross.{number}", flat(seen), flat(image[y, x]), picture.heads
            ).reshape(seen.shape)
    tokens = picture.run("backbone.blocks", image + clicks, picture.half, picture.depth)
    return picture.logits(tokens)


def cross_modality(tensors: Tensors, at: str, clicks: Array, image: Array, heads: int) -> Array:
    normed = plain.layer_norm(tensors, f"{at}.norm1", clicks)
    asked, keys, values = np.split(plain.linear(tensors, f"{at}.attn.qkv", normed), 3, axis=1)
    mixed = attention(asked, keys, values, heads)
    clicks = clicks + plain.linear(tensors, f"{at}.attn.proj", mixed)
    asked = plain.layer_norm(tensors, f"{at}.norm2", clicks)
    answering = plain.layer_norm(tensors, f"{at}.norm2", image)
    clicks = clicks + cross_attention(tensors, f"{at}.cross", asked, answering, heads)
    hidden = plain.linear(
        tensors, f"{at}.mlp.fc1", plain.layer_norm(tensors, f"{at}.norm3", clicks)
    )
    return clicks + plain.linear(tensors, f"{at}.mlp.fc2", plain.gelu(hidden))


def cross_attention(
    tensors: Tensors,
    at: str,
    asking: Array,
    answering: Array,
    heads: int,
    guide: Array | None = None,
) -> Array:
    """What all is projected to, and then only the needed part is taken."""
    queries = np.split(plain.linear(tensors, f"{at}.qkv", asking), 3, axis=1)[0]
    _, keys, values = np.split(plain.linear(tensors, f"{at}.qkv", answering), 3, axis=1)
    if guide is not None:
        queries = queries + guide
    return plain.linear(tensors, f"{at}.out", attention(queries, keys, values, heads))


def attention(queries: Array, keys: Array, values: Array, heads: int) -> Array:
    mixed = np.empty_like(queries)
    width = queries.shape[1] // heads
    for first in range(0, queries.shape[1], width):
        part = slice(first, first + width)
        for k, query in enumerate(queries[:, part]):
            weights = softmax(keys[:, part] @ query / math.sqrt(width))
            mixed[k, part] = weights @ values[:, part]
    return mixed


def icmformer_pp(
    picture: Picture, guidance: Array, exemplar: Array, *, scales: Sequence[float], side: int
) -> Array:
    """(3, H, W) of guidance and of the exemplar to (H, W), all parts at work."""
    image, rest = picture.of_colours(picture.colours), picture.depth - picture.half
    stream = image + picture.of_maps(exemplar)
    stream = picture.run("exemplar", stream, picture.half, picture.depth, shift=picture.half)
    assert rest == sum(
        name.endswith("norm1.bias") for name in picture.tensors if "exemplar" in name
    )
    recall = image + picture.of_maps(guidance)
    recall = picture.run("backbone.blocks", recall, picture.half, picture.depth)
    guide = guided_query(picture, exemplar[0], recall.shape[:2], scales=scales, side=side)
    count = 1 + max(int(name.split(".")[1]) for name in picture.tensors if name[:6] == "cross.")
    for number in range(count):
        at, before = f"cross.{number}", recall.copy()
        for y, x in picture.windows(number, recall):
            asking = plain.layer_norm(picture.tensors, f"{at}.norm1", flat(before[y, x]))
            answering = plain.layer_norm(picture.tensors, f"{at}.norm1", flat(stream[y, x]))
            seen = cross_attention(
                picture.tensors, f"{at}.cross", asking, answering, picture.heads, flat(guide[y, x])
            )
            recall[y, x] += seen.reshape(recall[y, x].shape)
        normed = plain.layer_norm(picture.tensors, f"{at}.norm2", flat(recall))
        hidden = plain.relu(plain.linear(picture.tensors, f"{at}.mlp.fc1", normed))
        recall = recall + plain.linear(picture.tensors, f"{at}.mlp.3", hidden).reshape(recall.shape)
    return picture.logits(channel_fusion(picture.tensors, stream, recall))


def channel_fusion(tensors: Tensors, stream: Array, recall: Array) -> Array:
    both = np.concatenate([stream, recall], axis=2).transpose(2, 0, 1)
    mixed = plain.pointwise(tensors, "fusion.mix.0", both)
    weight, bias = tensors["fusion.mix.1.weight"], tensors["fusion.mix.1.bias"]
    padded = np.pad(mixed, ((0, 0), (1, 1), (1, 1)))
    around = np.zeros_like(mixed)
    for i in range(mixed.shape[1]):
        for j in range(mixed.shape[2]):
            around[:, i, j] = (padded[:, i : i + 3, j : j + 3] * weight[:, 0]).sum(axis=(1, 2))
    mixed = plain.relu(around + bias[:, None, None])
    mixed = over_all(tensors, "fusion.mix.4", plain.pointwise(tensors, "fusion.mix.3", mixed))
    skipped = np.tensordot(tensors["fusion.skip.weight"][:, :, 0, 0], both, axes=(1, 0))
    return over_all(tensors, "fusion.norm", mixed + skipped).transpose(1, 2, 0)


def guided_query(
    picture: Picture, mask: Array, grid: tuple[int, ...], *, scales: Sequence[float], side: int
) -> Array:
    """(rows, columns, dim); 0 without an exemplar."""
    tensors, dim = picture.tensors, picture.tensors["compare.project.bias"].shape[0]
    if not (mask > 0.5).any():
        return np.zeros((*grid, dim))
    whole = projected(tensors, picture.colours)
    responses = []
    for scale in scales:
        top, bottom, left, right = enlarged(mask > 0.5, scale)
        part = picture.colours[:, top:bottom, left:right]
        crop = projected(tensors, plain.resized(part, (side, side), corners=False))
        cells = 32 if _IS_HRNET in tensors else 64
        down, across = ((length // cells) * 2 + 1 for length in (bottom - top, right - left))
        responses.append(slid(averaged(crop, down, across), whole))
    normed = [
        (each - each.mean()) / np.sqrt(each.var() + 1e-5) * weight + bias
        for each, weight, bias in zip(
            responses, tensors["compare.norm.weight"], tensors["compare.norm.bias"], strict=True
        )
    ]
    alike = np.apply_along_axis(softmax, 0, np.stack(normed))
    tokens = flat(plain.resized(alike, grid, corners=False).transpose(1, 2, 0))
    hidden = plain.gelu(plain.linear(tensors, "compare.guide.0", tokens))
    return plain.linear(tensors, "compare.guide.2", hidden).reshape(*grid, dim)


def enlarged(on: Array, scale: float) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of the box around a mask, in whole pixels of the picture."""
    sides = []
    for axis in (1, 0):
        places = np.flatnonzero(on.any(axis=axis))
        first, last = places[0], places[-1] + 1
        more = (scale - 1) * (last - first) / 2
        start = round(float(first - more))
        stop = max(start + 1, round(float(last + more)))
        sides += [max(0, start), min(on.shape[1 - axis], stop)]
    return sides[0], sides[1], sides[2], sides[3]


def projected(tensors: Tensors, colours: Array) -> Array:
    """What the network for crops sees, in the common space."""
    look = of_hrnet if _IS_HRNET in tensors else of_resnet
    values = look(tensors, torch.from_numpy(colours)[None])
    weight, bias = (torch.from_numpy(tensors[f"compare.project.{k}"]) for k in ("weight", "bias"))
    return functional.conv2d(values, weight, bias, padding=1)[0].numpy()


def of_hrnet(tensors: Tensors, values: torch.Tensor) -> torch.Tensor:
    """Four branches on the cells of the third."""
    at = f"{_AT}."
    own = {k.removeprefix(at): torch.from_numpy(v) for k, v in tensors.items() if at in k}
    branches = plain_hrnet.branches(own, values)
    cells = branches[2].shape[2:]
    joined = [each.unflatten(2, (cells[0], -1)).mean(dim=3) for each in branches[:3]]
    joined = [each.unflatten(3, (cells[1], -1)).mean(dim=4) for each in joined]
    coarse = plain.resized(branches[3][0].numpy(), tuple(cells), corners=False)
    return torch.cat([*joined, torch.from_numpy(coarse)[None]], dim=1)


def of_resnet(tensors: Tensors, values: torch.Tensor) -> torch.Tensor:
    """A residual network with two convolutions a block."""
    at = _AT
    values = _conv(tensors, f"{at}.embedder.embedder", values, stride=2, padding=3).relu()
    values = functional.max_pool2d(values, 3, stride=2, padding=1)
    for stage in range(4):
        layer = f"{at}.encoder.stages.{stage}.layers"
        for number in range(
            sum(f"{layer}.{k}.layer.0.convolution.weight" in tensors for k in range(99))
        ):
            stride, name = 2 if stage and not number else 1, f"{layer}.{number}"
            inner = _conv(tensors, f"{name}.layer.0", values, stride=stride, padding=1).relu()
            inner = _conv(tensors, f"{name}.layer.1", inner, padding=1)
            if f"{name}.shortcut.convolution.weight" in tensors:
                values = _conv(tensors, f"{name}.shortcut", values, stride=stride)
            values = (values + inner).relu()
    return values


def _conv(
    tensors: Tensors, name: str, values: torch.Tensor, *, stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """A convolution, then its batch norm with the statistics that it came with."""
    weight = torch.from_numpy(tensors[f"{name}.convolution.weight"])
    values = functional.conv2d(values, weight, stride=stride, padding=padding)
    mean, variance, factor, bias = (
        torch.from_numpy(tensors[f"{name}.normalization.{k}"])[:, None, None]
        for k in ("running_mean", "running_var", "weight", "bias")
    )
    return (values - mean) / (variance + 1e-5).sqrt() * factor + bias


def averaged(features: Array, rows: int, columns: int) -> Array:
    """Means over cells that cover all of the features, sharing what lies between."""
    means = np.empty((len(features), rows, columns))
    height, width = features.shape[1:]
    for i in range(rows):
        for j in range(columns):
            y = slice(i * height // rows, -(-(i + 1) * height // rows))
            x = slice(j * width // columns, -(-(j + 1) * width // columns))
            means[:, i, j] = features[:, y, x].mean(axis=(1, 2))
    return means


def slid(kernel: Array, features: Array) -> Array:
    """A kernel's product with each place and its neighbours, by the root of its size."""
    down, across = kernel.shape[1] // 2, kernel.shape[2] // 2
    padded = np.pad(features, ((0, 0), (down, down), (across, across)))
    found = np.empty(features.shape[1:])
    for i in range(found.shape[0]):
        for j in range(found.shape[1]):
            place = padded[:, i : i + kernel.shape[1], j : j + kernel.shape[2]]
            found[i, j] = (place * kernel).sum() / math.sqrt(kernel.size)
    return found


def over_all(tensors: Tensors, name: str, values: Array) -> Array:
    """A norm over channels and places together."""
    normed = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return normed * weight[:, None, None] + bias[:, None, None]


def softmax(values: Array) -> Array:
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def flat(tokens: Array) -> Array:
    return tokens.reshape(-1, tokens.shape[-1])
