"""A session over the trained methods: references and exemplars reach their networks, and return."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bright_network import save_bright_network
from drawing import BLOB, paint
from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.guidance import Guidance, Reference
from fewclicks.methods.registry import create_method
from fewclicks.methods.transformer.icmformer_pp_network import ICMFormerPPNetwork
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.refcut_network import RefCutNetwork
from fewclicks.session.session import Session

PICTURE = paint(BLOB)
TWIN = np.roll(BLOB, 5, axis=1)
REFERENCE = Reference(image=paint(TWIN), positive=TWIN)


def refcut(folder: Path) -> AnyMethod:
    """A small network of random numbers, whose prompts speak."""
    torch.manual_seed(0)
    config = RefCutNetwork.config_type(
        dim=16, depth=2, heads=2, patch=4, levels=(8, 8, 8, 8), head=8, side=32, window=4
    )
    network = RefCutNetwork(config)
    with torch.no_grad():
        for values in network.parameters():
            values += 0.3 * torch.randn_like(values)
        network.head.classify.weight *= 5
    save_network(network, folder / "refcut.safetensors")
    return create_method("refcut", weights=str(folder / "refcut.safetensors"), zoom=False)


def test_a_reference_guides_refcut_while_its_label_is_aimed_at(tmp_path: Path):
    method = refcut(tmp_path)
    prepared = method.prepare(PICTURE)
    guided = method.condition(prepared, Guidance(references=(REFERENCE,)))
    click = Click(x=30, y=24)
    plain, told = (method.predict(each, [click]).probability for each in (prepared, guided))
    assert not np.array_equal(plain, told)

    session = Session(method, PICTURE)
    session.attach_reference("blob", [REFERENCE])
    session.click(click.x, click.y)
    assert np.array_equal(session.probability, plain)
    session.undo()
    session.aim_at("blob")
    session.click(click.x, click.y)
    assert np.array_equal(session.probability, told)

    session.save(tmp_path / "sitting.json")
    restored = Session.load(tmp_path / "sitting.json", method, PICTURE)
    restored.attach_reference("blob", [REFERENCE])
    assert np.array_equal(restored.probability, told)
    restored.attach_reference("blob", [])
    assert np.array_equal(restored.probability, plain)


def three_blobs() -> tuple[BoolMask, BoolMask, BoolMask]:
    """(240, 320) each, of three sizes and apart."""
    masks = np.zeros((3, 240, 320), dtype=bool)
    masks[0, 20:60, 20:60] = masks[1, 20:70, 240:300] = masks[2, 160:200, 140:180] = True
    return masks[0], masks[1], masks[2]


@pytest.fixture(params=["resnet-18", "hrnet-18"])
def icmformer_pp(request: pytest.FixtureRequest, tmp_path: Path) -> AnyMethod:
    """A network that calls bright what the object is, and looks at crops."""
    file = save_bright_network(
        tmp_path / "plus.safetensors",
        ICMFormerPPNetwork,
        crop_network=request.param,
        crop_widths=(2, 2, 2, 2),
        crop_depths=(1, 1, 1, 1),
    )
    return create_method("icmformer_pp", weights=str(file), least_side=8)


def test_a_finished_object_finds_the_others_by_icmformer_pp(
    icmformer_pp: AnyMethod, tmp_path: Path
):
    known, largest, other = three_blobs()
    session = Session(icmformer_pp, paint(known | largest | other))
    session.correct(known)
    session.finish_object("blob")

    session.others.of(0)
    found = [proposal.mask for proposal in session.others.proposals]  # crumbs at the exemplar too
    assert iou(found[0], largest) > 0.7
    assert iou(found[1], other) > 0.7
    accepted = session.others.accept(0)
    session.others.refuse(0)
    session.save(tmp_path / "sitting.json")

    restored = Session.load(tmp_path / "sitting.json", icmformer_pp, session.image)
    assert restored.others.exemplar is not None
    assert [each.label for each in restored.objects] == ["blob", "blob"]
    assert np.array_equal(restored.objects[1].mask, accepted.mask)
    assert len(restored.others.proposals) == len(found) - 2
    restored.undo()
    assert np.array_equal(restored.others.proposals[0].mask, found[1])


def test_judging_proposals_never_has_the_exemplar_looked_at_again(
    icmformer_pp: AnyMethod, monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []
    real = ICMFormerPPNetwork.tell
    monkeypatch.setattr(ICMFormerPPNetwork, "tell", lambda *given: told.append(1) or real(*given))
    known, largest, other = three_blobs()
    session = Session(icmformer_pp, paint(known | largest | other))
    session.correct(known)
    session.finish_object("blob")
    session.others.of(0)
    looks = len(told)
    session.others.accept(0)
    session.others.refuse(0)
    session.undo()
    session.redo()

    assert looks > 0
    assert len(told) == looks
