"""What every registered method promises, asked of all of them."""

from __future__ import annotations

import dataclasses
import threading
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bright_network import save_bright_network, save_bright_swin
from bright_sams import save_bright_sam
from drawing import BLOB, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError, UnknownEntryError
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod, Prediction, Prepared
from fewclicks.methods.guidance import Exemplar, Guidance, GuidanceKind, Reference
from fewclicks.methods.maps import HasLevels
from fewclicks.methods.registry import METHODS, create_method, find_method
from fewclicks.methods.transformer.icmformer_network import ICMFormerNetwork
from fewclicks.methods.transformer.icmformer_pp_network import ICMFormerPPNetwork

NAMES = [entry.name for entry in METHODS]
every_method = pytest.mark.parametrize("name", NAMES)
TAKES_DEPTH = frozenset(entry.name for entry in METHODS if "depth" in entry.takes)

GUIDED: list[tuple[str, GuidanceKind]] = [
    (entry.name, kind)
    for entry in METHODS
    for kind in ("references", "exemplar")
    if kind in entry.takes
]

LEAST_IOU = {"attention_nn": 0.25}
"""What one click reaches on a plain object, where that is not 0.8: attention without a walk sees
the tokens near a click only, which is why the paper has it as a baseline."""

SETTINGS: dict[str, dict[str, Any]] = {}
"""What a method cannot do without; see `weights`."""

BACKBONES = {
    entry.name: "colour"
    for entry in METHODS
    if "backbone" in entry.needs and entry.name != "fewclicks"
}
"""What tells apart the plain colours of a drawing, which no trained backbone has ever seen."""

PICTURE = paint(BLOB)
ON = Click(x=30, y=24)
OFF = Click(x=70, y=50, is_positive=False)


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give methods that have no weights of their own some that call bright pixels the object."""
    folder = tmp_path_factory.mktemp("weights")
    files = {
        "simpleclick": save_bright_network(folder / "bright.safetensors"),
        "icmformer": save_bright_network(folder / "icmformer.safetensors", ICMFormerNetwork),
        "icmformer_swin": save_bright_swin(folder / "icmformer_swin.safetensors"),
        "icmformer_pp": save_bright_network(
            folder / "icmformer_pp.safetensors",
            ICMFormerPPNetwork,
            crop_widths=(2, 2, 2, 2),
            crop_depths=(1, 1, 1, 1),
        ),
    }
    files["refcut"] = files["simpleclick"]
    for name, file in files.items():
        SETTINGS[name] = {"weights": str(file), "least_side": 8}
    for name in ("sam", "sam2", "sam_hq"):
        SETTINGS[name] = {"weights": str(save_bright_sam(name, folder / name))}


@cache
def built(name: str) -> AnyMethod:
    """One method for all tests: it has no memory, so they cannot disturb each other."""
    return create_method(name, backbone=BACKBONES.get(name), **SETTINGS.get(name, {}))


@cache
def prepared_picture(name: str) -> Prepared:
    prepared: Prepared = built(name).prepare(PICTURE)
    return prepared


def check(prediction: Prediction, shape: tuple[int, int]) -> None:
    """A probability of the picture's size."""
    assert prediction.probability.shape == shape
    assert prediction.probability.dtype == np.float32
    assert np.isfinite(prediction.probability).all()
    assert prediction.probability.min() >= 0
    assert prediction.probability.max() <= 1
    assert 0 <= prediction.threshold < 1
    assert prediction.mask.shape == shape
    assert prediction.mask.dtype == np.bool_


def held(prediction: Prediction, clicks: list[Click]) -> bool:
    """Whether each clicked pixel has the class of its newest click."""
    newest = {(click.y, click.x): click.is_positive for click in clicks}
    return all(prediction.mask[place] == is_positive for place, is_positive in newest.items())


def scattered(shape: tuple[int, int], count: int) -> list[Click]:
    """Clicks anywhere, of both classes."""
    random = np.random.default_rng(count)
    return [
        Click(x=int(x), y=int(y), is_positive=bool(i % 2))
        for i, (y, x) in enumerate(random.integers(0, shape, (count, 2)))
    ]


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@every_method
def test_a_name_builds_a_method_with_its_own_configuration(name: str) -> None:
    method = built(name)

    assert isinstance(method.config, method.config_type)
    assert dataclasses.is_dataclass(method.config_type)


