"""Events: what TensorBoard shows of a training, each on its way to the disk at once.

TensorBoard's own writer works in a thread that dies unheard where there is no room.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any, Final

from fewclicks.arrays import RgbImage
from fewclicks.errors import StorageError

_VERSION: Final = "brain.Event:2"


class Events:
    """A new file of events in a folder, beside those of earlier runs.

    Parameters
    ----------
    folder
        Made if it is not there.
    first_step
        What earlier runs wrote from here on is hidden; 0 where there was none.

    Raises
    ------
    StorageError
        If it cannot be written.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog

        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._path = folder / name
        self._write(step=first_step, file_version=_VERSION)
        if first_step:
            self._write(step=first_step, session_log=SessionLog(status=SessionLog.START))

    def scalar(self, name: str, value: float, step: int) -> None:
        """Write a number."""
        from torch.utils.tensorboard.summary import scalar

        describe: Any = scalar  # untyped
        self._write(step=step, summary=describe(name, value))

    def image(self, name: str, image: RgbImage, step: int) -> None:
        """Write a picture."""
        from torch.utils.tensorboard.summary import image as picture

        describe: Any = picture  # untyped
        self._write(step=step, summary=describe(name, image, dataformats="HWC"))

    def _write(self, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        record: Any = RecordWriter  # untyped
        content = Event(wall_time=time.time(), **event).SerializeToString()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                record(file).write(content)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"Cannot write {self._path}: {reason}.") from error
