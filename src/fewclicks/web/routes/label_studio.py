"""Label Studio: the requests that it sends to a machine-learning backend."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, ValidationError

import fewclicks
from fewclicks.errors import InputError
from fewclicks.formats.label_studio import brush_result
from fewclicks.json_text import complaint
from fewclicks.web.answering import Answering
from fewclicks.web.label_config import read_label_config
from fewclicks.web.picture_addresses import PictureAddresses
from fewclicks.web.region_prompts import MOST_REGIONS, RegionPrompts
from fewclicks.web.routes.segment import find_answering, turn_of
from fewclicks.web.schemas import Answer

router = APIRouter()

_MOST_PROJECTS: Final = 1000

_Config = Annotated[str, Field(max_length=1_000_000)]
_Project = Annotated[str, Field(max_length=200)]


class LabelConfigs:
    """Labelling configs of the newest projects; threads may share them."""

    def __init__(self) -> None:
        self._configs: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, project: str, config: str) -> None:
        """Remember a project's config."""
        with self._lock:
            self._configs[project] = config
            self._configs.move_to_end(project)
            while len(self._configs) > _MOST_PROJECTS:
                self._configs.popitem(last=False)

    def of(self, project: str) -> str:
        """Give a project's config, or an empty text."""
        with self._lock:
            return self._configs.get(project, "")


class SetupRequest(BaseModel):
    """A project that is to use this server, and its labelling config."""

    project: _Project = ""
    schema_: Annotated[_Config, Field(alias="schema")] = ""


class _Context(BaseModel):
    result: Annotated[list[dict[str, Any]], Field(max_length=MOST_REGIONS)] = []


class _Params(BaseModel):
    context: _Context | None = None


class _Task(BaseModel):
    data: dict[str, Any] = {}


class PredictRequest(BaseModel):
    """Tasks, and what the annotator drew on the first of them."""

    tasks: Annotated[list[_Task], Field(max_length=1000)] = []
    project: _Project = ""
    label_config: _Config | None = None
    params: _Params | None = None


class VersionAnswer(Answer):
    """Which model answers."""

    model_version: str


class VersionsAnswer(Answer):
    """All models that there are."""

    versions: list[str]


class Prediction(Answer):
    """Regions of one task."""

    result: list[dict[str, Any]]
    model_version: str


class PredictAnswer(VersionAnswer):
    """A prediction for the first task; none before something is drawn."""

    results: list[Prediction]


def _version(request: Request) -> str:
    return f"fewclicks-{fewclicks.__version__}-{find_answering(request).name}"


Version = Annotated[str, Depends(_version)]


def _configs(request: Request) -> LabelConfigs:
    configs: LabelConfigs = request.app.state.label_configs
    return configs


def _addresses(request: Request) -> PictureAddresses:
    addresses: PictureAddresses = request.app.state.picture_addresses
    return addresses


@router.post("/setup")
def setup(
    asked: SetupRequest, version: Version, configs: Annotated[LabelConfigs, Depends(_configs)]
) -> VersionAnswer:
    """Take a project's labelling config; it is read when something is drawn."""
    configs.keep(asked.project, asked.schema_)
    return VersionAnswer(model_version=version)


@router.post("/predict")
def predict(
    asked: PredictRequest,
    request: Request,
    version: Version,
    answering: Annotated[Answering, Depends(find_answering)],
    configs: Annotated[LabelConfigs, Depends(_configs)],
    addresses: Annotated[PictureAddresses, Depends(_addresses)],
) -> PredictAnswer:
    """Segment what points and rectangles on a task's picture mean, as a brush's region."""
    drawn = _drawn(asked)
    if drawn is None:
        return PredictAnswer(results=[], model_version=version)
    if not asked.tasks:
        raise InputError("There is no task; needs the one that was drawn on.")
    config = asked.label_config or configs.of(asked.project)
    if not config:
        raise InputError(f"Project '{asked.project}' has no labelling config; send /setup first.")
    brush = read_label_config(config)
    label = brush.check_label(drawn.label)
    address = asked.tasks[0].data.get(brush.key)
    if not isinstance(address, str):
        raise InputError(f"The task's data has no picture under '{brush.key}'.")
    content = addresses.read(address)
    mask = answering.segment(content, drawn.prompts, turn_of(request)).result()
    if mask.shape != drawn.size:
        height, width = drawn.size
        raise InputError(
            f"The picture is {mask.shape[1]} x {mask.shape[0]}, but was drawn on as "
            f"{width} x {height}; load it again."
        )
    region = brush_result(
        mask,
        label=label,
        from_name=brush.from_name,
        to_name=brush.to_name,
        id_=secrets.token_urlsafe(8),
    )
    found = Prediction(result=[region], model_version=version)
    return PredictAnswer(results=[found], model_version=version)


@router.post("/webhook")
def webhook() -> dict[str, str]:
    """Hear of what happens in a project; nothing is trained by it."""
    return {"status": "ok"}


@router.get("/versions")
@router.post("/versions", include_in_schema=False)
def versions(version: Version) -> VersionsAnswer:
    """List the models; there is one."""
    return VersionsAnswer(versions=[version])


def _drawn(asked: PredictRequest) -> RegionPrompts | None:
    context = None if asked.params is None else asked.params.context
    try:
        return None if context is None else RegionPrompts.of(context.result)
    except ValidationError as error:
        raise InputError(f"What was drawn does not fit: {complaint(error)}.") from None