@every_method
def test_the_table_says_whether_clicks_may_stand_for_levels(name: str) -> None:
    assert isinstance(built(name), HasLevels) == ("levels" in find_method(name).takes)


@every_method
def test_a_configuration_is_frozen_and_every_field_has_a_default(name: str) -> None:
    config = built(name).config

    for field in dataclasses.fields(config):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config, field.name, getattr(config, field.name))
    assert type(config)(**SETTINGS.get(name, {})) == config


@every_method
def test_an_unknown_setting_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownEntryError, match="no_such_setting"):
        create_method(name, no_such_setting=1)


@every_method
def test_one_click_finds_a_plainly_coloured_object(name: str) -> None:
    prediction = built(name).predict(prepared_picture(name), [ON])

    assert iou(prediction.mask, BLOB) > LEAST_IOU.get(name, 0.8)


@every_method
def test_a_prediction_is_a_probability_of_the_pictures_size(name: str) -> None:
    check(built(name).predict(prepared_picture(name), [ON, OFF]), BLOB.shape)


@every_method
def test_without_clicks_nothing_is_on_the_object(name: str) -> None:
    prediction = built(name).predict(prepared_picture(name), [])

    check(prediction, BLOB.shape)
    assert not prediction.mask.any()


@every_method
def test_negative_clicks_alone_put_nothing_on_the_object(name: str) -> None:
    prediction = built(name).predict(prepared_picture(name), [OFF])

    check(prediction, BLOB.shape)
    assert not prediction.mask.any()


@every_method
def test_clicked_pixels_have_the_class_of_their_click(name: str) -> None:
    method, prepared = built(name), prepared_picture(name)
    clicks = scattered(BLOB.shape, 24)
    clicks += [ON, dataclasses.replace(ON, is_positive=False), Click(x=ON.x + 1, y=ON.y)]

    previous = None
    for count in (1, 2, 9, len(clicks)):
        previous = method.predict(prepared, clicks[:count], previous)
        check(previous, BLOB.shape)
        assert held(previous, clicks[:count])


@every_method
def test_the_same_question_has_the_same_answer(name: str) -> None:
    method = built(name)
    first = method.predict(prepared_picture(name), [ON])

    answers = [
        method.predict(prepared, [ON, OFF], first).probability
        for prepared in (prepared_picture(name), prepared_picture(name), method.prepare(PICTURE))
    ]

    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


@every_method
def test_arrays_that_are_given_stay_as_they_are(name: str) -> None:
    method = built(name)
    image, excluded = PICTURE.copy(), np.roll(BLOB, 20, axis=1)
    arrays: list[NDArray[np.generic]] = [image, excluded]
    prepared = method.condition(method.prepare(image), Guidance(excluded=excluded))
    clicks = [ON, OFF]
    previous = method.predict(prepared, [ON])
    arrays.append(previous.probability)
    before = [array.copy() for array in arrays]

    method.predict(prepared, clicks, previous)

    for array, copy in zip(arrays, before, strict=True):
        assert np.array_equal(array, copy)
    assert clicks == [ON, OFF]


@every_method
def test_a_read_only_picture_is_no_hindrance(name: str) -> None:
    image = PICTURE.copy()
    image.flags.writeable = False
    method = built(name)

    assert held(method.predict(method.prepare(image), [ON, OFF]), [ON, OFF])


@every_method
def test_excluded_pixels_are_never_on_the_object_even_where_clicked(name: str) -> None:
    method = built(name)
    excluded = BLOB & (np.arange(BLOB.shape[1]) < 24)
    prepared = method.condition(prepared_picture(name), Guidance(excluded=excluded))
    inside = Click(x=20, y=24)

    for clicks in ([ON], [ON, inside], [inside]):
        prediction = method.predict(prepared, clicks)
        check(prediction, BLOB.shape)
        assert not (prediction.mask & excluded).any()


@every_method
def test_conditioning_leaves_the_prepared_picture_alone_and_can_be_taken_back(name: str) -> None:
    method, prepared = built(name), prepared_picture(name)
    before = method.predict(prepared, [ON]).probability

    conditioned = method.condition(prepared, Guidance(excluded=np.ones_like(BLOB)))

    assert not method.predict(conditioned, [ON]).mask.any()
    assert np.array_equal(method.predict(prepared, [ON]).probability, before)
    released = method.condition(conditioned, Guidance())
    assert np.array_equal(method.predict(released, [ON]).probability, before)


