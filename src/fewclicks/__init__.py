"""fewclicks: segment what a person points at, in as few clicks as possible.

Names are imported when first used, so that ``import fewclicks`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from fewclicks.backbones.registry import create_backbone as create_backbone
    from fewclicks.clicks import Click as Click
    from fewclicks.errors import FewclicksError as FewclicksError
    from fewclicks.images.depth_files import read_depth as read_depth
    from fewclicks.images.reading import read_image as read_image
    from fewclicks.images.reading import read_mask as read_mask
    from fewclicks.images.writing import write_mask as write_mask
    from fewclicks.methods.base import Prediction as Prediction
    from fewclicks.methods.guidance import Exemplar as Exemplar
    from fewclicks.methods.guidance import Guidance as Guidance
    from fewclicks.methods.guidance import Reference as Reference
    from fewclicks.methods.registry import create_method as create_method
    from fewclicks.session.sam_style import SamStylePredictor as SamStylePredictor
    from fewclicks.session.session import Session as Session

_HOMES: Final = {
    "Click": "fewclicks.clicks",
    "Exemplar": "fewclicks.methods.guidance",
    "FewclicksError": "fewclicks.errors",
    "Guidance": "fewclicks.methods.guidance",
    "Prediction": "fewclicks.methods.base",
    "Reference": "fewclicks.methods.guidance",
    "SamStylePredictor": "fewclicks.session.sam_style",
    "Session": "fewclicks.session.session",
    "create_backbone": "fewclicks.backbones.registry",
    "create_method": "fewclicks.methods.registry",
    "read_depth": "fewclicks.images.depth_files",
    "read_image": "fewclicks.images.reading",
    "read_mask": "fewclicks.images.reading",
    "write_mask": "fewclicks.images.writing",
}

__all__ = [
    "Click",
    "Exemplar",
    "FewclicksError",
    "Guidance",
    "Prediction",
    "Reference",
    "SamStylePredictor",
    "Session",
    "__version__",
    "create_backbone",
    "create_method",
    "read_depth",
    "read_image",
    "read_mask",
    "write_mask",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fewclicks' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
