"""Exported network: a click network as two ONNX files that need no torch, and what describes them.

``encoder.onnx`` runs once for each part of a picture, ``decoder.onnx`` for each click; it takes the
clicks themselves and draws their disks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from fewclicks.errors import WeightsError
from fewclicks.files import sha256_of, write_text

DESCRIPTION: Final = "network.json"
ENCODER: Final = "encoder.onnx"
DECODER: Final = "decoder.onnx"
_LARGEST: Final = 1 << 14  # pixels along a side
PADDING: Final = -1.0
"""Third number of a row of points that is no click."""

_CARD: Final = """# {family}, exported from fewclicks {version}

Runs without torch: `fewclicks segment PICTURE --method {family} --set weights=THIS_FOLDER ...`, or
with any runtime for ONNX. One square part of a picture, {side} x {side} pixels, is stretched to
the network's size corner on corner.

| file | takes | gives |
| --- | --- | --- |
| `encoder.onnx` | `image` (b, 3, {side}, {side}) float32: red, green, blue in [0, 1] | {seen} |
| `decoder.onnx` | what the encoder gave; `points` (n, 3) float64: x, y in pixels of the square, \
and 1 on the object, 0 off it, -1 for padding, n from 1 on; `previous` (1, 1, {side}, {side}) \
float32: probability of the answer before, 0 at first; `mirror` (b,) bool: which pictures are \
mirrored; points and `previous` are not | `logits` (b, 1, {side}, {side}), mirrored as they are |

The terms are those of the weights that were exported.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedNetwork:
    """What a folder of an exported network says of itself.

    Parameters
    ----------
    family
        The method that it belongs to.
    side
        Of the square that it sees, in pixels.
    seen
        What the encoder gives and the decoder takes, by name.
    version
        Of this package, that exported it.
    sha256
        Of both files.
    folder
        Where it lies.
    """

    family: str
    side: int
    seen: tuple[str, ...]
    version: str
    sha256: dict[str, str]
    folder: Path = field(default_factory=Path, compare=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that hold the network."""
        return tuple(self.folder / name for name in self.sha256)

    def write(self) -> None:
        """Write the description and the card; last, so that a folder that has them is whole."""
        values = asdict(self)
        del values["folder"]
        card = _CARD.format(
            family=self.family,
            version=self.version,
            side=self.side,
            seen=", ".join(f"`{name}`" for name in self.seen),
        )
        write_text(self.folder / "README.md", card)
        write_text(self.folder / DESCRIPTION, json.dumps(values, indent=2) + "\n")

    def check_whole(self) -> None:
        """Refuse files that are not those that were exported.

        Raises
        ------
        WeightsError
            Naming the first that is missing or differs.
        """
        for name, digest in self.sha256.items():
            file = self.folder / name
            if not file.is_file() or sha256_of(file) != digest:
                raise WeightsError(
                    f"{file} is missing or not as it was exported; export the network again."
                )


def find_exported(weights: str) -> ExportedNetwork | None:
    """Read the description of a folder; None if it is no folder of an exported network.

    Raises
    ------
    WeightsError
        If there is a description that cannot be read.
    """
    folder = Path(weights).expanduser()
    file = folder / DESCRIPTION
    if not file.is_file():
        return None
    try:
        values = json.loads(file.read_text("utf-8"))
        if type(values["side"]) is not int or not 0 < values["side"] <= _LARGEST:
            raise ValueError("no side of a square")  # noqa: TRY301 - answered below, as the rest
        seen = tuple(str(name) for name in values.pop("seen"))
        sha256 = {name: str(values["sha256"][name]) for name in (ENCODER, DECODER)}
        return ExportedNetwork(**{**values, "seen": seen, "sha256": sha256, "folder": folder})
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise WeightsError(
            f"{file} describes no exported network; export the network again."
        ) from error
