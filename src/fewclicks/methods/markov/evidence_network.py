"""Evidence network: what the evidence is worth, fitted on pictures kept for tuning.

Two small perceptrons. The first has an opinion of each region by itself; the second hears the
first one's opinion of all regions as well. They know nothing of a picture but the evidence, so
they hold no more than how to weigh distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.errors import WeightsError
from fewclicks.methods.markov.distances import DISTANCES, TOKEN_WALK
from fewclicks.methods.markov.evidence import RegionClick, gather_context, gather_evidence
from fewclicks.methods.markov.regions import Regions

_WITH_OWN_NETWORK: Final = ("colour", "builtin")
_WIDEST: Final = 6.0  # standard deviations; what lies further out says no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Perceptron:
    """Standardise, then linear layers with rectifiers between them.

    Parameters
    ----------
    mean, deviation : (c,)
        Of the inputs.
    weights, biases
        Of each layer; (inputs, outputs) and (outputs,). The last layer has one output.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    weights: tuple[FloatMatrix, ...]
    biases: tuple[NDArray[np.float32], ...]

    @property
    def fits(self) -> bool:
        """Whether each layer takes what the one before gives, and the last gives one number."""
        if not self.weights or self.mean.shape != self.deviation.shape:
            return False
        width = self.mean.shape
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if weight.ndim != 2 or weight.shape[:1] != width or weight.shape[1:] != bias.shape:
                return False
            width = bias.shape
        return width == (1,)

    def log_odds(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weigh (n, c) inputs, (n,)."""
        values = np.clip((inputs - self.mean) / self.deviation, -_WIDEST, _WIDEST)
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weight + bias
            if k < last:
                np.maximum(values, 0.0, out=values)
        return np.asarray(values[:, 0])

    def tensors(self, prefix: str) -> dict[str, NDArray[np.float32]]:
        """Name all numbers, for a file."""
        named = {f"{prefix}.mean": self.mean, f"{prefix}.deviation": self.deviation}
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named |= {f"{prefix}.{k}.weight": weight, f"{prefix}.{k}.bias": bias}
        return named

    @classmethod
    def from_tensors(cls, named: dict[str, NDArray[np.float32]], prefix: str) -> Perceptron:
        """Read what `tensors` named."""
        depth = sum(name.startswith(prefix + ".") and name.endswith(".weight") for name in named)
        return cls(
            mean=named[f"{prefix}.mean"],
            deviation=named[f"{prefix}.deviation"],
            weights=tuple(named[f"{prefix}.{k}.weight"] for k in range(depth)),
            biases=tuple(named[f"{prefix}.{k}.bias"] for k in range(depth)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceNetwork:
    """An opinion of every region, from the evidence.

    Parameters
    ----------
    alone
        Weighs the evidence of each region by itself.
    together
        Weighs the evidence and the context that the first opinion gives it.
    """

    alone: Perceptron
    together: Perceptron

    @property
    def weighs_token_walk(self) -> bool:
        """Whether the walk over tokens, which costs the most, has any say."""
        columns = [k * len(DISTANCES) + TOKEN_WALK for k in range(3)]  # near, off and ratio
        return any(
            bool(perceptron.weights[0][columns].any()) for perceptron in (self.alone, self.together)
        )

    def log_odds(
        self,
        regions: Regions,
        clicks: Sequence[RegionClick],
        previous: NDArray[np.float64] | None,
    ) -> NDArray[np.float32]:
        """Log odds of each region to belong to the object, (n,); see `gather_evidence`."""
        evidence = gather_evidence(regions, clicks, previous)
        first = self.alone.log_odds(evidence)
        return self.together.log_odds(gather_context(regions, evidence, first, previous))


def network_for(backbone: str) -> EvidenceNetwork:
    """Read the network that was fitted to this kind of backbone, once.

    Features of colour say less of objects than those of a trained network, and those of a small
    one less than those of a large one, so there are three.
    """
    return _shipped(evidence_file(backbone))


def evidence_file(backbone: str) -> Path:
    """Say where the network lies that was fitted to this kind of backbone."""
    kind = backbone if backbone in _WITH_OWN_NETWORK else "vit"
    return Path(__file__).with_name(f"evidence_{kind}.safetensors")


@cache
def _shipped(file: Path) -> EvidenceNetwork:
    return read_network(file)


def read_network(file: Path) -> EvidenceNetwork:
    """Read a network from a safetensors file.

    Raises
    ------
    WeightsError
        If it cannot be read, or holds no two perceptrons whose layers fit each other.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        named = load(file.read_bytes())
        network = EvidenceNetwork(
            alone=Perceptron.from_tensors(named, "alone"),
            together=Perceptron.from_tensors(named, "together"),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:120]
        raise WeightsError(f"{file} cannot be read ({said}); install fewclicks again.") from error
    for perceptron in (network.alone, network.together):
        if not perceptron.fits:
            raise WeightsError(f"{file} holds layers that do not fit; install fewclicks again.")
    return network
