"""JSON that others wrote: parsed, or complained of in one line."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from fewclicks.errors import InputError


def parse_json(text: str, *, source: str) -> Any:
    """Parse JSON, and say where it is broken.

    Raises
    ------
    InputError
        If the text is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is no JSON: {error}.") from None


def complaint(error: ValidationError) -> str:
    """Give the first complaint of a validation in one line, led by its place."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ", ".join(_place(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    said = said[0].lower() + said[1:] if said else "unusable"
    return f"{place}: {said}" if place else said


def _place(part: int | str) -> str:
    return f"number {part + 1}" if isinstance(part, int) else part
