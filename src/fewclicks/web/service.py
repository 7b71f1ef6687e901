"""Service: masks for other tools, without a folder and without a database.

``uvicorn --factory fewclicks.web.service:create_service`` starts it, and variables of the
environment say how; see `ServiceSettings`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Depends, FastAPI, HTTPException, Request

import fewclicks
from fewclicks.methods.registry import find_method
from fewclicks.web.access import LOOPBACK
from fewclicks.web.answering import Answering
from fewclicks.web.picture_addresses import PictureAddresses
from fewclicks.web.routes import label_studio, segment
from fewclicks.web.server import open_server


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSettings:
    """How the service answers.

    Parameters
    ----------
    method, backbone
        As `create_method` takes them; ``FEWCLICKS_METHOD`` and ``FEWCLICKS_BACKBONE``.
    token
        Asked of everybody, as a bearer's or as the password of any user; ``FEWCLICKS_TOKEN``.
        Without one, only this machine is answered.
    home, key
        Address of Label Studio, and the token that it gives for its uploads;
        ``LABEL_STUDIO_URL`` and ``LABEL_STUDIO_API_KEY``.
    origins
        Whose pictures may be fetched besides; ``FEWCLICKS_PICTURE_ORIGINS``, with commas between.

    Raises
    ------
    UnknownEntryError
        If there is no such method.
    """

    method: str = "default"
    backbone: str | None = None
    token: str = ""
    home: str = ""
    key: str = ""
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        find_method(self.method)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ServiceSettings:
        """Read variables of an environment."""
        origins = environment.get("FEWCLICKS_PICTURE_ORIGINS", "").split(",")
        return cls(
            method=environment.get("FEWCLICKS_METHOD") or "default",
            backbone=environment.get("FEWCLICKS_BACKBONE") or None,
            token=environment.get("FEWCLICKS_TOKEN", ""),
            home=environment.get("LABEL_STUDIO_URL", ""),
            key=environment.get("LABEL_STUDIO_API_KEY", ""),
            origins=tuple(origin.strip() for origin in origins if origin.strip()),
        )


def create_service(settings: ServiceSettings | None = None) -> FastAPI:
    """Build the service: `/v1/segment`, and what Label Studio asks of a backend.

    Parameters
    ----------
    settings, optional
        Those of the environment, if left out.

    Raises
    ------
    FewclicksError
        If the method or an origin cannot be used.
    """
    chosen = settings or ServiceSettings.read(os.environ)
    addresses = PictureAddresses(home=chosen.home, key=chosen.key, origins=chosen.origins)
    answering = Answering({}, method=chosen.method, backbone=chosen.backbone)
    answering.begin()
    answering.model.result()  # who asks other tools' way is told of a failure, or not kept waiting

    app = open_server(answering, hosts=() if chosen.token else LOOPBACK)
    app.state.picture_addresses = addresses
    app.state.label_configs = label_studio.LabelConfigs()
    app.state.token = chosen.token
    for router in (segment.router, label_studio.router):
        app.include_router(router, dependencies=[Depends(_admit)])
    app.get("/health")(_health)
    app.get("/", include_in_schema=False)(_health)
    return app


def _health() -> dict[str, str]:
    """Say that the service is there, as Label Studio expects it."""
    return {"status": "UP", "model_class": "fewclicks", "version": fewclicks.__version__}


def _admit(request: Request) -> None:
    """Let nobody in without the token; where there is none, nobody from another machine."""
    token: str = request.app.state.token
    if not token:
        if request.client is None or request.client.host not in LOOPBACK:
            raise HTTPException(
                403, "Without FEWCLICKS_TOKEN, the service answers its own machine only."
            )
    elif not hmac.compare_digest(_secret(request).encode(), token.encode()):
        raise HTTPException(
            401,
            "The token is missing or wrong; send it as a bearer's, or as a password.",
            headers={"WWW-Authenticate": "Basic"},
        )


def _secret(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
