from __future__ import annotations

import pytest
import typer

from fewclicks.cli.options import read_pairs
from fewclicks.cli.progress import progress


def test_pairs_are_split_at_the_first_sign():
    assert read_pairs("--set", ["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    assert read_pairs("--set", None) == {}


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_what_is_no_pair_is_refused(text: str):
    with pytest.raises(typer.BadParameter, match="needs KEY=VALUE"):
        read_pairs("--set", [text])


def test_a_bar_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]):
    with progress("work") as tell:
        tell(1, 2)
        tell(2, 2)

    assert capsys.readouterr() == ("", "")
