"""One ring for a whole object: parts and holes joined by cuts without width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fewclicks.images.polygons import Polygon, Ring


def bridge(polygon: Polygon) -> Ring:
    """Join the holes of a polygon to its rim, for formats whose polygons have none.

    Parameters
    ----------
    polygon

    Returns
    -------
    (k, 2) float64
        One ring that runs through every rim once, and twice along each cut. By the even-odd rule
        a cut encloses nothing, so the ring draws what the polygon draws.
    """
    return _join([polygon.outer, *polygon.holes])


def one_ring(polygons: Sequence[Polygon]) -> Ring:
    """Join all parts of an object, and their holes, for formats with one ring an object.

    Parameters
    ----------
    polygons
        At least one; as `mask_to_polygons` gives them.

    Returns
    -------
    (k, 2) float64
        As `bridge` gives it.
    """
    return _join([ring for polygon in polygons for ring in (polygon.outer, *polygon.holes)])


def _join(rings: list[Ring]) -> Ring:
    """Cut from each ring's first corner to the nearest corner of what is joined already.

    Cuts may cross rims and each other: they are walked there and back.
    """
    joined = rings[0]
    for ring in rings[1:]:
        start = ring[0]
        nearest = int(np.argmin(_squares(joined, start)))
        walk = [joined[: nearest + 1], ring, start[None], joined[nearest:]]
        joined = np.concatenate(walk)
    return joined


def _squares(corners: Ring, to: NDArray[np.float64]) -> NDArray[np.float64]:
    away = corners - to
    return np.asarray((away * away).sum(axis=1))
