"""SAM and its heirs answer as the plain pipeline of transformers does on the same clicks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional
from transformers import Sam2VideoConfig, Sam2VideoModel, SamHQProcessor, SamProcessor
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil
from typer.testing import CliRunner

from bright_sams import SIDE, bright_sam, save_bright_sam, small_sam
from drawing import BLOB, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.weights import published_configuration
from fewclicks.cli.app import app
from fewclicks.clicks import Click
from fewclicks.errors import WeightsError
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.peers.sam import SAM, LowResolution
from fewclicks.methods.peers.sam_network import SURE, SamNetwork
from fewclicks.methods.registry import create_method, find_method

KINDS = ["sam", "sam2", "sam_hq"]
every_kind = pytest.mark.parametrize("kind", KINDS)
PICTURE = paint(BLOB, noise=60)
CLICKS = [Click(x=30, y=24), Click(x=70, y=50, is_positive=False), Click(x=21, y=33)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks whose numbers are drawn, as folders."""
    folder = tmp_path_factory.mktemp("drawn")
    for kind in KINDS:
        small_sam(kind).save_pretrained(folder / kind)
    return {kind: folder / kind for kind in KINDS}


class Pipeline:
    """transformers' own way, from the picture to masks of its size, one call for each click."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.network: Any = small_sam(kind)
        resizing = SamImageProcessorPil(
            size={"longest_edge": SIDE}, pad_size={"height": SIDE, "width": SIDE}
        )
        processors = {"sam": SamProcessor, "sam_hq": SamHQProcessor}
        self.processor = processors[kind](resizing) if kind in processors else None
        if kind == "sam_hq":
            _read_masks_after_attention(self.network.mask_decoder)

    def ask(
        self, image: RgbImage, clicks: Sequence[Click], before: torch.Tensor | None, **more: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the picture's size, and those of the decoder."""
        points = [[[float(click.x), float(click.y)] for click in clicks]]
        labels = [[int(click.is_positive) for click in clicks]]
        if self.processor is None:
            given = self._stretched(image, points[0], labels[0], more.pop("box", None))
        else:
            boxes = more.pop("box", None)
            given = self.processor(
                images=image,
                input_points=[points],
                input_labels=[labels],
                input_boxes=None if boxes is None else [[boxes]],
                return_tensors="pt",
            )
        original = given.pop("original_sizes", None)
        reshaped = given.pop("reshaped_input_sizes", None)
        for name in ("input_points", "input_boxes"):
            if name in given:
                given[name] = given[name].float()
        with torch.no_grad():
            said = self.network(**given, input_masks=before, **more)
        low = said.pred_masks[:, 0, said.iou_scores[0, 0].argmax()][:, None]
        if self.processor is None:
            height, width = image.shape[:2]
            large = functional.interpolate(low, (height, width), mode="bilinear")
            return large[0, 0], low.clamp(-32, 32)
        large = self.processor.post_process_masks([low], original, reshaped, binarize=False)
        return large[0][0, 0], low

    @staticmethod
    def _stretched(
        image: RgbImage, points: list[list[float]], labels: list[int], box: Any
    ) -> dict[str, Any]:
        """SAM 2's processor needs torchvision; Pillow smooths as it does."""
        height, width = image.shape[:2]
        planes = [
            np.asarray(
                Image.fromarray(image[..., channel].astype(np.float32)).resize(
                    (SIDE, SIDE), Image.Resampling.BILINEAR
                )
            )
            for channel in range(3)
        ]
        colours = torch.from_numpy(np.stack(planes)) / 255
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        scale = torch.tensor([SIDE / width, SIDE / height])
        given = {
            "pixel_values": ((colours - mean[:, None, None]) / deviation[:, None, None])[None],
            "input_points": (torch.tensor(points) * scale)[None, None],
            "input_labels": torch.tensor(labels)[None, None],
        }
        if box is not None:
            corners = torch.tensor(box, dtype=torch.float32).reshape(2, 2)
            given["input_boxes"] = (corners * scale).reshape(1, 1, 4)
        return given


