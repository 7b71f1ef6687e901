from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from scipy import sparse
from scipy.io import savemat

from fewclicks.datasets.matlab_elements import check_elements

LABELS = np.arange(12, dtype=np.uint8).reshape(3, 4)
ROUND = {
    "fields": {"labels": LABELS, "text": "döner", "number": 3.5, "complex": 1 + 2j},
    "cells": np.array([sparse.csc_matrix(LABELS > 5), np.zeros((0, 0)), "a"], dtype=object),
    "truth": LABELS > 3,
    "volume": np.zeros((2, 3, 4), dtype=np.float32),
}


def written(*, do_compression: bool = False, **variables: object) -> bytes:
    content = io.BytesIO()
    savemat(content, variables or ROUND, do_compression=do_compression)
    return content.getvalue()


@pytest.mark.parametrize("do_compression", [False, True])
def test_whatever_annotations_are_made_of_passes(do_compression: bool):
    check_elements(written(do_compression=do_compression))


def test_every_cut_is_noticed():
    whole = written(a=LABELS)
    for end in range(129, len(whole)):
        with pytest.raises(ValueError, match="it "):
            check_elements(whole[:end])


def test_sizes_that_do_not_fit_the_values_are_refused():
    whole = written(a=LABELS)
    place = whole.index(struct.pack("<IIii", 5, 8, 3, 4))
    for sizes, said in (((3, 5), "another number"), ((-3, -4), "matrix of"), ((1 << 30, 8), "of")):
        lie = whole[: place + 8] + struct.pack("<ii", *sizes) + whole[place + 16 :]
        with pytest.raises(ValueError, match=said):
            check_elements(lie)


def test_a_sparse_matrix_with_values_outside_it_is_refused():
    whole = written(a=sparse.csc_matrix(np.eye(3)))
    rows = struct.pack("<iii", 0, 1, 2)
    with pytest.raises(ValueError, match="values outside"):
        check_elements(whole.replace(rows, struct.pack("<iii", 0, 1, 3), 1))
