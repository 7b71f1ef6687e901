from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fewclicks.errors import InputError, StorageError
from fewclicks.files import (
    check_writable,
    read_text,
    remove_leftovers,
    sha256_of,
    write_bytes,
    write_text,
    written_beside,
)


def test_a_file_is_written_whole_with_its_folders(tmp_path: Path):
    write_text(tmp_path / "a" / "b" / "grüße.txt", "grüße\n")

    assert (tmp_path / "a" / "b" / "grüße.txt").read_bytes() == "grüße\n".encode()
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"old")
    with written_beside(path) as beside:
        beside.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert beside.parent == path.parent
        assert beside.suffix == ".png"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
):
    path = tmp_path / "mask.png"
    path.write_bytes(b"old")

    def fail_half_way() -> None:
        with written_beside(path) as beside:
            beside.write_bytes(b"half of the ne")
            raise failure

    with pytest.raises(failure):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as half:
            half.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=r"Cannot write .*result.json: no space left on device"):
        write_text(tmp_path / "result.json", "{}")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_write_never_leaves_half_a_file_under_its_name(tmp_path: Path):
    path = tmp_path / "result.json"
    path.write_text("old")
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from fewclicks.files import written_beside\n"
        f"with written_beside(Path({str(path)!r})) as beside, beside.open('w') as file:\n"
        "    file.write('half'); file.flush(); print('writing', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == b"writing"
        writer.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"
    others = [tmp_path / ".notes.txt", tmp_path / "result.0123456789ab.json"]
    for other in others:
        other.touch()
    assert len(list(tmp_path.iterdir())) == 4
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])
    remove_leftovers(tmp_path / "nowhere")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_new_file_gets_the_rights_of_any_new_file(tmp_path: Path):
    (tmp_path / "any").touch()
    write_bytes(tmp_path / "ours", b"")

    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("any", "ours")]
    assert rights[0] == rights[1]


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path):
    (tmp_path / "file").touch()
    for writing in (lambda path: write_text(path, "x"), check_writable):
        with pytest.raises(StorageError, match="Cannot write"):
            writing(tmp_path / "file" / "mask.png")
        with pytest.raises(StorageError, match="Cannot write"):
            writing(tmp_path / "file" / "deeper" / "mask.png")


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path):
    (tmp_path / "mask.png").mkdir()
    with pytest.raises(StorageError, match="Cannot write"):
        write_text(tmp_path / "mask.png", "x")
    with pytest.raises(StorageError, match="it is a folder"):
        check_writable(tmp_path / "mask.png")
    assert list(tmp_path.iterdir()) == [tmp_path / "mask.png"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to root"
)
def test_a_read_only_folder_is_said(tmp_path: Path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    for writing in (lambda path: write_text(path, "x"), check_writable):
        with pytest.raises(StorageError, match="permission denied"):
            writing(locked / "mask.png")


def test_a_place_that_can_be_written_passes_and_is_not_touched(tmp_path: Path):
    check_writable(tmp_path / "new" / "folder" / "mask.png")
    check_writable(Path("mask-of-nothing.png"))

    assert list(tmp_path.iterdir()) == []
    assert not Path("mask-of-nothing.png").exists()


def test_a_name_that_no_file_can_have_is_a_storage_error(tmp_path: Path):
    for name in ("\0", "x" * 5000):
        with pytest.raises(StorageError, match="Cannot write"):
            write_text(tmp_path / name, "x")
        with pytest.raises(StorageError, match="Cannot write"):
            check_writable(tmp_path / name)
        with pytest.raises(StorageError, match="Cannot read"):
            read_text(tmp_path / name)


def test_the_longest_name_that_a_file_can_have_can_be_written(tmp_path: Path):
    path = tmp_path / ("x" * 251 + ".png")
    write_text(path, "x")

    assert path.read_text() == "x"


def test_text_is_read_as_it_was_written(tmp_path: Path):
    write_text(tmp_path / "a.txt", "grüße\n")

    assert read_text(tmp_path / "a.txt") == "grüße\n"


def test_text_that_cannot_be_read_says_why(tmp_path: Path):
    (tmp_path / "bytes").write_bytes(b"\xff\xff")
    with pytest.raises(StorageError, match="no such file"):
        read_text(tmp_path / "none")
    with pytest.raises(StorageError, match="Cannot read"):
        read_text(tmp_path)
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_text(tmp_path / "bytes")


def test_a_digest_is_that_of_the_bytes(tmp_path: Path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "abc") == digest
    with pytest.raises(StorageError, match="Cannot read"):
        sha256_of(tmp_path)


def test_a_folder_that_may_not_be_written_is_said_to_root_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageError, match="permission denied"):
        check_writable(tmp_path / "mask.png")


def test_tensors_that_do_not_fit_on_the_disk_are_told_of_in_one_line(tmp_path: Path):
    resource = pytest.importorskip("resource", reason="Only POSIX limits the size of files.")
    target = tmp_path / "network.safetensors"
    target.write_bytes(b"before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with (
            pytest.raises(StorageError, match=r"Cannot write .*network\.safetensors: .*too large"),
            written_beside(target) as beside,
        ):
            save_file({"weights": np.zeros(100_000, np.float32)}, beside)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]
