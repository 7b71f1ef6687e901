from __future__ import annotations

import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from annotated_folder import Hand, make_folder
from annotation_server import AnnotationServer
from drawing import BLOB, paint
from fewclicks.images.writing import write_image

KILLS = 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_folder(tmp_path / "pictures")
    for number in range(5):
        write_image(folder / f"more{number}.png", paint(BLOB, inside=(200, 40 * number, 90)))
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[AnnotationServer]:
    server = AnnotationServer(folder, "--method", "graphcut")
    yield server
    server.kill()


def test_eight_annotators_at_once_lose_no_click_and_none_waits_for_all_the_others(
    server: AnnotationServer,
):
    address = server.start()
    ends: dict[str, list[float]] = {}
    together = threading.Barrier(8)

    def annotate(number: int) -> None:
        name = f"annotator {number}"
        with httpx.Client(base_url=address, timeout=120) as client:
            hand = Hand(client, name)
            together.wait(60)
            for place in range(6):
                hand.act(number, kind="click", x=20 + place, y=22, is_positive=True)
                ends.setdefault(name, []).append(time.perf_counter())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(annotate, range(1, 9)))
    with httpx.Client(base_url=address, timeout=120) as client:
        hand = Hand(client)
        for number in range(1, 9):
            clicks = hand.get(f"/api/pictures/{number}")["active"]["clicks"]
            assert [click["x"] for click in clicks] == [20 + place for place in range(6)]
    # In turn: nobody is done before everybody has had a first answer.
    assert min(times[-1] for times in ends.values()) > max(times[0] for times in ends.values())


@pytest.mark.long
def test_fifty_kills_at_random_moments_lose_nothing_that_was_acknowledged(
    server: AnnotationServer, folder: Path
):
    chance = random.Random(7)
    acknowledged: dict[str, dict[str, int]] = {}
    is_over = threading.Event()
    address = server.start()
    lock = threading.Lock()

    def annotate(number: int) -> None:
        hand = None
        while not is_over.is_set():
            try:
                with httpx.Client(base_url=address, timeout=30) as client:
                    hand = hand or Hand(client, f"annotator {number}")
                    hand.client = client
                    while not is_over.is_set():
                        name, x = str(uuid.uuid4()), chance.randrange(15, 50)
                        answer = client.post(
                            f"/api/pictures/{number}/actions",
                            json={
                                "id": name,
                                "action": {"kind": "click", "x": x, "y": 22, "is_positive": False},
                            },
                            headers=hand.headers,
                        )
                        assert answer.status_code == 200, answer.text
                        with lock:
                            acknowledged.setdefault(str(number), {})[name] = x
                        if chance.random() < 0.1:
                            hand.act(number, kind="discard")
            except httpx.TransportError:
                time.sleep(0.05)

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(annotate, number) for number in range(1, 5)]
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.0))
            server.kill()
            address = server.start()
        is_over.set()
        for one in work:
            one.result()
    server.stop()
    with sqlite3.connect(folder / ".fewclicks" / "annotations.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = dict(database.execute("SELECT uuid, content FROM action WHERE kind = 'click'"))
        numbers = database.execute("SELECT picture_id, number FROM action").fetchall()
    assert len(numbers) == len(set(numbers))
    total = 0
    for clicks in acknowledged.values():
        for name, x in clicks.items():
            assert f'"x":{x}' in kept[name]
            total += 1
    assert total > KILLS
