"""Picture addresses: bytes of pictures that other tools name by address, from allowed hosts only.

Whoever may ask this server for a mask could otherwise have it fetch anything that it can reach, and
others cannot (server-side request forgery).
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import IO, Any, Final
from urllib.parse import urljoin, urlsplit

from fewclicks.errors import InputError, StorageError
from fewclicks.web.access import LARGEST_BODY
from fewclicks.web.uploads import read_base64

_PATIENCE_SECONDS: Final = 20
_PORTS: Final = {"http": 80, "https": 443}


class PictureAddresses:
    """Reads what ``data:`` addresses hold, and what allowed origins serve.

    Parameters
    ----------
    home, optional
        Address of the tool's own server: pictures uploaded to it have addresses without a host.
    key, optional
        Sent as ``Authorization: Token KEY`` to the home, and to nobody else.
    origins
        Further ones, such as ``https://pictures.example.org``, that may be asked.
    largest
        Bytes that a picture may have.

    Raises
    ------
    InputError
        If an origin is no http or https address.
    """

    def __init__(
        self,
        *,
        home: str = "",
        key: str = "",
        origins: Iterable[str] = (),
        largest: int = LARGEST_BODY,
    ) -> None:
        self._home = home
        self._key = key
        self._home_origin = _origin(home) if home else ""
        self._allowed = {_origin(address) for address in (home, *origins) if address}
        self._largest = largest
        self._opener = urllib.request.build_opener(_NoRedirects)

    def read(self, address: str) -> bytes:
        """Give a picture's bytes.

        Raises
        ------
        InputError
            If the address is neither ``data:`` nor of an allowed origin, or there is too much.
        StorageError
            If its server does not give it.
        """
        if address[:5].lower() == "data:":
            return read_base64(address, source="The picture")
        if address.startswith("/") and not address.startswith("//"):
            if not self._home:
                raise InputError(
                    f"The picture '{_short(address)}' lies on the tool's own server; start this "
                    "one with LABEL_STUDIO_URL, and LABEL_STUDIO_API_KEY if that asks for one."
                )
            address = urljoin(self._home, address)
        origin = _origin(address)
        if origin not in self._allowed:
            raise InputError(
                f"Pictures of '{origin}' are not fetched; allow that with "
                f"FEWCLICKS_PICTURE_ORIGINS={origin}, or upload them."
            )
        return self._fetch(address, origin)

    def _fetch(self, address: str, origin: str) -> bytes:
        request = urllib.request.Request(address)  # of an allowed origin
        if self._key and origin == self._home_origin:
            request.add_header("Authorization", f"Token {self._key}")
        try:
            with self._opener.open(request, timeout=_PATIENCE_SECONDS) as answer:
                content: bytes = answer.read(self._largest + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise StorageError(
                f"'{origin}' answered {error.code} for '{_short(address)}'; needs 200."
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = str(getattr(error, "reason", error)).replace("\n", " ")
            raise StorageError(f"Cannot fetch '{_short(address)}': {said}.") from None
        if len(content) > self._largest:
            raise InputError(f"'{_short(address)}' has more than {self._largest} bytes.")
        return content


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an error: it may lead to where nobody allowed to go."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        del req, fp, code, msg, headers, newurl


def _origin(address: str) -> str:
    """Scheme, host and port of an address; two are one place if and only if these are equal."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise InputError(f"'{_short(address)}' is no address.") from None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise InputError(
            f"'{_short(address)}' is no picture's address; needs http://, https:// or data:."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == _PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def _short(address: str) -> str:
    return "".join(sign for sign in address[:200] if sign.isprintable())
