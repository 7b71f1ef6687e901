"""Damage: the same broken files for the same seed, from a whole one."""

from __future__ import annotations

import pickle
import random
import re
from collections.abc import Iterator
from typing import Final

EVIL_VALUES: Final = (
    "null", "true", "-1", "0", "-0.0", "1e308", "1e999", "NaN", "Infinity", "nan", "inf",
    "9" * 30, "4294967296", "-9223372036854775809", "0.5", '""', '"x"', '"\\u0000"', '"../../x"',
    '"' + "y" * 3000 + '"', "[]", "{}", "[[]]", '{"a": [1]}', "[" * 400, "{" * 400, "'", '"',
    "\x00", "2026-01-01", "<a>", "&b;", "!!python/object:os.system", "&a [*a]",
)  # fmt: skip

_TOKEN: Final = re.compile(
    r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\"[^\"\n]*\"|\b[A-Za-z_]\w*\b|[\[\]{},:=]"
)
_BYTES: Final = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")


class _Opened:
    """What a pickle would do to whoever unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was run')",)


def strangers() -> dict[str, bytes]:
    """Contents that no reader wants."""
    noise = random.Random(1).randbytes(4000)
    return {
        "no bytes": b"",
        "one zero": b"\x00",
        "zeros": bytes(1 << 16),
        "noise": noise,
        "a word": b"dog\n",
        "no UTF-8": b"\xff\xfe{\x00}\x00" + noise[:100],
        "a pickle": pickle.dumps(_Opened()),
        "a page": b"<!DOCTYPE html><html><body>404</body></html>\n",
        "deep brackets": b"[" * 200_000,
        "a long number": b"[" + b"9" * 20_000 + b"]",
        "an empty list": b"[]",
        "an empty object": b"{}",
        "null": b"null",
    }


def damaged(content: bytes, seeds: range) -> Iterator[tuple[str, bytes]]:
    """Cut, twist, repeat and replace, a little or a lot; text word by word as well."""
    yield "half", content[: len(content) // 2]
    yield "all but the last byte", content[:-1]
    yield "twice", content + content
    for seed in seeds:
        chance = random.Random(seed)
        twist = _twist_words if seed % 4 and _is_text(content) else _twist_bytes
        yield f"seed {seed}", twist(content, chance)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _twist_words(content: bytes, chance: random.Random) -> bytes:
    text = content.decode("utf-8")
    for _ in range(chance.randint(1, 3)):
        found = list(_TOKEN.finditer(text))
        if not found:
            break
        word, other = chance.choice(found), chance.choice(found)
        instead = chance.choice([*EVIL_VALUES, *EVIL_VALUES, "", other.group()])
        text = text[: word.start()] + instead + text[word.end() :]
    return text.encode("utf-8", "surrogatepass")


def _twist_bytes(content: bytes, chance: random.Random) -> bytes:
    twisted = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        # Headers are where the lies are told that cost the most.
        reach = min(len(twisted), 200) if chance.random() < 0.6 else len(twisted)
        place = chance.randrange(max(reach, 1))
        length = chance.choice((1, 1, 2, 4, 16))
        match chance.choice(("flip", "flip", "put", "put", "insert", "drop", "cut")):
            case "flip" if twisted:
                twisted[place] ^= 1 << chance.randrange(8)
            case "put":
                lie = chance.choice(_BYTES)
                twisted[place : place + len(lie)] = lie
            case "insert":
                twisted[place:place] = chance.randbytes(length)
            case "drop":
                del twisted[place : place + length]
            case "cut" if chance.random() < 0.3:
                del twisted[chance.randrange(max(len(twisted), 1)) :]
    return bytes(twisted)
