"""Attention capture: one layer's queries and keys out of a running network, and what they say.

A network that keeps its attention keeps it for all layers and heads at once, gigabytes of it. Here
the layers run on the fused kernel, which never writes the matrix down; only the wanted layer's
queries and keys are kept, and their softmax is averaged head by head into one buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from fewclicks.errors import InputError

CAPTURING: Final = "fewclicks_capturing"
"""What to load a transformers network with, as its ``attn_implementation``."""

_NOT_SEEN: Final = (
    "The network's attention cannot be looked into; needs one whose layers run on transformers' "
    "attention interface, such as vit, dinov2 or vit_mae."
)
_ROWS: Final = 2048  # of the matrix at a time; bounds the memory beside the result


@dataclass(frozen=True, kw_only=True, slots=True)
class QueriesAndKeys:
    """What one layer compares its tokens by.

    Parameters
    ----------
    queries, keys : (heads, n, c)
    scale
        Of their products, before the softmax.
    is_biased
        Whether the layer adds something to the products that is not kept.
    """

    queries: Tensor
    keys: Tensor
    scale: float
    is_biased: bool = False


class Capture:
    """Waits for one layer.

    Parameters
    ----------
    block
        Which, counted from 0 in the order in which they run.
    """

    def __init__(self, block: int) -> None:
        self._to_pass = block
        self._taken: QueriesAndKeys | None = None

    @property
    def taken(self) -> QueriesAndKeys:
        """What that layer compares, once it has run.

        Raises
        ------
        InputError
            If it never asked for its attention to be computed here.
        """
        if self._taken is None:
            raise InputError(_NOT_SEEN)
        return self._taken

    def takes(self, queries: Tensor, keys: Tensor, *, scale: float | None, is_biased: bool) -> bool:
        """Keep what a layer compares if it is the one."""
        if self._to_pass:
            self._to_pass -= 1
            return False
        scale = queries.shape[-1] ** -0.5 if scale is None else scale
        self._taken = QueriesAndKeys(
            queries=queries[0], keys=keys[0], scale=scale, is_biased=is_biased
        )
        return True


# Each thread sees its own, so that several may run one network at once.
_RUNNING: ContextVar[Capture | None] = ContextVar("capture", default=None)


@contextmanager
def capture_block(block: int) -> Iterator[Capture]:
    """Keep the queries and keys of one layer of the network that runs inside.

    Parameters
    ----------
    block
        The last one that the network has; what it puts out is not worth reading, since nobody
        needs it and attending to the values costs time.
    """
    capture = Capture(block)
    token = _RUNNING.set(capture)
    try:
        yield capture
    finally:
        _RUNNING.reset(token)


def _attend_and_keep(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    running = _RUNNING.get()
    is_biased = attention_mask is not None or kwargs.get("position_bias") is not None
    if running is not None and running.takes(
        query, key, scale=kwargs.get("scaling"), is_biased=is_biased
    ):
        return value.transpose(1, 2), None
    return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)


AttentionInterface.register(CAPTURING, _attend_and_keep)


def mean_attention(taken: QueriesAndKeys, *, leading: int = 0) -> Tensor:
    """Softmax of queries times keys, averaged over heads, of the tokens that have a place.

    Parameters
    ----------
    taken
        Of leading + n tokens.
    leading
        Tokens before the picture's: they take part in the softmax, then are dropped.

    Returns
    -------
    (n, n) float32
        On the device of the queries; rows sum to 1.

    Raises
    ------
    InputError
        If the layer adds a bias that is not known here.

    Notes
    -----
    Never more than one head of `_ROWS` rows at once beside the result.
    """
    if taken.is_biased:
        raise InputError("The network adds a bias to its attention, which is lost; set kind=keys.")
    queries, keys = taken.queries.float()[:, leading:], taken.keys.float()
    count = queries.shape[1]
    result = torch.zeros(count, count, dtype=torch.float32, device=queries.device)
    for start in range(0, count, _ROWS):
        rows = result[start : start + _ROWS]
        for query, key in zip(queries[:, start : start + _ROWS], keys, strict=True):
            rows.add_(torch.softmax(query * taken.scale @ key.T, dim=1)[:, leading:])
        rows.div_(rows.sum(dim=1, keepdim=True))
    return result


def gaussian_attention(tokens: Tensor, *, temperature: float) -> Tensor:
    """How much tokens look at each other, if they look at what is alike.

    Parameters
    ----------
    tokens : (n, c) float32
    temperature
        Lower is sharper.

    Returns
    -------
    (n, n) float32
        ``exp(-|a - b|^2 / temperature)`` over its rows' sums; for tokens of length 1 that is the
        softmax of ``2 cos(a, b) / temperature``.
    """
    squares = tokens.square().sum(dim=1)
    result = tokens @ tokens.T
    for start in range(0, len(result), _ROWS):
        rows = result[start : start + _ROWS]
        # |a|^2 is the same along a row, so the softmax does not see it.
        rows.mul_(2.0).sub_(squares).div_(temperature)
        rows.copy_(torch.softmax(rows, dim=1))
    return result
