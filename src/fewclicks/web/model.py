"""Model: a method that is loaded and warm, and what it remembers between two requests."""

from __future__ import annotations

from dataclasses import dataclass

from fewclicks.methods.base import AnyMethod
from fewclicks.methods.registry import create_method, find_method
from fewclicks.methods.warm_up import warm_up
from fewclicks.web.answerer import Answerer, describe_answerer
from fewclicks.web.sittings import Sittings
from fewclicks.web.uploads import Uploads


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A method at work, for one thread.

    Parameters
    ----------
    method
        Which answers.
    answerer
        The same, for the record.
    sittings, uploads
        Its sessions on the folder's pictures, and on those sent along.
    """

    method: AnyMethod
    answerer: Answerer
    sittings: Sittings
    uploads: Uploads


def load_model(name: str, backbone: str | None) -> Model:
    """Build a method, and click a small picture so that no annotator waits for its compiling.

    Parameters
    ----------
    name, backbone
        As `create_method` takes them; a backbone is for methods that need one.

    Raises
    ------
    FewclicksError
        If it cannot be built.
    """
    needs_backbone = "backbone" in find_method(name).needs
    method = create_method(name, backbone=backbone if needs_backbone else None)
    model = Model(
        method=method,
        answerer=describe_answerer(name, method),
        sittings=Sittings(method),
        uploads=Uploads(method),
    )
    warm_up(method)
    return model
