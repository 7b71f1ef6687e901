"""Segment: a mask for a picture that is sent along, and nothing of it kept."""

from __future__ import annotations

import io
import json
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import RunLengths, encode_rle
from fewclicks.json_text import complaint, parse_json
from fewclicks.web.actions import Mask
from fewclicks.web.answering import Answering
from fewclicks.web.refusals import Refusal
from fewclicks.web.schemas import Answer, Rle
from fewclicks.web.uploads import Prompts, read_base64, read_mask_upload

router = APIRouter()

_MOST_CLICKS: Final = 200
_FORM, _JSON, _PNG = "multipart/form-data", "application/json", "image/png"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Place(_Asked):
    x: int
    y: int
    is_positive: bool = True


class _Prompts(_Asked):
    clicks: Annotated[list[_Place], Field(max_length=_MOST_CLICKS)] = []
    box: Annotated[
        tuple[int, int, int, int] | None,
        Field(description="x0, y0, x1, y1: columns x0 to before x1, rows y0 to before y1."),
    ] = None
    format: Annotated[
        Literal["png", "rle"] | None,
        Field(description="What to answer; left out, the Accept header says, and png is usual."),
    ] = None

    def with_previous(self, previous: RunLengths | None) -> Prompts:
        clicks = tuple(Click(one.x, one.y, is_positive=one.is_positive) for one in self.clicks)
        box = None if self.box is None else Box(*self.box)
        return Prompts(clicks=clicks, box=box, previous=previous)


class _JsonRequest(_Prompts):
    image: Annotated[str, Field(description="The file in base64, or as a data: address.")]
    previous: Annotated[
        Mask | None, Field(description="A mask to go on from, as COCO's compressed run lengths.")
    ] = None


class RleAnswer(Answer):
    """A mask as JSON."""

    rle: Rle


def find_answering(request: Request) -> Answering:
    """Find the model at work."""
    answering: Answering = request.app.state.answering
    return answering


def turn_of(request: Request) -> str:
    """Name whose turn a request takes: one log-in's, or one machine's."""
    host = "" if request.client is None else request.client.host
    return request.headers.get("authorization", host)


def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """Give a model's schema with its parts in it: a document of routes has no place for them."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, dict):
            reference = node.get("$ref")
            found = node if reference is None else parts[reference.rpartition("/")[2]]
            return {name: inline(value) for name, value in found.items()}
        return [inline(value) for value in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = inline(schema)
    return inlined


_FILE: Final = {"type": "string", "format": "binary"}
_FORM_SCHEMA: Final = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": _FILE | {"description": "A picture of any usual format."},
        "clicks": {"type": "string", "example": '[{"x": 210, "y": 140, "is_positive": true}]'},
        "box": {"type": "string", "example": "[120, 60, 400, 330]"},
        "previous": _FILE | {"description": "A mask to go on from, as PNG: black is off it."},
        "format": {"type": "string", "enum": ["png", "rle"]},
    },
}
_BODY: Final = {
    "required": True,
    "content": {_FORM: {"schema": _FORM_SCHEMA}, _JSON: {"schema": _inlined(_JsonRequest)}},
}


@router.post(
    "/v1/segment",
    response_class=Response,
    openapi_extra={"requestBody": _BODY},
    responses={
        200: {"model": RleAnswer, "content": {_PNG: {"schema": _FILE}}, "description": "The mask."},
        413: {"model": Refusal, "description": "The request is too large."},
        415: {"model": Refusal, "description": "The request is neither a form nor JSON."},
        422: {"model": Refusal, "description": "The picture or a prompt cannot be used."},
    },
)
async def segment(
    request: Request, answering: Annotated[Answering, Depends(find_answering)]
) -> Response:
    """Segment a picture that is sent along, as a form or as JSON.

    Clicks, a box or both say what is meant. Every request says all there is to say; a second one
    on the same picture is quicker, since what was computed of it is remembered for a while.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        content, asked, previous = await _read_form(request)
    elif kind == _JSON:
        content, asked, previous = _read_json(await request.body())
    else:
        raise HTTPException(415, f"The request is of type '{kind}'; needs {_FORM} or {_JSON}.")
    prompts = asked.with_previous(previous)
    future = answering.segment(content, prompts, turn_of(request))
    mask = await run_in_threadpool(future.result)
    if (asked.format or _preferred(request)) == "rle":
        return Response(json.dumps({"rle": encode_rle(mask)}), media_type=_JSON)
    return Response(await run_in_threadpool(write_png, mask), media_type=_PNG)


def write_png(mask: BoolMask) -> bytes:
    """Write a mask as PNG, 255 on the object."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype("uint8") * 255).save(buffer, "PNG")
    return buffer.getvalue()


def _preferred(request: Request) -> str:
    accepted = request.headers.get("accept", "")
    return "rle" if _JSON in accepted and _PNG not in accepted else "png"


def _read_json(body: bytes) -> tuple[bytes, _Prompts, RunLengths | None]:
    try:
        asked = _JsonRequest.model_validate_json(body)
    except ValidationError as error:
        raise InputError(f"The request does not fit: {complaint(error)}.") from None
    previous = None if asked.previous is None else asked.previous.rle
    return read_base64(asked.image, source="image"), asked, previous


async def _read_form(request: Request) -> tuple[bytes, _Prompts, RunLengths | None]:
    async with request.form(max_files=2, max_fields=10) as form:
        content = await _file(form, "image")
        drawn = await _file(form, "previous")
        if content is None:
            raise InputError("The form has no file 'image'; needs the picture.")
        unknown = sorted(form.keys() - _FORM_SCHEMA["properties"].keys())  # type: ignore[attr-defined]
        if unknown:
            raise InputError(f"The form has '{unknown[0]}', which means nothing here.")
        fields = {name: form[name] for name in ("clicks", "box", "format") if name in form}
    read = {name: _field(name, value) for name, value in fields.items()}
    try:
        asked = _Prompts.model_validate(read)
    except ValidationError as error:
        raise InputError(f"The form does not fit: {complaint(error)}.") from None
    previous = None if drawn is None else await run_in_threadpool(read_mask_upload, drawn)
    return content, asked, previous


async def _file(form: FormData, name: str) -> bytes | None:
    value = form.get(name)
    if value is None:
        return None
    if not isinstance(value, UploadFile):
        raise InputError(f"'{name}' is a text; needs a file.")
    return await value.read()


def _field(name: str, value: UploadFile | str) -> Any:
    if isinstance(value, UploadFile):
        raise InputError(f"'{name}' is a file; needs a text.")
    return value if name == "format" else parse_json(value, source=name)
