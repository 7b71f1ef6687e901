"""SimpleClick written plainly, over tensors as its authors call them: loops, sums, no fused layer.

Only the description was read for it: one head, one window, one channel pair after the other, in
fp64. Slow, and meant to be.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from torch import nn

Array = NDArray[np.float64]
Tensors = Mapping[str, Array]

MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])


def logits(
    tensors: Tensors, image: Array, guidance: Array, *, heads: int, window: int, global_every: int
) -> Array:
    """(3, H, W) in [0, 1] and (3, H, W) to (H, W)."""
    tokens = embedded(tensors, image) + patches(tensors, "patch_embed_coords.proj", guidance)
    features = encoded(tensors, tokens, heads=heads, window=window, global_every=global_every)
    return decoded(tensors, features, image.shape[1:])


def embedded(tensors: Tensors, image: Array) -> Array:
    """(3, H, W) in [0, 1] to (rows, columns, dim), places added."""
    normed = (image - MEAN[:, None, None]) / DEVIATION[:, None, None]
    tokens = patches(tensors, "backbone.patch_embed.proj", normed)
    return tokens + tensors["backbone.pos_embed"][0, 1:].reshape(tokens.shape)


def encoded(
    tensors: Tensors, tokens: Array, *, heads: int, window: int, global_every: int
) -> Array:
    """(rows, columns, dim) through all blocks."""
    tokens = tokens.copy()
    rows, columns, dim = tokens.shape
    depth = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("backbone.bl"))
    for number in range(1, depth + 1):
        at = f"backbone.blocks.{number - 1}"
        whole = number % global_every == 0
        for y, x in windows(rows, columns, max(rows, columns) if whole else window):
            seen = tokens[y, x]
            changed = block(tensors, at, seen.reshape(-1, dim), heads)
            tokens[y, x] = changed.reshape(seen.shape)
    return tokens


def decoded(tensors: Tensors, features: Array, shape: tuple[int, ...]) -> Array:
    """(rows, columns, dim) to (H, W)."""
    levels = pyramid(tensors, features.transpose(2, 0, 1))
    size = levels[0].shape[1:]
    seen = [
        resized(relu(pointwise(tensors, f"head.convs.{i}.conv", level)), size, corners=False)
        for i, level in enumerate(levels)
    ]
    fused = relu(pointwise(tensors, "head.fusion_conv.conv", np.concatenate(seen)))
    coarse = pointwise(tensors, "head.conv_seg", fused)
    return resized(coarse, shape, corners=True)[0]


def windows(rows: int, columns: int, window: int) -> list[tuple[slice, slice]]:
    down, across = max(1, rows // window), max(1, columns // window)
    height, width = rows // down, columns // across
    return [
        (slice(i * height, (i + 1) * height), slice(j * width, (j + 1) * width))
        for i in range(down)
        for j in range(across)
    ]


def patches(tensors: Tensors, name: str, picture: Array) -> Array:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    side = weight.shape[-1]
    rows, columns = picture.shape[1] // side, picture.shape[2] // side
    tokens = np.empty((rows, columns, weight.shape[0]))
    for i in range(rows):
        for j in range(columns):
            patch = picture[:, i * side : (i + 1) * side, j * side : (j + 1) * side]
            tokens[i, j] = weight.reshape(len(weight), -1) @ patch.ravel() + bias
    return tokens


def block(tensors: Tensors, at: str, tokens: Array, heads: int) -> Array:
    normed = layer_norm(tensors, f"{at}.norm1", tokens)
    queries, keys, values = np.split(linear(tensors, f"{at}.attn.qkv", normed), 3, axis=1)
    mixed = np.empty_like(tokens)
    of_head = tokens.shape[1] // heads
    for head in range(heads):
        part = slice(head * of_head, (head + 1) * of_head)
        scores = queries[:, part] @ keys[:, part].T / np.sqrt(of_head)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed[:, part] = weights / weights.sum(axis=1, keepdims=True) @ values[:, part]
    tokens = tokens + linear(tensors, f"{at}.attn.proj", mixed)
    hidden = gelu(linear(tensors, f"{at}.mlp.fc1", layer_norm(tensors, f"{at}.norm2", tokens)))
    return tokens + linear(tensors, f"{at}.mlp.fc2", hidden)


def pyramid(tensors: Tensors, features: Array) -> list[Array]:
    def norm(name: str, values: Array) -> Array:
        normed = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
        weight, bias = tensors[f"neck.{name}.weight"], tensors[f"neck.{name}.bias"]
        return normed * weight[:, None, None] + bias[:, None, None]

    def mixed(name: str, first: int, values: Array) -> Array:
        values = pointwise(tensors, f"neck.{name}.{first}", values)
        return gelu(norm(f"{name}.{first + 1}", values))

    quarter = norm("down_4.1", doubled(tensors, "neck.down_4.0", features))
    quarter = norm("down_4.4", doubled(tensors, "neck.down_4.3", gelu(quarter)))
    eighth = norm("down_8.1", doubled(tensors, "neck.down_8.0", features))
    least = norm("down_32.1", halved(tensors, "neck.down_32.0", features))
    return [
        mixed("down_4", 5, quarter),
        mixed("down_8", 2, eighth),
        mixed("down_16", 0, features),
        mixed("down_32", 2, least),
    ]


def doubled(tensors: Tensors, name: str, values: Array) -> Array:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]  # (in, out, 2, 2)
    grown = np.empty((weight.shape[1], 2 * values.shape[1], 2 * values.shape[2]))
    for i in range(2):
        for j in range(2):
            grown[:, i::2, j::2] = np.tensordot(weight[:, :, i, j], values, axes=(0, 0))
    return grown + bias[:, None, None]


def halved(tensors: Tensors, name: str, values: Array) -> Array:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]  # (out, in, 2, 2)
    rows, columns = values.shape[1] // 2 * 2, values.shape[2] // 2 * 2
    shrunk = sum(
        np.tensordot(weight[:, :, i, j], values[:, i:rows:2, j:columns:2], axes=(1, 0))
        for i in range(2)
        for j in range(2)
    )
    return np.asarray(shrunk + bias[:, None, None])


def pointwise(tensors: Tensors, name: str, values: Array) -> Array:
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return np.tensordot(weight[:, :, 0, 0], values, axes=(1, 0)) + bias[:, None, None]


def resized(values: Array, size: tuple[int, ...], *, corners: bool) -> Array:
    """Linear along rows, then along columns."""
    for axis, new in enumerate(size, start=1):
        old = values.shape[axis]
        if corners:
            places = np.arange(new) * (old - 1) / max(1, new - 1)
        else:
            places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        below = np.minimum(places.astype(int), old - 1)
        above = np.minimum(below + 1, old - 1)
        share = (places - below).reshape([-1 if each == axis else 1 for each in range(3)])
        values = values.take(below, axis) * (1 - share) + values.take(above, axis) * share
    return values


def layer_norm(tensors: Tensors, name: str, tokens: Array) -> Array:
    centred = tokens - tokens.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
    return normed * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]


def linear(tensors: Tensors, name: str, tokens: Array) -> Array:
    return tokens @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def gelu(values: Array) -> Array:
    return np.asarray(values * 0.5 * (1 + erf(values / np.sqrt(2))))


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def as_authors_call_them(network: nn.Module) -> dict[str, Array]:
    """Rename the tensors of a network; parts that they do not have keep their names."""
    tensors = {name: values.double().numpy() for name, values in network.state_dict().items()}
    places = tensors.pop("backbone.position")
    flat = places.reshape(1, places.shape[1], -1).transpose(0, 2, 1)
    tensors["backbone.pos_embed"] = np.concatenate([np.zeros_like(flat[:, :1]), flat], axis=1)
    called = {}
    for name, values in tensors.items():
        for ours, theirs in [
            ("backbone.embed.", "backbone.patch_embed.proj."),
            ("guidance.", "patch_embed_coords.proj."),
            ("attention.qkv", "attn.qkv"),
            ("attention.out", "attn.proj"),
            ("mlp.0", "mlp.fc1"),
            ("mlp.2", "mlp.fc2"),
            ("neck.levels.0", "neck.down_4"),
            ("neck.levels.1", "neck.down_8"),
            ("neck.levels.2", "neck.down_16"),
            ("neck.levels.3", "neck.down_32"),
            ("head.fuse", "head.fusion_conv.conv"),
            ("head.classify", "head.conv_seg"),
        ]:
            name = name.replace(ours, theirs)
        for level in range(4):
            name = name.replace(f"head.levels.{level}", f"head.convs.{level}.conv")
        called[name] = values
    return called


def random_tensors(
    *,
    dim: int,
    depth: int,
    patch: int,
    grid: int,
    levels: tuple[int, int, int, int],
    head: int,
    seed: int = 0,
) -> dict[str, Array]:
    """Numbers for every tensor of a published file, also those that only its classifier uses."""
    random = np.random.default_rng(seed)
    made: dict[str, Array] = {}

    def add(name: str, *shape: int, bias: int | None = None, scale: float | None = None) -> None:
        fan_in = float(np.prod(shape[1:])) if len(shape) > 1 else 100.0
        deviation = (1.5 / fan_in) ** 0.5 if scale is None else scale
        made[f"{name}.weight"] = random.normal(0, deviation, shape) + (len(shape) == 1)
        made[f"{name}.bias"] = random.normal(0, 0.1, shape[0] if bias is None else bias)

    made["backbone.cls_token"] = random.normal(0, 1, (1, 1, dim))
    made["backbone.pos_embed"] = random.normal(0, 0.5, (1, 1 + grid * grid, dim))
    for name in ("backbone.patch_embed.proj", "patch_embed_coords.proj"):
        add(name, dim, 3, patch, patch)
    for number in range(depth):
        at = f"backbone.blocks.{number}"
        add(f"{at}.norm1", dim)
        add(f"{at}.norm2", dim)
        add(f"{at}.attn.qkv", 3 * dim, dim, scale=(4 / dim) ** 0.5)
        add(f"{at}.attn.proj", dim, dim)
        add(f"{at}.mlp.fc1", 4 * dim, dim)
        add(f"{at}.mlp.fc2", dim, 4 * dim)
    add("backbone.fc_norm", dim)
    add("backbone.head", 10, dim)
    wide, half = max(2 * levels[0], dim // 2), max(levels[1], dim // 2)
    double = max(levels[3], 2 * dim)
    add("neck.down_4.0", dim, wide, 2, 2, bias=wide)
    add("neck.down_4.1", wide)
    add("neck.down_4.3", wide, wide // 2, 2, 2, bias=wide // 2)
    add("neck.down_4.4", wide // 2)
    add("neck.down_4.5", levels[0], wide // 2, 1, 1)
    add("neck.down_4.6", levels[0])
    add("neck.down_8.0", dim, half, 2, 2, bias=half)
    add("neck.down_8.1", half)
    add("neck.down_8.2", levels[1], half, 1, 1)
    add("neck.down_8.3", levels[1])
    add("neck.down_16.0", levels[2], dim, 1, 1)
    add("neck.down_16.1", levels[2])
    add("neck.down_32.0", double, dim, 2, 2)
    add("neck.down_32.1", double)
    add("neck.down_32.2", levels[3], double, 1, 1)
    add("neck.down_32.3", levels[3])
    for i, width in enumerate(levels):
        add(f"head.convs.{i}.conv", head, width, 1, 1)
    add("head.fusion_conv.conv", head, 4 * head, 1, 1)
    add("head.conv_seg", 1, head, 1, 1)
    add("head.up_conv1.0", head, head // 2, 2, 2, bias=head // 2)
    add("head.up_conv2.1", head // 4)
    return made
