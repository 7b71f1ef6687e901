"""Exchange: annotations to download."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from fewclicks.formats.registry import FORMATS, export
from fewclicks.web.context import Here, Who
from fewclicks.web.exchange import RECORD, collect, write_record

router = APIRouter()

_CHUNK: Final = 2**20


class FormatAnswer(BaseModel):
    """A format to download."""

    name: str
    summary: str


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