@every_method
def test_an_excluded_mask_of_another_size_is_refused(name: str) -> None:
    with pytest.raises(ShapeError, match=r"excluded has shape \(3, 4\)"):
        built(name).condition(
            prepared_picture(name), Guidance(excluded=np.zeros((3, 4), dtype=bool))
        )


@every_method
def test_depth_is_taken_by_the_methods_that_say_so_and_refused_by_others(name: str) -> None:
    method, prepared = built(name), prepared_picture(name)
    flat = Guidance(depth=np.full(BLOB.shape, 0.5, dtype=np.float32))

    if name not in TAKES_DEPTH:
        with pytest.raises(InputError, match="takes no depth"):
            method.condition(prepared, flat)
        return
    conditioned = method.condition(prepared, flat)
    assert conditioned.depth is flat.depth
    check(method.predict(conditioned, [ON, OFF]), BLOB.shape)
    before = method.predict(prepared, [ON, OFF]).probability
    released = method.condition(conditioned, Guidance())
    assert released.depth is None
    assert np.array_equal(method.predict(released, [ON, OFF]).probability, before)
    with pytest.raises(ShapeError, match=r"depth has shape \(3, 4\)"):
        method.condition(prepared, Guidance(depth=np.zeros((3, 4), dtype=np.float32)))


@pytest.mark.parametrize("name", sorted(TAKES_DEPTH))
def test_excluded_pixels_and_depth_are_brought_in_together(name: str) -> None:
    method = built(name)
    depth = np.where(BLOB, np.float32(0.9), np.float32(0.1))
    excluded = BLOB & (np.arange(BLOB.shape[1]) < 24)

    guided = method.condition(prepared_picture(name), Guidance(depth=depth))
    both = method.condition(guided, Guidance(depth=depth, excluded=excluded))

    assert iou(method.predict(guided, [ON]).mask, BLOB) > 0.8
    assert both.depth is depth
    assert not (method.predict(both, [ON]).mask & excluded).any()


def guidance(kind: GuidanceKind) -> Guidance:
    """The blob on a mirrored picture, or as the exemplar of its own."""
    if kind == "exemplar":
        return Guidance(exemplar=Exemplar(mask=BLOB, clicks=(ON,)))
    shown = Reference(
        image=np.ascontiguousarray(PICTURE[:, ::-1]),
        positive=np.ascontiguousarray(BLOB[:, ::-1]),
        negative=np.roll(BLOB, 35, axis=1)[:, ::-1] & ~BLOB[:, ::-1],
    )
    return Guidance(references=(shown,))


@every_method
@pytest.mark.parametrize("kind", ["references", "exemplar"])
def test_guidance_that_a_method_does_not_take_is_refused(name: str, kind: GuidanceKind) -> None:
    if (name, kind) in GUIDED:
        return
    with pytest.raises(InputError, match=f"takes no {kind.removesuffix('s')}"):
        built(name).condition(prepared_picture(name), guidance(kind))


@pytest.mark.parametrize(("name", "kind"), GUIDED)
def test_guided_answers_are_the_same_twice_and_guidance_can_be_taken_back(
    name: str, kind: GuidanceKind
) -> None:
    method, prepared = built(name), prepared_picture(name)
    before = method.predict(prepared, [ON, OFF]).probability

    guided = [method.condition(prepared, guidance(kind)) for _ in range(2)]
    answers = [method.predict(each, [ON, OFF]) for each in guided]

    check(answers[0], BLOB.shape)
    assert held(answers[0], [ON, OFF])
    assert np.array_equal(answers[0].probability, answers[1].probability)
    released = method.condition(guided[0], Guidance())
    assert np.array_equal(method.predict(released, [ON, OFF]).probability, before)


