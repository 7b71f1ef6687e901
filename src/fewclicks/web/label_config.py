"""Label config: which brush of a Label Studio project takes answers, and on which picture."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from fewclicks.errors import InputError

_EXAMPLE = '<BrushLabels name="brush" toName="image">'


@dataclass(frozen=True, kw_only=True, slots=True)
class BrushTag:
    """The first ``BrushLabels`` of a labelling config, and its ``Image``.

    Parameters
    ----------
    from_name, to_name
        Names of the two.
    key
        Under which a task's data has the picture's address.
    labels
        Of the brush, in their order.
    """

    from_name: str
    to_name: str
    key: str
    labels: tuple[str, ...]

    def check_label(self, label: str | None) -> str:
        """Give the brush's label of this name; the only one, where none is named.

        Raises
        ------
        InputError
            If there is none.
        """
        if label in self.labels:
            return str(label)
        if label is None and len(self.labels) == 1:
            return self.labels[0]
        raise InputError(
            f"The prompt is labelled '{label}', which is no label of the brush "
            f"'{self.from_name}'; give both the same labels."
        )


def read_label_config(text: str) -> BrushTag:
    """Read a labelling config.

    Raises
    ------
    InputError
        If it is no XML, or has no brush on a picture of the task's data.
    """
    if "<!DOCTYPE" in text:  # entities: of no use here, and a way to fill the memory
        raise InputError("The labelling config has declarations of its own; needs plain XML.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"The labelling config is no XML: {error}.") from None
    brush = next(root.iter("BrushLabels"), None)
    if brush is None:
        raise InputError(f"The labelling config has no brush; add {_EXAMPLE}.")
    from_name, to_name = brush.get("name", ""), brush.get("toName", "")
    pictures = [one for one in root.iter("Image") if one.get("name") == to_name]
    value = pictures[0].get("value", "") if pictures else ""
    if not from_name or not value.startswith("$"):
        raise InputError(
            f"The brush '{from_name}' is on no picture; needs {_EXAMPLE} and "
            '<Image name="image" value="$image"/>.'
        )
    labels = tuple(one.get("value", "") for one in brush.iter("Label"))
    return BrushTag(from_name=from_name, to_name=to_name, key=value[1:], labels=labels)