def _read_masks_after_attention(decoder: Any) -> None:
    """Let transformers' SAM-HQ upscale what its attention gives, as SAM's own decoder does."""
    held = {}
    decoder.transformer.register_forward_hook(
        lambda _module, _given, said: held.update(pixels=said[1])
    )

    def replace(_module: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (held["pixels"].transpose(2, 3).reshape(given[0].shape),)

    decoder.upscale_conv1.register_forward_pre_hook(replace)


def is_close(answer: Prediction, logits: torch.Tensor, clicks: Sequence[Click]) -> bool:
    """The same probability and the same mask, but for the pixels that were clicked."""
    expected, mask = logits.sigmoid().numpy(), (logits > 0).numpy()
    for click in clicks:
        expected[click.y, click.x] = mask[click.y, click.x] = click.is_positive
    assert 0 < mask.mean() < 1
    return np.allclose(answer.probability, expected, atol=1e-4) and np.array_equal(
        answer.mask, mask
    )


def logits_of(answer: Prediction) -> NDArray[np.float32]:
    """What the decoder said, and wants back."""
    assert isinstance(answer.state, LowResolution)
    return answer.state.logits


@every_kind
def test_three_clicks_give_the_masks_of_the_plain_pipeline(kind: str, drawn: dict[str, Path]):
    method, pipeline = create_method(kind, weights=str(drawn[kind])), Pipeline(kind)
    prepared = method.prepare(PICTURE)

    previous, before = None, None
    for count in (1, 2, 3):
        clicks = CLICKS[:count]
        previous = method.predict(prepared, clicks, previous)
        expected, before = pipeline.ask(PICTURE, clicks, before, multimask_output=count == 1)
        assert is_close(previous, expected, clicks)


@every_kind
def test_a_box_goes_in_as_a_box_with_the_click_in_its_middle(kind: str, drawn: dict[str, Path]):
    method, pipeline = create_method(kind, weights=str(drawn[kind])), Pipeline(kind)
    outside = np.ones(BLOB.shape, dtype=bool)
    outside[8:44, 12:52] = False
    prepared = method.condition(method.prepare(PICTURE), Guidance(excluded=outside))

    answer = method.predict(prepared, CLICKS[:1])

    expected, _ = pipeline.ask(
        PICTURE, CLICKS[:1], None, multimask_output=False, box=[12, 8, 52, 44]
    )
    inside = expected.sigmoid().numpy()
    inside[outside] = 0
    inside[24, 30] = 1
    assert np.allclose(answer.probability, inside, atol=1e-4)
    without = method.predict(method.prepare(PICTURE), CLICKS[:1])
    assert not np.allclose(logits_of(answer), logits_of(without), atol=1e-3)


@pytest.mark.parametrize(
    "excluded",
    [
        None,
        np.zeros_like(BLOB),
        np.ones_like(BLOB),
        BLOB,
    ],
    ids=["nothing", "no pixel", "all", "a finished object"],
)
def test_what_leaves_no_rectangle_is_no_box(excluded: BoolMask | None, drawn: dict[str, Path]):
    method = create_method("sam", weights=str(drawn["sam"]))

    assert method.condition(method.prepare(PICTURE), Guidance(excluded=excluded)).box is None


@every_kind
def test_the_image_encoder_runs_once_for_all_clicks(
    kind: str, drawn: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    method = create_method(kind, weights=str(drawn[kind]))
    prepared = method.prepare(PICTURE)
    monkeypatch.setattr(SamNetwork, "see", None)

    first = method.predict(prepared, CLICKS[:1])
    guided = method.condition(prepared, Guidance(excluded=BLOB))
    second = method.predict(guided, CLICKS[:2], first)

    assert not logits_of(second).flags.writeable


def test_settings_say_whether_masks_are_weighed_and_logits_carried(drawn: dict[str, Path]):
    plain = create_method("sam", weights=str(drawn["sam"]), several=False, carry=False)
    pipeline = Pipeline("sam")
    prepared = plain.prepare(PICTURE)

    previous = None
    for count in (1, 2):
        previous = plain.predict(prepared, CLICKS[:count], previous)
        expected, _ = pipeline.ask(PICTURE, CLICKS[:count], None, multimask_output=False)
        assert is_close(previous, expected, CLICKS[:count])


@every_kind
def test_a_persons_mask_goes_in_as_sure_logits(kind: str, drawn: dict[str, Path]):
    network = create_method(kind, weights=str(drawn[kind]))
    network.prepare(PICTURE)
    asked: SamNetwork = network._loaded()  # type: ignore[attr-defined]

    low = asked.low_logits(BLOB)

    assert low.shape == asked.low_shape
    assert (low.min(), low.max()) == (-SURE, SURE)
    large = asked._enlarged(torch.from_numpy(low)[None, None], BLOB.shape)[0, 0]
    assert iou((large > 0).numpy(), BLOB) > 0.9
    prepared = network.prepare(PICTURE)
    without = network.predict(prepared, CLICKS[:2])
    with_mask = network.predict(prepared, CLICKS[:2], Prediction.from_mask(BLOB))
    assert not np.allclose(logits_of(without), logits_of(with_mask), atol=1e-3)


def test_a_file_with_sam_2s_memory_for_films_is_read_for_its_part_on_pictures(tmp_path: Path):
    bright: Any = bright_sam("sam2")
    sizes = bright.config.to_dict()
    film = Sam2VideoModel(
        Sam2VideoConfig(
            **{key: sizes[key] for key in sizes if key.endswith("_config")},
            memory_attention_num_layers=1,
            memory_attention_feed_forward_hidden_size=16,
            memory_attention_hidden_size=16,
            memory_encoder_hidden_size=16,
            memory_encoder_output_channels=8,
            memory_fuser_num_layers=1,
            memory_fuser_embed_dim=16,
            memory_fuser_intermediate_dim=16,
            mask_downsampler_embed_dim=16,
        )
    )
    film.load_state_dict(bright.state_dict(), strict=False)
    film.save_pretrained(tmp_path / "film")

    method = create_method("sam2", weights=str(tmp_path / "film"))

    assert iou(method.predict(method.prepare(PICTURE), CLICKS[:1]).mask, BLOB) > 0.6


def test_weights_of_another_network_are_refused(drawn: dict[str, Path]):
    method = create_method("sam", weights=str(drawn["sam2"]))

    with pytest.raises(WeightsError, match="holds a network of sam2; needs one of sam"):
        method.prepare(PICTURE)


def test_no_weights_at_all_are_refused_with_those_there_are():
    with pytest.raises(
        WeightsError, match="'sam' got no weights; name some with --set weights=sam"
    ):
        SAM(SAM.config_type(weights=""))


@pytest.mark.parametrize("shape", [(40, 100), (100, 40), (300, 200)])
def test_pictures_of_other_shapes_are_answered_as_by_the_pipeline(
    shape: tuple[int, int], drawn: dict[str, Path]
):
    noise = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    clicks = [Click(x=shape[1] // 2, y=shape[0] // 3)]
    for kind in KINDS:
        method = create_method(kind, weights=str(drawn[kind]))
        answer = method.predict(method.prepare(noise), clicks)
        expected, _ = Pipeline(kind).ask(noise, clicks, None, multimask_output=True)
        assert is_close(answer, expected, clicks)


@pytest.mark.parametrize(
    ("kind", "weights", "published"),
    [("sam", "sam-vit-base", 93.7), ("sam2", "sam2.1-hiera-tiny", 38.9)],
)
def test_the_listed_size_is_the_published_one(kind: str, weights: str, published: float):
    import transformers

    configuration = published_configuration(weights)
    network = getattr(transformers, configuration["architectures"][0])
    with torch.device("meta"):
        built = network(network.config_class.from_dict(configuration))

    listed = find_method(kind).parameters
    assert listed == sum(values.numel() for values in built.parameters())
    assert int(listed / 1e5) / 10 == published


def test_a_bright_network_stays_bright_when_it_is_read_again(tmp_path: Path):
    """The hand-set networks of the contract suite mean what they say."""
    for kind in KINDS:
        method = create_method(kind, weights=str(save_bright_sam(kind, tmp_path / kind)))
        dark = paint(np.zeros_like(BLOB), outside=(20, 20, 20))
        assert method.predict(method.prepare(dark), CLICKS[:1]).mask.sum() == 1


@every_kind
def test_a_peer_is_measured_as_any_method_is(kind: str, tmp_path: Path):
    weights = save_bright_sam(kind, tmp_path / "network")
    for part, drawn_one in (("images", PICTURE), ("masks", BLOB.astype(np.uint8) * 255)):
        (tmp_path / "data" / part).mkdir(parents=True)
        Image.fromarray(drawn_one).save(tmp_path / "data" / part / "blob.png")
    words = ["evaluate", "--method", kind, "--set", f"weights={weights}", "--dataset", "folder"]
    words += ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--max-clicks", "3"]

    done = CliRunner().invoke(app, [*words, "--device", "cpu"], catch_exceptions=False)

    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["method"] == kind
    assert result["per_object"][0]["ious"][-1] > 0.8
