from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from fewclicks.backbones import fetching
from fewclicks.backbones.fetching import PIECE, begun, clean, fetch
from fewclicks.backbones.origins import FolderOrigin, HubOrigin, open_origin
from fewclicks.backbones.verifying import is_recorded, problems, read_manifest
from fewclicks.backbones.weights import Weights, find_on_disk, weights_table
from fewclicks.errors import InputError, MissingExtraError, WeightsError
from hub import COMMIT, Hub, serving

SMALL = weights_table()["dinov2-small"]
TENSORS = save({"a": np.arange(30, dtype=np.float32)})
FILES = {
    "config.json": b'{"hidden_size": 8}',
    "model.safetensors": TENSORS,
    "preprocessor_config.json": b"{}",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"words",
}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our cache with nothing in it; the loopback may be asked, nothing else is there."""
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("FEWCLICKS_MIRROR", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "ours" / "weights"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy that somebody carried here."""
    place = tmp_path / "carried"
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    return place


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_hub_is_fetched_from_whole_and_recorded(hub: Hub, empty_cache: Path):
    where = fetch(SMALL, source=hub.place)

    assert where == SMALL.folder == find_on_disk(SMALL)
    assert names(empty_cache) == ["dinov2-small"]
    assert names(where) == [
        "config.json", "manifest.json", "model.safetensors", "preprocessor_config.json",
    ]  # fmt: skip
    assert (where / "model.safetensors").read_bytes() == TENSORS
    manifest = read_manifest(where)
    assert manifest is not None
    assert (manifest.source, manifest.revision) == (hub.place, COMMIT)
    assert is_recorded(where)
    assert problems(SMALL, where) == []


