"""Figures that papers print, to set beside one's own; each with the rule it was made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fewclicks.evaluation.clicker import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedRow:
    """One method on one data set, as printed.

    Parameters
    ----------
    method
        As the paper calls it.
    dataset
        By our name.
    rule
        Of the clicks.
    noc
        By target in per cent; only what is printed.
    source
        Where the method comes from.
    """

    method: str
    dataset: str
    rule: Rule
    noc: Mapping[str, float]
    source: str


_Figures = tuple[float | None, float | None, float | None]
"""NoC@85, NoC@90, NoC@95."""

_CLASSICAL: Final[dict[tuple[str, str], dict[str, _Figures]]] = {
    ("Graph cut", "Boykov & Jolly, ICCV 2001"): {
        "grabcut": (7.98, 10.00, None),
        "berkeley": (None, 14.22, None),
        "sbd": (13.60, 15.96, None),
        "davis": (15.13, 17.41, None),
    },
    ("Random walk", "Grady, TPAMI 2006"): {
        "grabcut": (11.36, 13.77, None),
        "berkeley": (None, 14.02, None),
        "sbd": (12.22, 15.04, None),
        "davis": (16.71, 18.31, None),
    },
    ("Geodesic", "Bai & Sapiro, IJCV 2009"): {
        "grabcut": (13.32, 14.57, None),
        "berkeley": (None, 15.96, None),
        "sbd": (15.36, 17.60, None),
        "davis": (18.59, 19.50, None),
    },
    ("Geodesic star convexity", "Gulshan et al., CVPR 2010"): {
        "grabcut": (7.10, 9.12, None),
        "berkeley": (None, 12.57, None),
        "sbd": (12.69, 15.31, None),
        "davis": (15.35, 17.52, None),
    },
    ("Euclidean star convexity", "Gulshan et al., CVPR 2010"): {
        "grabcut": (7.24, 9.20, None),
        "berkeley": (None, 12.11, None),
        "sbd": (12.21, 14.86, None),
        "davis": (15.41, 17.70, None),
    },
}

# M2N2's SBD row is left out: its release measures on class masks, not on instances.
_MARKOV: Final[dict[tuple[str, str], dict[str, _Figures]]] = {
    ("M2N2 (SD2)", "arXiv:2411.10411"): {
        "grabcut": (1.62, 1.90, 5.02),
        "berkeley": (2.45, 3.88, 9.01),
        "davis": (4.60, 6.72, 14.36),
        "hqseg44k": (None, 8.28, 12.50),
    },
    ("M2N2V2 (SD2 + DA2)", "arXiv:2503.16254"): {
        "grabcut": (None, 1.84, 3.58),
        "berkeley": (None, 2.25, 5.74),
        "davis": (None, 4.77, 9.66),
        "hqseg44k": (None, 6.29, 9.86),
    },
    ("M2N2V2 (SD2, no depth)", "arXiv:2503.16254"): {
        "davis": (None, 6.43, 14.3),
        "hqseg44k": (None, 8.24, 12.5),
    },
    ("M2N2V2 (SD2 + Marigold)", "arXiv:2503.16254"): {
        "davis": (None, 5.58, 13.5),
        "hqseg44k": (None, 7.75, 12.4),
    },
    ("M2N2V2 (depth alone, DA2)", "arXiv:2503.16254"): {
        "davis": (None, 14.5, 17.8),
        "hqseg44k": (None, 9.75, 12.8),
    },
    ("M2N2V2 (DINOv2 ViT-B + DA2)", "arXiv:2503.16254"): {
        "davis": (None, 5.91, 11.7),
        "hqseg44k": (None, 6.92, 10.5),
    },
    ("M2N2V2 (SD1 + DA2)", "arXiv:2503.16254"): {
        "davis": (None, 5.03, 10.4),
        "hqseg44k": (None, 6.24, 9.84),
    },
}


def published_rows(dataset: str) -> Iterator[PublishedRow]:
    """Give what papers print for a data set, rule by rule."""
    tables: tuple[tuple[Rule, dict[tuple[str, str], dict[str, _Figures]]], ...] = (
        ("ritm", _CLASSICAL),
        ("m2n2", _MARKOV),
    )
    for rule, table in tables:
        for (method, source), figures in table.items():
            if dataset in figures:
                noc = zip(("85", "90", "95"), figures[dataset], strict=True)
                yield PublishedRow(
                    method=method,
                    dataset=dataset,
                    rule=rule,
                    noc={target: value for target, value in noc if value is not None},
                    source=source,
                )
