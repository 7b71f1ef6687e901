from __future__ import annotations

import gc
import weakref

from drawing import BLOB, paint
from fake_method import BlobMethod
from fewclicks.web.actions import ClickAction
from fewclicks.web.desk import Desk
from fewclicks.web.sittings import Sittings

CLICK = ClickAction(kind="click", x=32, y=22, is_positive=True)


def test_a_picture_that_made_room_is_held_by_no_session():
    method = BlobMethod()
    sittings = Sittings(method)
    kept, gone = (method.prepare(paint(BLOB, noise=0)) for _ in range(2))
    session = sittings.at(1, kept, Desk(prompts=(CLICK,)))
    sittings.at(2, gone, Desk(prompts=(CLICK,)))
    trace = weakref.ref(gone)
    del gone
    sittings.keep_only([1])
    gc.collect()
    assert trace() is None
    assert sittings.at(1, kept, Desk(prompts=(CLICK,))) is session
