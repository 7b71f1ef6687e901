"""What tests of whole programs share."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture
def without_rights() -> tuple[str, ...]:
    """What makes root heed the rights of files, as everybody else does."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("Root may write everywhere, and there is no setpriv to forbid it.")
    rights = "-dac_override,-dac_read_search,-fowner"
    return ("setpriv", "--bounding-set", rights, "--inh-caps", rights, "--")
