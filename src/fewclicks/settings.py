"""Settings: fields of a configuration, by name, as a program passes them or a person types them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from fewclicks.errors import InputError, UnknownEntryError

_ANSWERS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_settings(config_type: type, settings: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Check the names of settings, and read text as the type that the field's default has.

    Parameters
    ----------
    config_type
        A dataclass whose fields all have defaults.
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
    defaults = {item.name: item.default for item in dataclasses.fields(config_type)}
    values = {}
    for key, value in settings.items():
        if key not in defaults:
            raise UnknownEntryError(f"setting of {owner}", key, defaults)
        values[key] = _typed(key, value, defaults[key])
    return values


def _typed(key: str, value: Any, default: Any) -> Any:
    if not isinstance(value, str) or isinstance(default, str):
        return value
    if isinstance(default, bool):
        if value.lower() in _ANSWERS:
            return _ANSWERS[value.lower()]
        raise InputError(f"Setting {key}={value}; needs true or false.")
    try:
        return type(default)(value)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise InputError(f"Setting {key}={value}; needs {kind}.") from None
