"""RefCut's network: its base where nothing is said, its plain form where something is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import plain_simpleclick as plain
from fewclicks.errors import ShapeError, WeightsError
from fewclicks.methods.registry import find_method
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.network_files import build_empty, load_network, save_network
from fewclicks.methods.transformer.refcut_network import (
    RefCutNetwork,
    References,
    area_averages,
)
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

SMALL = SimpleClickNetworkConfig(
    dim=12, depth=2, heads=3, patch=4, levels=(6, 5, 7, 8), head=5, side=32, window=4,
    global_every=2, dropout=0.0,
)  # fmt: skip


def lively(seed: int = 0) -> RefCutNetwork:
    """A network whose every number matters, the prompts' last layers too."""
    torch.manual_seed(seed)
    network = RefCutNetwork(SMALL).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.2 * torch.randn_like(values)
    return network


def lessons(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(count)
    return torch.rand(count, 3, 32, 32, generator=random), torch.rand(
        count, 3, 32, 32, generator=random
    )


def references(of: list[int], *, empty: tuple[tuple[int, int], ...] = ()) -> References:
    """Pictures for some lessons; masks of another size than the picture, some of them empty."""
    random = torch.Generator().manual_seed(7)
    masks = (torch.rand(len(of), 2, 13, 21, generator=random) > 0.6).float()
    for which, kind in empty:
        masks[which, kind] = 0
    image = torch.rand(len(of), 3, 32, 32, generator=random)
    return References(image, masks, torch.tensor(of, dtype=torch.int64))


def test_a_network_that_begins_as_a_simpleclick_answers_as_it_did(tmp_path):
    torch.manual_seed(1)
    base = SimpleClickNetwork(SMALL).eval()
    save_network(base, tmp_path / "base.safetensors")

    begun = load_network(tmp_path / "base.safetensors", RefCutNetwork)

    image, guidance = lessons()
    with torch.no_grad():
        expected = base(image, guidance)
        assert torch.equal(begun(image, guidance), expected)
        assert torch.equal(begun(image, guidance, references([0, 2])), expected)


def test_empty_masks_say_nothing_however_long_was_trained():
    network = lively()
    image, guidance = lessons()
    silent = references([0, 1, 2], empty=tuple((k, kind) for k in range(3) for kind in (0, 1)))

    with torch.no_grad():
        expected = SimpleClickNetwork.forward(network, image, guidance)
        assert torch.equal(network(image, guidance, silent), expected)
        assert torch.equal(network(image, guidance), expected)
        assert torch.equal(network(image, guidance, references([])), expected)


def test_a_batch_mixes_lessons_with_and_without_references():
    network = lively()
    image, guidance = lessons()
    shown = references([2, 0], empty=((0, 1),))

    with torch.no_grad():
        together = network(image, guidance, shown)
        alone = [
            network(
                image[k : k + 1],
                guidance[k : k + 1],
                References(shown.image[at], shown.masks[at], torch.zeros_like(shown.of[at])),
            )
            for k, at in ((0, slice(1, 2)), (1, slice(0, 0)), (2, slice(0, 1)))
        ]

    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        unguided = network(image, guidance)
    changed = (together - unguided).abs().amax(dim=(1, 2, 3))
    assert changed[0] > 1e-3
    assert changed[1] < 1e-5
    assert changed[2] > 1e-3


def plain_logits(network: RefCutNetwork, image, guidance, shown: References) -> plain.Array:
    """RefCut by loops: one pixel, one cell and one reference after the other."""
    tensors = plain.as_authors_call_them(network)
    settings = {"heads": 3, "window": 4, "global_every": 2}
    said: dict[int, list[plain.Array]] = {0: [], 1: []}
    for picture, masks in zip(shown.image, shown.masks, strict=True):
        tokens = plain.embedded(tensors, picture.double().numpy())
        features = plain.encoded(tensors, tokens, **settings)
        for kind in (0, 1):
            shares = plain_averages(masks[kind].double().numpy(), 8, 8)
            if shares.sum() > 0:
                weighed = sum(shares[y, x] * features[y, x] for y in range(8) for x in range(8))
                said[kind].append(weighed / shares.sum())
    tokens = plain.embedded(tensors, image) + plain.patches(
        tensors, "patch_embed_coords.proj", guidance
    )
    for kind, name in enumerate(("positive", "negative")):
        if said[kind]:
            mean = np.mean(said[kind], axis=0)[None]
            hidden = plain.gelu(plain.linear(tensors, f"prompts.{name}.0", mean))
            tokens = tokens + plain.linear(tensors, f"prompts.{name}.2", hidden)[0]
    return plain.decoded(tensors, plain.encoded(tensors, tokens, **settings), (32, 32))


def plain_averages(mask: plain.Array, rows: int, columns: int) -> plain.Array:
    """Exact, by repeating pixels until cells hold whole ones."""
    height, width = mask.shape
    fine = np.kron(mask, np.ones((rows, columns)))
    return fine.reshape(rows, height, columns, width).mean(axis=(1, 3))


@pytest.mark.parametrize(
    "empty", [(), ((0, 0),), ((1, 1), (0, 1)), ((0, 0), (1, 0))], ids=["both", "one", "two", "none"]
)
def test_logits_are_those_of_the_plain_form(empty: tuple[tuple[int, int], ...]):
    network = lively()
    image, guidance = lessons(1)
    shown = references([0, 0], empty=empty)

    with torch.no_grad():
        answered = network(image, guidance, shown)[0, 0].numpy()

    expected = plain_logits(network, image[0].double().numpy(), guidance[0].double().numpy(), shown)
    assert expected.std() > 1e-2
    np.testing.assert_allclose(answered, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("height", "width"), [(16, 24), (5, 3), (7, 31)])
def test_masks_are_averaged_over_the_cells_exactly(height: int, width: int):
    mask = np.random.default_rng(height).random((height, width)) > 0.5

    averaged = area_averages(torch.from_numpy(mask).double(), 4, 6)

    np.testing.assert_allclose(averaged.numpy(), plain_averages(mask.astype(float), 4, 6))


def test_gradients_reach_every_part_once_the_last_layers_have_moved():
    torch.manual_seed(0)
    network = RefCutNetwork(SMALL).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    image, guidance = lessons()
    reached = []
    for _ in range(2):
        optimiser.zero_grad()
        logits = network(image, guidance, references([0, 2]))
        (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum().backward()
        reached.append({n for n, v in network.named_parameters() if v.grad.abs().max() > 0})
        optimiser.step()

    names = {name for name, _ in network.named_parameters()}
    first_layers = {name for name in names if name.startswith("prompts") and ".0." in name}
    assert names - reached[0] == first_layers
    assert reached[1] == names


def test_without_references_every_weight_has_a_gradient_as_processes_that_share_need_it():
    network = RefCutNetwork(SMALL).train()

    network(*lessons()).sum().backward()

    assert all(values.grad is not None for values in network.parameters())


def test_the_published_size_adds_two_prompts_of_two_layers():
    network = build_empty(RefCutNetwork, SimpleClickNetworkConfig())

    added = count_parameters(network) - find_method("simpleclick").parameters
    assert added == 2 * 2 * (768 * 768 + 768)
    assert find_method("refcut").parameters == count_parameters(network)


def test_what_is_saved_is_no_simpleclick(tmp_path):
    save_network(lively(), tmp_path / "refcut.safetensors")

    with pytest.raises(WeightsError, match="holds a network of refcut; needs one of simpleclick"):
        load_network(tmp_path / "refcut.safetensors")
    again = load_network(tmp_path / "refcut.safetensors", RefCutNetwork)
    for mine, theirs in zip(
        lively().state_dict().values(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, theirs)


def test_masks_that_are_not_two_for_each_picture_are_refused():
    shown = references([0])
    with pytest.raises(ShapeError, match=r"needs \(1, 2, height, width\)"):
        lively()(*lessons(1), shown._replace(masks=shown.masks[:, :1]))
