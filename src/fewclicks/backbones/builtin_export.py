"""Export of the built-in backbone: the package's own ONNX file, and a card that says how to run it.

The file is already what other programs can run; a copy is all there is to do.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fewclicks.backbones.builtin import STRIDE
from fewclicks.files import write_bytes, write_text

FILE: Final = "builtin.onnx"

_CARD: Final = """# The built-in backbone of fewclicks {version}

A small network that says which places of a photograph belong together; it was taught by a vision
transformer, without labels. Apache-2.0, as the package.

| file | takes | gives |
| --- | --- | --- |
| `{file}` | `colours` (1, 3, height, width) float32: red, green, blue in [0, 1]; height and width \
are multiples of {stride} | `features` (1, channels, height / {stride}, width / {stride}) float32 |

It was taught on pictures with a longer side of 480 pixels. Subtract the mean of all features of a
picture and bring each to length 1; the cosine of two then says how much their places belong
together. `fewclicks segment PICTURE --set backbone.weights={file} ...` runs it.

sha256 of `{file}`: {sha256}
"""


def export_builtin(folder: Path) -> Path:
    """Write the file and its card.

    Parameters
    ----------
    folder
        Made if need be.

    Returns
    -------
    Path
        Of the ONNX file.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    content = resources.files("fewclicks.backbones").joinpath(FILE).read_bytes()
    write_bytes(folder / FILE, content)
    card = _CARD.format(
        version=version("fewclicks"),
        file=FILE,
        stride=STRIDE,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    write_text(folder / "README.md", card)
    return folder / FILE
