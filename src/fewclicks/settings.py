"""Settings: fields of a configuration, by name, as a program passes them or a person types them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from fewclicks.errors import InputError, UnknownEntryError

_ANSWERS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_settings(config_type: type, settings: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Check the names of settings, and read text as the type that the field has.

    Parameters
    ----------
    config_type
        A dataclass whose fields are text, numbers or truth values, or may be None besides.
    settings
        By the names of its fields.
    owner
        What is being configured, as a message names it: ``"'m2n2'"``.

    Raises
    ------
    UnknownEntryError
        For a name that is no field.
    InputError
        For text that is not of the field's type.
    """
    hints = get_type_hints(config_type)
    fields = [field.name for field in dataclasses.fields(config_type)]
    values = {}
    for key, value in settings.items():
        if key not in fields:
            raise UnknownEntryError(f"setting of {owner}", key, fields)
        values[key] = _typed(key, value, hints[key]) if isinstance(value, str) else value
    return values


def expand_variables(value: Any) -> Any:
    """Put environment variables in the place of ``$NAME`` in texts, also inside tables.

    Raises
    ------
    InputError
        For one that is not set.
    """
    if isinstance(value, dict):
        return {key: expand_variables(each) for key, each in value.items()}
    if isinstance(value, list):
        return [expand_variables(each) for each in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    found = os.path.expandvars(value)
    if "$" in found:
        raise InputError(
            f"'{value}' names an environment variable that is not set; set it, or give the value "
            "with an option."
        )
    return found


def _typed(key: str, text: str, hint: Any) -> Any:
    kinds = get_args(hint) or (hint,)
    if NoneType in kinds and text.lower() == "none":
        return None
    kind = next(each for each in kinds if each is not NoneType)
    if kind is bool:
        if text.lower() in _ANSWERS:
            return _ANSWERS[text.lower()]
        raise InputError(f"Setting {key}={text}; needs true or false.")
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        needed = "a whole number" if kind is int else "a number"
        raise InputError(f"Setting {key}={text}; needs {needed}.") from None
