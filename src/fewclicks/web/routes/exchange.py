"""Exchange: annotations to download, and a mask for a picture from anywhere."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi.responses import StreamingResponse
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError
from fewclicks.formats.registry import FORMATS, export
from fewclicks.images.masks import encode_rle
from fewclicks.images.reading import read_image
from fewclicks.json_text import complaint, parse_json
from fewclicks.web.context import Here, Who
from fewclicks.web.exchange import RECORD, collect, write_record

router = APIRouter()

_MOST_MEGAPIXELS: Final = 100.0
_MOST_CLICKS: Final = 200
_CHUNK: Final = 2**20


class FormatAnswer(BaseModel):
    """A format to download."""

    name: str
    summary: str


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int
    y: int
    is_positive: bool = True


_CLICKS: Final = TypeAdapter(Annotated[list[_Place], Field(min_length=1, max_length=_MOST_CLICKS)])


@router.get("/api/formats")
def list_formats(_: Who) -> list[FormatAnswer]:
    """List what annotations can be downloaded as."""
    known = [FormatAnswer(name=entry.name, summary=entry.summary) for entry in FORMATS]
    return [*known, FormatAnswer(name=RECORD, summary="every action there ever was, as JSON lines")]


@router.get(
    "/api/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A zip of the files."}},
)
def download(
    here: Here,
    _: Who,
    format_name: Annotated[str, Query(alias="format", max_length=40)] = "coco",
    only_done: bool = False,
) -> StreamingResponse:
    """Give the annotations of all pictures in a format, as a zip."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if format_name == RECORD:
            written = write_record(here.store, out)
        else:
            written = export(collect(here.store, only_done=only_done), format_name, out)
        packed = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in written:
                archive.write(path, path.relative_to(out).as_posix())
    packed.seek(0)

    def chunks() -> Iterator[bytes]:
        with packed:
            while chunk := packed.read(_CHUNK):
                yield chunk

    name = f"attachment; filename=annotations-{format_name}.zip"
    return StreamingResponse(
        chunks(), media_type="application/zip", headers={"Content-Disposition": name}
    )


@router.post(
    "/v1/segment",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "application/json": {}}}},
)
def segment(
    here: Here,
    who: Who,
    image: Annotated[UploadFile, File(description="A picture of any usual format.")],
    clicks: Annotated[
        str, Form(description='[{"x": 210, "y": 140, "is_positive": true}, …]', max_length=20_000)
    ],
    answer: Annotated[Literal["png", "rle"], Form()] = "png",
) -> Response:
    """Segment a picture that is sent along; nothing of it is kept."""
    places = _read_clicks(clicks)
    with tempfile.NamedTemporaryFile() as file:
        while chunk := image.file.read(_CHUNK):
            file.write(chunk)
        file.flush()
        try:
            pixels = read_image(file.name, max_megapixels=_MOST_MEGAPIXELS)
        except InputError as error:
            raise InputError(str(error).replace(file.name, "The picture")) from None
    check_clicks(places, height=pixels.shape[0], width=pixels.shape[1])
    mask = here.answering.segment(pixels, places, who.id).result()
    if answer == "rle":
        return Response(json.dumps({"rle": encode_rle(mask)}), media_type="application/json")
    return Response(_png(mask), media_type="image/png")


def _read_clicks(text: str) -> list[Click]:
    try:
        read = _CLICKS.validate_python(parse_json(text, source="clicks"))
    except ValidationError as error:
        raise InputError(f"clicks: {complaint(error)}.") from None
    return [Click(one.x, one.y, is_positive=one.is_positive) for one in read]


def _png(mask: BoolMask) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype("uint8") * 255).save(buffer, "PNG")
    return buffer.getvalue()