def test_bytes_are_counted_as_they_arrive(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "PIECE", 100)
    told: list[tuple[int, int]] = []

    fetch(SMALL, source=hub.place, watch=lambda done, total: told.append((done, total)))

    wanted = [
        FILES[name] for name in ("config.json", "model.safetensors", "preprocessor_config.json")
    ]
    total = sum(map(len, wanted))
    assert {count for _, count in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == total


def test_a_fetch_that_breaks_off_goes_on_where_it_stopped(
    hub: Hub, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetching, "PIECE", 64)
    read = HubOrigin.read

    def cable_pulled(self: HubOrigin, file: str, start: int, stop: int) -> bytes:
        if (file, start) == ("model.safetensors", 128):
            raise WeightsError("The cable is out.")
        return read(self, file, start, stop)

    with monkeypatch.context() as broken:
        broken.setattr(HubOrigin, "read", cable_pulled)
        with pytest.raises(WeightsError, match="cable"):
            fetch(SMALL, source=hub.place)
    assert names(empty_cache) == ["dinov2-small.partial"]
    assert begun(SMALL) > 128
    hub.asked.clear()
    fetch(SMALL, source=hub.place)

    assert hub.asked[0] == ("model.safetensors", 128)
    assert (SMALL.folder / "model.safetensors").read_bytes() == TENSORS
    assert begun(SMALL) == 0


def test_what_was_begun_elsewhere_is_not_gone_on_with(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    partial = SMALL.folder.with_name("dinov2-small.partial")
    partial.mkdir(parents=True)
    (partial / "model.safetensors").write_bytes(b"x" * 64)
    monkeypatch.setattr(fetching, "PIECE", 64)

    fetch(SMALL, source=hub.place)

    assert ("model.safetensors", 0) in hub.asked


def test_a_killed_fetch_leaves_nothing_under_the_name_and_is_taken_up(empty_cache: Path):
    large = save({"a": np.arange(PIECE // 2, dtype=np.float32)})  # more than two pieces
    with serving(Hub({**FILES, "model.safetensors": large}, stalls_at=PIECE)) as hub:
        environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
        command = [sys.executable, "-m", "fewclicks", "weights", "fetch", "dinov2-small"]
        child = subprocess.Popen(
            [*command, "--from", "owner/name"],
            env={**environment, "HF_ENDPOINT": hub.address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert hub.stalled.wait(60), child.communicate(timeout=10)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert names(empty_cache) == ["dinov2-small.partial"]
        assert find_on_disk(SMALL) is None

        hub.stalls_at = None
        hub.goes_on.set()
        hub.asked.clear()
        done = subprocess.run(
            [*command, "--from", "owner/name", "--json"],
            env={**environment, "HF_ENDPOINT": hub.address},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {"name": "dinov2-small", "folder": str(SMALL.folder), "fetched": True}
    ]
    assert hub.asked[0] == ("model.safetensors", PIECE)
    assert (SMALL.folder / "model.safetensors").read_bytes() == large


@pytest.mark.parametrize("as_address", [False, True])
def test_a_folder_is_a_place_to_fetch_from(folder: Path, as_address: bool):
    where = fetch(SMALL, source=folder.as_uri() if as_address else str(folder))

    assert (where / "model.safetensors").read_bytes() == TENSORS
    assert not (where / "pytorch_model.bin").exists()
    assert problems(SMALL, where) == []


def test_the_mirror_of_the_environment_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEWCLICKS_MIRROR", f"dinov2-small={folder}")

    assert read_manifest(fetch(SMALL)).source == str(folder)  # type: ignore[union-attr]


def test_fetching_again_replaces_what_lay_there(folder: Path, empty_cache: Path):
    where = fetch(SMALL, source=str(folder))
    (where / "model.safetensors").write_bytes(b"damaged")
    fetch(SMALL, source=str(folder))

    assert (where / "model.safetensors").read_bytes() == TENSORS
    assert names(empty_cache) == ["dinov2-small"]


def test_pickles_are_refused(hub: Hub):
    del hub.files["model.safetensors"]

    with pytest.raises(WeightsError, match=r"as pickles only \(pytorch_model\.bin\)"):
        fetch(SMALL, source=hub.place)


def test_a_place_without_the_files_is_refused_with_their_names(hub: Hub, empty_cache: Path):
    del hub.files["config.json"]

    with pytest.raises(WeightsError, match=r"lacks config\.json of 'dinov2-small'"):
        fetch(SMALL, source=hub.place)
    assert not empty_cache.exists()


def test_weights_that_were_altered_on_their_way_are_refused(hub: Hub, empty_cache: Path):
    honest = hub.listing()
    hub.files["model.safetensors"] = TENSORS[:-1] + b"!"
    hub.listing = lambda: honest  # type: ignore[method-assign]

    with pytest.raises(WeightsError, match="damaged or altered"):
        fetch(SMALL, source=hub.place)
    assert names(empty_cache) == ["dinov2-small.partial"]
    assert find_on_disk(SMALL) is None

    hub.files["model.safetensors"] = TENSORS
    assert problems(SMALL, fetch(SMALL, source=hub.place)) == []


def test_weights_other_than_their_publisher_states_are_refused(folder: Path):
    row = Weights(name="mine", hub_id="a/b", sha256={"model.safetensors": "0" * 64})

    with pytest.raises(WeightsError, match="another sha256 than was stated"):
        fetch(row, source=str(folder))


def test_a_short_answer_is_refused(hub: Hub):
    stated = hub.listing()
    hub.files["model.safetensors"] = TENSORS[:50]
    hub.listing = lambda: stated  # type: ignore[method-assign]

    with pytest.raises(WeightsError, match="sent 50 bytes"):
        fetch(SMALL, source=hub.place)


def test_a_repository_that_is_not_there_is_told_in_one_line(hub: Hub):
    with pytest.raises(WeightsError, match="is not there or not public") as caught:
        fetch(SMALL, source=f"{hub.address}/nobody/nothing")
    assert "\n" not in str(caught.value)


def test_a_hub_that_cannot_be_reached_is_told_in_one_line():
    with pytest.raises(WeightsError, match="goes on where it stopped") as caught:
        fetch(SMALL, source="http://127.0.0.1:9/owner/name")
    assert "\n" not in str(caught.value)


def test_offline_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set") as caught:
        fetch(SMALL)
    assert "\n" not in str(caught.value)


def test_without_the_hub_s_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[torch\]'"):
        fetch(SMALL)


def test_two_fetches_of_the_same_weights_keep_out_of_each_other_s_way(folder: Path):
    def meanwhile(*_: int) -> None:
        with pytest.raises(WeightsError, match="by another process"):
            fetch(SMALL, source=str(folder))

    assert fetch(SMALL, source=str(folder), watch=meanwhile) == SMALL.folder


def test_a_full_disk_is_told_before_anything_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    class Full:
        free = 10

    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: Full)

    with pytest.raises(WeightsError, match="GB free"):
        fetch(SMALL, source=hub.place)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("place", "hub_id", "revision", "endpoint"),
    [
        ("owner/name", "owner/name", "main", None),
        ("owner/name@v2", "owner/name", "v2", None),
        ("owner/name@refs/pr/7", "owner/name", "refs/pr/7", None),
        ("facebook/dino-vits16", "facebook/dino-vits16", "refs/pr/1", None),
        ("https://hub.example/owner/name", "owner/name", "main", "https://hub.example"),
        ("http://h:80/hf/owner/name@refs/pr/7", "owner/name", "refs/pr/7", "http://h:80/hf"),
    ],
)
def test_places_are_read_as_people_type_them(
    monkeypatch: pytest.MonkeyPatch, place: str, hub_id: str, revision: str, endpoint: str | None
):
    monkeypatch.setattr(HubOrigin, "reach", lambda *arguments: arguments[:3])

    assert open_origin(place, weights_table()["dino-vits16"]) == (hub_id, revision, endpoint)


def test_a_folder_wins_over_a_hub_id_that_reads_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert open_origin("owner/name", SMALL) == FolderOrigin(folder=Path("owner/name"))


@pytest.mark.parametrize("place", ["nothing", "ftp://host/owner/name", "/no/such/folder"])
def test_what_is_no_place_is_refused(place: str):
    with pytest.raises(InputError, match="is no place to fetch from"):
        open_origin(place, SMALL)


def test_cleaning_frees_what_was_fetched_and_what_was_begun(folder: Path, empty_cache: Path):
    fetch(SMALL, source=str(folder))
    stranger = empty_cache / "not-ours"
    stranger.mkdir()
    (stranger / "letter.txt").write_text("dear")

    freed = clean([SMALL])

    assert list(freed) == ["dinov2-small"]
    assert freed["dinov2-small"] > len(TENSORS)
    assert names(empty_cache) == ["not-ours"]
    assert clean([SMALL]) == {}


def test_cleaning_all_leaves_strangers_alone(folder: Path, empty_cache: Path):
    fetch(SMALL, source=str(folder))
    fetch(Weights(name="a/b", hub_id="a/b"), source=str(folder))
    (empty_cache / "not-ours").mkdir()

    assert list(clean()) == ["a--b", "dinov2-small"]
    assert names(empty_cache) == ["not-ours"]
