"""Self-attention of a denoising network: chosen layers, taken while they run.

No layer's attention is ever held for all its heads: at 128x128 tokens one head alone is a gigabyte.
Queries and keys are taken as a layer runs, worked in chunks of rows, and added into one matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

_ROWS: Final = 2048  # of the matrix at a time

Take: TypeAlias = Callable[[str, Tensor, Tensor], None]
"""What is done with a layer's name, queries and keys; both (heads, n, channels of a head)."""


class MeanAttention:
    """Mean of attention over heads, layers and looks.

    Parameters
    ----------
    weights
        Of the layers, by name; not negative.
    rows
        How many are worked at once; changes memory, not the result.

    References
    ----------
    .. [1] M2N2, Eq. 3 (arXiv:2411.10411).
    """

    def __init__(self, weights: Mapping[str, float], *, rows: int = _ROWS) -> None:
        self._weights = weights
        self._rows = rows
        self._sums: dict[int, Tensor] = {}  # by how many tokens there are

    def take(self, layer: str, queries: Tensor, keys: Tensor) -> None:
        """Add the softmax of queries times keys, in float32."""
        heads, count, channels = queries.shape
        if count not in self._sums:
            self._sums[count] = torch.zeros(
                count, count, dtype=torch.float32, device=queries.device
            )
        share = self._weights[layer] / heads
        for query, key in zip(queries, keys, strict=True):
            scaled, transposed = query.float() * channels**-0.5, key.float().T
            # Pieces of one sum share its memory, so that adding to them adds to it.
            total = torch.split(self._sums[count], self._rows)
            for rows, some in zip(total, torch.split(scaled, self._rows), strict=True):
                rows.add_(torch.softmax(some @ transposed, dim=1), alpha=share)

    @torch.inference_mode()
    def result(self) -> Tensor:
        """Give the mean, on the finest grid of all layers; rows sum to 1.

        Returns
        -------
        (n, n) float32
            Layers of a coarser grid are enlarged bilinearly, both where tokens look from and where
            they look to. The sums are used up.
        """
        total = self._sums.pop(max(self._sums))
        for coarse in self._sums.values():
            _add_enlarged(total, coarse, rows=self._rows)
        self._sums.clear()
        for rows in torch.split(total, self._rows):
            rows.div_(rows.sum(dim=1, keepdim=True))
        return total


class FinestKeys:
    """Keys of the first layer among those of the finest grid, as descriptors of its tokens."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def take(self, layer: str, queries: Tensor, keys: Tensor) -> None:  # noqa: ARG002
        """Add the keys; several looks at a picture share their channels."""
        seen = self._sums.get(layer)
        self._sums[layer] = keys.float() if seen is None else seen + keys.float()

    @torch.inference_mode()
    def result(self) -> Tensor:
        """Give the keys of all heads side by side, less their mean, each of length 1.

        Returns
        -------
        (n, c) float32
        """
        finest = max(self._sums.values(), key=lambda keys: keys.shape[1])
        tokens = finest.transpose(0, 1).flatten(1)
        return normalize(tokens - tokens.mean(dim=0), dim=1)


class Taps:
    """Chosen layers of a network, whose queries and keys are taken while it runs.

    Parameters
    ----------
    network
        Of diffusers.
    layers
        Names of its attention modules; they attend to themselves.
    """

    def __init__(self, network: torch.nn.Module, layers: list[str]) -> None:
        self._count = len(layers)
        self._left = 0
        self._take: Take | None = None
        for layer in layers:
            module: Any = network.get_submodule(layer)
            module.set_processor(_Tap(layer, self._pass_on, usual=module.processor))

    def run(self, forward: Callable[[], object], take: Take) -> None:
        """Run the network until the last of the layers is taken; one thread at a time."""
        self._left, self._take = self._count, take
        try:
            forward()
        except _AllTakenError:
            pass
        finally:
            self._take = None

    def _pass_on(self, layer: str, queries: Tensor, keys: Tensor) -> None:
        if self._take is None:
            return
        self._take(layer, queries, keys)
        self._left -= 1
        if self._left == 0:
            raise _AllTakenError


def mirrored(take: Take) -> Take:
    """Take queries and keys of the picture's mirror image as those of the picture itself."""

    def turned(layer: str, queries: Tensor, keys: Tensor) -> None:
        take(layer, _turn(queries), _turn(keys))

    return turned


class _AllTakenError(Exception):
    """The rest of the network has nothing to tell."""


class _Tap:
    """Attention processor of diffusers that shows a layer's queries and keys, then goes on."""

    def __init__(self, layer: str, take: Take, *, usual: Callable[..., Tensor]) -> None:
        self._layer = layer
        self._take = take
        self._usual = usual

    def __call__(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        queries, keys = (
            tokens[0].unflatten(1, (attn.heads, -1)).transpose(0, 1)
            for tokens in (attn.to_q(hidden_states), attn.to_k(hidden_states))
        )
        self._take(self._layer, queries, keys)
        return self._usual(attn, hidden_states, *args, **kwargs)


def _turn(tokens: Tensor) -> Tensor:
    """Swap left and right on the square grid of (heads, n, channels)."""
    heads, count, channels = tokens.shape
    side = math.isqrt(count)
    return tokens.reshape(heads, side, side, channels).flip(2).flatten(1, 2)


def _add_enlarged(total: Tensor, coarse: Tensor, *, rows: int) -> None:
    """Enlarge attention from a coarse square grid and add it to that of a fine one."""
    fine_side, side = math.isqrt(len(total)), math.isqrt(len(coarse))
    looked_at = interpolate(
        coarse.view(-1, 1, side, side), size=(fine_side, fine_side), mode="bilinear"
    ).flatten(1)
    looked_at *= coarse.sum(dim=1, keepdim=True) / looked_at.sum(dim=1, keepdim=True)
    # The same interpolation as a matrix, for where tokens look from: down first, then right.
    along = interpolate(torch.eye(side, device=total.device)[None], size=fine_side, mode="linear")
    along = along[0].T
    band = max(1, rows // fine_side)
    pieces = zip(torch.split(total, band * fine_side), torch.split(along, band), strict=True)
    for some, down in pieces:
        columns = (down @ looked_at.view(side, -1)).view(len(down), side, -1)
        some.add_((along @ columns).flatten(0, 1))
