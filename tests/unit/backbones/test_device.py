"""Which device and precision a person gets, on machines that this one is not."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from fewclicks.backbones.device import (
    check_device,
    check_installed,
    choose_device,
    choose_dtype,
)
from fewclicks.errors import InputError, MissingExtraError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Pretend that this machine has the devices named."""

    def has(*devices: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in devices)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in devices)

    return has


@pytest.mark.parametrize(
    ("devices", "asked", "given"),
    [
        ((), "auto", "cpu"),
        (("cuda",), "auto", "cuda"),
        (("mps",), "auto", "mps"),
        (("cuda", "mps"), "auto", "cuda"),
        (("cuda",), "cpu", "cpu"),
        (("cuda", "mps"), "mps", "mps"),
    ],
)
def test_a_person_gets_the_device_asked_for_or_the_fastest(machine, devices, asked, given):
    machine(*devices)

    assert choose_device(asked) == torch.device(given)


@pytest.mark.parametrize(("devices", "asked"), [((), "cuda"), (("cuda",), "mps")])
def test_a_device_that_is_not_there_is_refused(machine, devices, asked):
    machine(*devices)

    with pytest.raises(
        InputError, match=rf"device is '{asked}', but torch .* finds none here; use"
    ):
        choose_device(asked)


@pytest.mark.parametrize(
    ("precision", "device", "dtype"),
    [
        ("auto", "cpu", torch.float32),
        ("auto", "mps", torch.float32),
        ("auto", "cuda", torch.float16),
        ("fp32", "cuda", torch.float32),
        ("bf16", "cpu", torch.bfloat16),
        ("fp16", "cpu", torch.float16),
    ],
)
def test_half_precision_is_taken_where_it_gains(precision, device, dtype):
    assert choose_dtype(precision, torch.device(device)) is dtype


def test_words_that_name_nothing_are_refused():
    check_device("auto", "bf16")
    with pytest.raises(InputError, match="device is 'gpu'; needs one of auto, cpu, cuda, mps"):
        check_device("gpu", "auto")
    with pytest.raises(InputError, match="precision is 'half'; needs one of auto, fp32"):
        check_device("cpu", "half")


@pytest.mark.parametrize("absent", ["torch", "transformers", "diffusers"])
def test_a_missing_package_is_answered_with_the_command_to_type(monkeypatch, absent):
    check_installed("A network", packages=["diffusers"])
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == absent else find(name)
    )

    with pytest.raises(MissingExtraError, match=r"A network needs .* 'fewclicks\[diffusion\]'"):
        check_installed("A network", extra="diffusion", packages=["diffusers"])
