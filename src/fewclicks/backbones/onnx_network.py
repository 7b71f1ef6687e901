"""ONNX network: a small network of one input and one output, run by onnxruntime without torch."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fewclicks.errors import WeightsError

_QUIET: Final = 3  # errors only


class OnnxNetwork:
    """A network in a file.

    Parameters
    ----------
    file
        Of one input and one output, both of fp32.
    threads
        Of the runtime.
    remedy
        What to do about a file that cannot be run, as the error says it.

    Notes
    -----
    The first call loads it; several threads may then share it.
    """

    def __init__(self, file: Path, *, threads: int = 1, remedy: str) -> None:
        self._file, self._threads, self._remedy = file, threads, remedy
        self._session: onnxruntime.InferenceSession | None = None
        self._loading = threading.Lock()

    def __call__(self, given: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run it.

        Raises
        ------
        WeightsError
            If the file is no network that onnxruntime can run.
        """
        session = self._loaded()
        (found,) = session.run(None, {session.get_inputs()[0].name: given})
        return np.asarray(found, dtype=np.float32)

    def _loaded(self) -> onnxruntime.InferenceSession:
        with self._loading:
            if self._session is None:
                self._session = self._load()
            return self._session

    def _load(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        try:
            return onnxruntime.InferenceSession(
                self._file.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors have no base but this
            raise WeightsError(
                f"{self._file} is no network that onnxruntime can run; {self._remedy}."
            ) from error
