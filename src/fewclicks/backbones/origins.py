"""Origins: where weights come from, a repository on a hub or a folder; read a piece at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from fewclicks.backbones.verifying import FileRecord, read_manifest
from fewclicks.backbones.weights import Weights
from fewclicks.errors import InputError, MissingExtraError, WeightsError
from fewclicks.files import sha256_of

_HUB_PLACE: Final = re.compile(
    r"(?:(?P<endpoint>https?://[^\s@]+)/)?"
    r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?"
)


class Origin(Protocol):
    """A place that holds weights."""

    @property
    def address(self) -> str:
        """What a message calls it."""
        ...

    @property
    def revision(self) -> str:
        """Commit that is read; empty for a folder."""
        ...

    def files(self) -> dict[str, FileRecord]:
        """List what lies there, with digests where the place states them (else empty)."""
        ...

    def read(self, file: str, start: int, stop: int) -> bytes:
        """Read bytes ``start`` to ``stop`` of a file."""
        ...


def open_origin(place: str, weights: Weights) -> Origin:
    """Say where a place is, as a person types it.

    Parameters
    ----------
    place
        A folder, also as ``file://``; a hub id, ``owner/name`` or ``owner/name@revision``; or such
        an id with the address of another hub before it, ``https://hub.example/owner/name``.
    weights
        What is to be fetched from there.

    Raises
    ------
    InputError
        If it is none of them.
    MissingExtraError
        If it is on a hub, whose library is not installed.
    WeightsError
        If it cannot be reached, or is not there.
    """
    parts = urlsplit(place)
    folder = Path(unquote(parts.path)) if parts.scheme == "file" else Path(place).expanduser()
    if folder.is_dir():
        return FolderOrigin(folder=folder)
    found = _HUB_PLACE.fullmatch(place)
    if found is None:
        raise InputError(
            f"'{place}' is no place to fetch from; needs owner/name, the address of a hub with "
            "owner/name, or a folder that is there."
        )
    asked = found["revision"] or (weights.revision if found["id"] == weights.hub_id else "main")
    return HubOrigin.reach(found["id"], asked, found["endpoint"], weights)


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderOrigin:
    """Weights on this machine, or on a disk that it can see."""

    folder: Path
    revision: str = ""

    @property
    def address(self) -> str:
        """Its path."""
        return str(self.folder)

    def files(self) -> dict[str, FileRecord]:
        """List its files; their digests are those they were recorded with, else measured."""
        manifest = read_manifest(self.folder)
        recorded = manifest.files if manifest else {}
        return {
            file: recorded.get(file) or FileRecord(size=path.stat().st_size, sha256=sha256_of(path))
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            for file in [path.relative_to(self.folder).as_posix()]
        }

    def read(self, file: str, start: int, stop: int) -> bytes:
        """Read a piece."""
        with (self.folder / file).open("rb") as stream:
            stream.seek(start)
            return stream.read(stop - start)


@dataclass(frozen=True, kw_only=True, slots=True)
class HubOrigin:
    """A repository on a hub, at one commit.

    Parameters
    ----------
    hub_id
        ``owner/name``.
    revision
        Commit.
    endpoint
        Address of the hub; that of ``HF_ENDPOINT``, or the usual one, if None.
    listing
        Its files.
    """

    hub_id: str
    revision: str
    endpoint: str | None
    listing: dict[str, FileRecord]

    @classmethod
    def reach(cls, hub_id: str, revision: str, endpoint: str | None, weights: Weights) -> HubOrigin:
        """Ask the hub what the repository holds."""
        try:
            from huggingface_hub import HfApi
        except ImportError:
            raise MissingExtraError(f"Fetching {weights.summary}", "torch") from None
        with _told(hub_id, weights.name):
            info = HfApi(endpoint=endpoint).model_info(
                hub_id, revision=revision, files_metadata=True
            )
        listing = {
            file.rfilename: FileRecord(
                size=file.size or 0, sha256=file.lfs.sha256 if file.lfs else ""
            )
            for file in info.siblings or ()
        }
        return cls(hub_id=hub_id, revision=info.sha or revision, endpoint=endpoint, listing=listing)

    @property
    def address(self) -> str:
        """Its id, after the address of a hub that is not the usual one."""
        return f"{self.endpoint}/{self.hub_id}" if self.endpoint else self.hub_id

    def files(self) -> dict[str, FileRecord]:
        """List its files; the hub states the digests of large ones."""
        return self.listing

    def read(self, file: str, start: int, stop: int) -> bytes:
        """Ask for a piece.

        Notes
        -----
        Not ``hf_hub_download``: what that has begun is lost with its process, and one file of
        Stable Diffusion is 3.5 GB.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            hf_raise_for_status,
            http_backoff,
        )

        url = hf_hub_url(self.hub_id, file, revision=self.revision, endpoint=self.endpoint)
        headers = {**build_hf_headers(), "range": f"bytes={start}-{stop - 1}"}
        with _told(self.hub_id, file):
            response = http_backoff("GET", url, headers=headers)
            hf_raise_for_status(response)
            piece: bytes = response.content
        if len(piece) != stop - start:
            raise WeightsError(
                f"{self.address} sent {len(piece)} bytes of {file} where {stop - start} were asked "
                "for; try again, or name another place with --from."
            )
        return piece


@contextmanager
def _told(hub_id: str, what: str) -> Iterator[None]:
    """Tell in one line what the hub's library found wrong."""
    from huggingface_hub import errors

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        reason = "HF_HUB_OFFLINE is set; unset it, or name a folder with --from"
        raise WeightsError(f"Cannot fetch {what} from {hub_id}: {reason}.") from error
    except errors.GatedRepoError as error:
        reason = "its owner asks for consent; give it on its page, then set HF_TOKEN"
        raise WeightsError(f"Cannot fetch {what} from {hub_id}: {reason}.") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        reason = "it, or its revision, is not there or not public; name a mirror with --from"
        raise WeightsError(f"Cannot fetch {what} from {hub_id}: {reason}.") from error
    except Exception as error:  # the library's HTTP client has errors of its own
        reason = f"{_first_line(error)}; try again (it goes on where it stopped), or use --from"
        raise WeightsError(f"Cannot fetch {what} from {hub_id}: {reason}.") from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