@pytest.mark.parametrize(("name", "kind"), GUIDED)
def test_conditioning_never_prepares_the_picture_again(
    name: str, kind: GuidanceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, prepared = built(name), prepared_picture(name)

    def refuse(image: RgbImage) -> None:
        assert not np.array_equal(image, PICTURE)
        return features(image)

    features = method.backbone.features if hasattr(method, "backbone") else None
    monkeypatch.setattr(method, "prepare", refuse)
    if features is not None:
        monkeypatch.setattr(method.backbone, "features", refuse)

    guided = method.condition(prepared, guidance(kind))
    check(method.predict(guided, [ON]), BLOB.shape)


@pytest.mark.parametrize(("name", "kind"), GUIDED)
def test_excluded_pixels_stay_off_guided_answers(name: str, kind: GuidanceKind) -> None:
    method = built(name)
    excluded = BLOB & (np.arange(BLOB.shape[1]) < 24)
    both = dataclasses.replace(guidance(kind), excluded=excluded)
    prepared = method.condition(prepared_picture(name), both)

    assert not (method.predict(prepared, [ON]).mask & excluded).any()


@every_method
def test_a_persons_mask_can_be_the_previous_answer(name: str) -> None:
    previous = Prediction.from_mask(np.roll(BLOB, 5, axis=0))

    prediction = built(name).predict(prepared_picture(name), [ON, OFF], previous)

    check(prediction, BLOB.shape)
    assert held(prediction, [ON, OFF])


@every_method
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (8, 8), (7, 23), (61, 12)])
def test_pictures_of_any_shape_are_answered(name: str, shape: tuple[int, int]) -> None:
    height, width = shape
    method = built(name)
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    prepared = method.prepare(noise)
    clicks = [
        Click(x=width // 2, y=height // 2),
        Click(x=width - 1, y=height - 1, is_positive=False),
    ]

    for count in (1, 2):
        prediction = method.predict(prepared, clicks[:count])
        check(prediction, shape)
        assert held(prediction, clicks[:count])


@every_method
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_grey_is_answered(name: str, level: int) -> None:
    method = built(name)
    prepared = method.prepare(np.full((40, 50, 3), level, dtype=np.uint8))

    for clicks in ([Click(x=25, y=20)], [Click(x=25, y=20), Click(x=3, y=3, is_positive=False)]):
        prediction = method.predict(prepared, clicks)
        check(prediction, (40, 50))
        assert held(prediction, clicks)


@every_method
def test_a_picture_in_grey_levels_is_segmented(name: str) -> None:
    method = built(name)
    grey = paint(BLOB, inside=(210, 210, 210), outside=(60, 60, 60), noise=0)

    prediction = method.predict(method.prepare(grey), [ON])

    assert iou(prediction.mask, BLOB) > LEAST_IOU.get(name, 0.8)


@every_method
def test_two_threads_on_one_method_get_what_one_after_the_other_gets(name: str) -> None:
    method = built(name)
    prepared = [prepared_picture(name), method.prepare(np.ascontiguousarray(PICTURE[:, ::-1]))]
    clicks = [
        [ON, OFF],
        [Click(x=79 - ON.x, y=ON.y), Click(x=79 - OFF.x, y=OFF.y, is_positive=False)],
    ]
    alone = [method.predict(p, c).probability for p, c in zip(prepared, clicks, strict=True)]
    together: list[list[NDArray[np.float32]]] = [[], []]

    def ask(which: int) -> None:
        for _ in range(3):
            together[which].append(method.predict(prepared[which], clicks[which]).probability)

    threads = [threading.Thread(target=ask, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for which in (0, 1):
        assert len(together[which]) == 3
        assert all(np.array_equal(answer, alone[which]) for answer in together[which])


@every_method
@pytest.mark.parametrize(("x", "y"), [(80, 0), (0, 60), (-1, 5)])
def test_a_click_outside_is_refused_and_named(name: str, x: int, y: int) -> None:
    with pytest.raises(InputError, match=f"Click at x={x}, y={y} is outside the image"):
        built(name).predict(prepared_picture(name), [ON, Click(x=x, y=y)])


@every_method
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 6), dtype=np.uint8),
        np.zeros((5, 6, 4), dtype=np.uint8),
        np.zeros((5, 6, 3), dtype=np.float32),
        np.zeros((0, 6, 3), dtype=np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_what_is_no_picture_is_refused(name: str, image: RgbImage) -> None:
    with pytest.raises(InputError, match="image has shape"):
        built(name).prepare(image)


def test_the_picture_of_this_suite_is_one_that_a_click_can_settle() -> None:
    on: BoolMask = BLOB
    assert on[ON.y, ON.x]
    assert not on[OFF.y, OFF.x]
