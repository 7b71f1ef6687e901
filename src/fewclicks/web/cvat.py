"""CVAT: an interactor, as its nuclio functions are: points and a box in, a mask out.

``integrations/cvat`` has what ``nuctl deploy`` takes.
"""

from __future__ import annotations

import json
import math
import os
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from fewclicks.clicks import Click
from fewclicks.errors import FewclicksError, InputError
from fewclicks.images.boxes import Box
from fewclicks.json_text import complaint
from fewclicks.methods.registry import create_method
from fewclicks.methods.warm_up import warm_up
from fewclicks.web.uploads import Prompts, Uploads, read_base64

_MOST_POINTS: Final = 200

_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
_Points = Annotated[list[tuple[_Number, _Number]], Field(max_length=_MOST_POINTS)]


def _in_pairs(box: Any) -> Any:
    """Take a box as two corners, or as four numbers; none, and an empty list, are no box."""
    if isinstance(box, list) and len(box) == 4:
        return [box[:2], box[2:]]
    return box or None


class InteractorRequest(BaseModel):
    """What CVAT sends.

    Parameters
    ----------
    image
        The frame's file, in base64.
    pos_points, neg_points
        On the object and off it, (x, y) in pixels.
    obj_bbox
        Two opposite corners of a box around the object, if one was drawn.
    """

    image: str
    pos_points: _Points = []
    neg_points: _Points = []
    obj_bbox: Annotated[
        tuple[tuple[_Number, _Number], tuple[_Number, _Number]] | None, BeforeValidator(_in_pairs)
    ] = None

    @property
    def prompts(self) -> Prompts:
        """Points as clicks, positive ones first: CVAT does not say in which order they came."""
        clicks = [
            Click(x=math.floor(x), y=math.floor(y), is_positive=is_positive)
            for points, is_positive in ((self.pos_points, True), (self.neg_points, False))
            for x, y in points
        ]
        return Prompts(clicks=tuple(clicks), box=self._box)

    @property
    def _box(self) -> Box | None:
        if self.obj_bbox is None:
            return None
        (x0, y0), (x1, y1) = self.obj_bbox
        left, top = math.floor(min(x0, x1)), math.floor(min(y0, y1))
        return Box(max(left, 0), max(top, 0), math.ceil(max(x0, x1)), math.ceil(max(y0, y1)))


def init_context(context: Any) -> None:
    """Build the method before the first request, as nuclio asks a function to.

    ``FEWCLICKS_METHOD`` and ``FEWCLICKS_BACKBONE`` say which, as `create_method` takes them.
    """
    name = os.environ.get("FEWCLICKS_METHOD") or "default"
    method = create_method(name, backbone=os.environ.get("FEWCLICKS_BACKBONE") or None)
    warm_up(method)
    context.user_data.uploads = Uploads(method)
    context.logger.info(f"fewclicks is ready, method '{name}'.")


def handler(context: Any, event: Any) -> Any:
    """Answer a request: the mask as rows of 0 and 1, or what was wrong with it, in one line."""
    uploads: Uploads = context.user_data.uploads
    try:
        asked = _read(event.body)
        mask = uploads.segment(read_base64(asked.image, source="image"), asked.prompts)
    except FewclicksError as error:
        context.logger.warn(str(error))
        return _answer(context, 400, {"error": str(error)})
    return _answer(context, 200, {"mask": mask.astype(int).tolist()})


def _read(body: Any) -> InteractorRequest:
    """Read a request's body, which nuclio has parsed where it was said to be JSON."""
    try:
        if isinstance(body, (bytes, str)):
            return InteractorRequest.model_validate_json(body)
        return InteractorRequest.model_validate(body)
    except ValidationError as error:
        raise InputError(f"The request does not fit: {complaint(error)}.") from None


def _answer(context: Any, status: int, content: dict[str, Any]) -> Any:
    return context.Response(
        body=json.dumps(content, separators=(",", ":")),
        headers={},
        content_type="application/json",
        status_code=status,
    )
