"""What a whole click takes."""

import sys

import numpy as np
import pytest

from fewclicks.evaluation.speed.whole_clicks import peak_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_the_largest_memory_of_a_method_is_not_that_of_the_process_that_asks():
    mine = np.ones(100_000_000)  # 800 MB, all of them written

    found = peak_memory("graphcut", 64, 48).megabytes

    assert found is not None
    assert 20 < found < mine.nbytes / 2**20
