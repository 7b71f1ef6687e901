"""Files of MATLAB, as data sets of 2011 to 2014 come in them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from fewclicks.datasets.matlab_elements import check_elements
from fewclicks.errors import FewclicksError, InputError, StorageError


@contextmanager
def matlab_file(path: Path, what: str) -> Iterator[dict[str, Any]]:
    """Give the variables of a file; looking for what it does not hold is an error in one line.

    Parameters
    ----------
    path
        Of version 5; nothing in it is run.
    what
        It should be, as a message names it.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    InputError
        If it is none, or the block misses something in it.
    """
    try:
        content = path.read_bytes()
        check_elements(content)
        yield loadmat(io.BytesIO(content), simplify_cells=True)
    except FewclicksError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot read {what} {path}: {reason}.") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit into memory; it is no {what}.") from error
    except (
        AttributeError,
        IndexError,
        KeyError,
        MatReadError,
        NotImplementedError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(f"{path} is no {what} ({error}).") from None
