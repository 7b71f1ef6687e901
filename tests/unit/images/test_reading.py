"""Every kind of file that people have, made on the spot."""

from __future__ import annotations

import io
import os
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from drawing import mask
from fewclicks.errors import ImageError, InputError, ShapeError, StorageError
from fewclicks.images.reading import read_image, read_label_map, read_mask, read_size

ORIENTATION = 0x0112


@pytest.fixture
def photo():
    """(24, 32, 3), smooth and with no symmetry, so that every turn shows."""
    y, x = np.mgrid[:24, :32]
    return np.stack([x * 7, y * 10, 255 - x * 3 - y * 4], axis=2).astype(np.uint8)


@pytest.fixture
def grey(photo):
    return np.ascontiguousarray(photo[..., 0])


def far_apart(first, second):
    return int(np.abs(first.astype(int) - second.astype(int)).max())


class TestColours:
    @pytest.mark.parametrize("extension", ["png", "bmp", "tif", "ppm", "tga"])
    def test_lossless_files_come_back_as_they_were(self, tmp_path, photo, extension):
        Image.fromarray(photo).save(tmp_path / f"a.{extension}")
        assert np.array_equal(read_image(tmp_path / f"a.{extension}"), photo)

    @pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "jp2"])
    def test_lossy_files_come_back_nearly_as_they_were(self, tmp_path, photo, extension):
        Image.fromarray(photo).save(tmp_path / f"a.{extension}", quality=95)
        read = read_image(tmp_path / f"a.{extension}")
        assert np.abs(read.astype(int) - photo).mean() < 4

    def test_a_path_may_be_text(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png")
        assert np.array_equal(read_image(str(tmp_path / "a.png")), photo)

    def test_the_content_decides_and_not_the_extension(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.jpg", format="PNG")
        assert np.array_equal(read_image(tmp_path / "a.jpg"), photo)

    def test_a_picture_may_be_written_into(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png")
        read_image(tmp_path / "a.png")[0, 0] = 7

    def test_grey_has_three_equal_channels(self, tmp_path, grey):
        Image.fromarray(grey).save(tmp_path / "a.png")
        assert np.array_equal(read_image(tmp_path / "a.png"), np.dstack([grey] * 3))

    def test_one_bit_is_black_and_white(self, tmp_path):
        bits = mask("#..#", ".##.")
        Image.fromarray(bits).save(tmp_path / "a.png")
        assert np.array_equal(read_image(tmp_path / "a.png")[..., 0], bits * 255)

    def test_a_palette_becomes_its_colours(self, tmp_path):
        picture = Image.fromarray(np.array([[0, 1], [2, 1]], dtype=np.uint8))
        picture.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0])
        picture.save(tmp_path / "a.png")
        assert read_image(tmp_path / "a.png").tolist() == [
            [[10, 20, 30], [200, 100, 50]],
            [[0, 255, 0], [200, 100, 50]],
        ]

    def test_cmyk_tiff_takes_ink_away_from_white(self, tmp_path):
        Image.new("CMYK", (4, 3), (255, 0, 0, 0)).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif")[0, 0].tolist() == [0, 255, 255]

    def test_cmyk_jpeg_as_adobe_turns_it_round_is_no_negative(self, tmp_path, photo):
        Image.fromarray(photo).convert("CMYK").save(tmp_path / "a.jpg", quality=98)
        assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
        assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - photo).mean() < 4

    def test_colours_without_a_way_to_rgb_are_named(self, tmp_path, monkeypatch):
        Image.new("LAB", (4, 3)).save(tmp_path / "a.tif")

        def refuse(*_):
            raise ValueError("conversion from LAB to RGB not supported")

        monkeypatch.setattr(Image.Image, "convert", refuse)  # as old versions of Pillow do
        with pytest.raises(ImageError, match=r"a\.tif holds LAB colours.*save it as RGB"):
            read_image(tmp_path / "a.tif")

    def test_an_animation_gives_its_first_frame(self, tmp_path):
        frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
        for name in ("a.gif", "a.png", "a.webp", "a.tif"):
            options = {"lossless": True} if name == "a.webp" else {}
            frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
            assert read_image(tmp_path / name)[3, 4].tolist() == [255, 0, 0], name


class TestTransparency:
    def test_clear_pixels_are_white_and_half_clear_ones_lie_between(self, tmp_path):
        picture = np.zeros((1, 3, 4), dtype=np.uint8)
        picture[0, :, 3] = [0, 128, 255]
        Image.fromarray(picture).save(tmp_path / "a.png")
        assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [255, 127, 0]

    def test_grey_with_alpha_lies_over_white(self, tmp_path):
        picture = Image.merge("LA", [Image.new("L", (2, 2), 40), Image.new("L", (2, 2), 0)])
        picture.save(tmp_path / "a.png")
        assert read_image(tmp_path / "a.png").min() == 255

    @pytest.mark.parametrize("transparency", [1, b"\xff\x00\xff"])
    def test_a_clear_colour_of_a_palette_is_white(self, tmp_path, transparency):
        picture = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8))
        picture.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0])
        picture.save(tmp_path / "a.png", transparency=transparency)
        read = read_image(tmp_path / "a.png")
        assert read.tolist() == [[[10, 20, 30], [255, 255, 255], [0, 255, 0]]]

    def test_a_clear_colour_of_an_rgb_file_is_white(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png", transparency=tuple(photo[2, 3].tolist()))
        expected = photo.copy()
        expected[2, 3] = 255
        assert np.array_equal(read_image(tmp_path / "a.png"), expected)


class TestDeepPixels:
    @pytest.mark.parametrize("extension", ["png", "tif"])
    def test_sixteen_bits_of_grey_keep_their_whole_range(self, tmp_path, extension):
        deep = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
        cv2.imwrite(str(tmp_path / f"a.{extension}"), deep)
        read = read_image(tmp_path / f"a.{extension}")[..., 0]
        assert far_apart(read, np.rint(deep / 257)) <= 1
        assert (read.min(), read.max()) == (0, 255)

    def test_big_endian_tiff_is_the_same(self, tmp_path):
        deep = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
        for name, order in (("a.tif", "<"), ("b.tif", ">")):
            tifffile.imwrite(tmp_path / name, deep, byteorder=order, photometric="minisblack")
        assert np.array_equal(read_image(tmp_path / "a.tif"), read_image(tmp_path / "b.tif"))

    @pytest.mark.parametrize(("brightest", "depth"), [(255, 8), (1023, 10), (4000, 12), (9999, 14)])
    def test_a_scan_of_fewer_bits_in_sixteen_is_not_black(self, tmp_path, brightest, depth):
        deep = np.array([[0, brightest // 2, brightest]], dtype=np.uint16)
        cv2.imwrite(str(tmp_path / "a.png"), deep)
        expected = np.rint(deep / (2**depth - 1) * 255)
        assert far_apart(read_image(tmp_path / "a.png")[..., 0], expected) <= 1

    @pytest.mark.parametrize("extension", ["png", "tif"])
    def test_sixteen_bits_of_colour_match_opencv(self, tmp_path, photo, extension):
        deep = photo[..., ::-1].astype(np.uint16) * 257
        cv2.imwrite(str(tmp_path / f"a.{extension}"), deep)
        assert far_apart(read_image(tmp_path / f"a.{extension}"), photo) <= 1

    def test_deep_colours_in_planes_match_or_are_refused(self, tmp_path, photo):
        # Pillow 13 mixes up uncompressed planes of 16 bits and says nothing.
        planes = np.moveaxis(photo, 2, 0).astype(np.uint16) * 257
        for name, compression in (("a.tif", None), ("b.tif", "zlib")):
            tifffile.imwrite(
                tmp_path / name,
                planes,
                photometric="rgb",
                planarconfig="separate",
                compression=compression,
            )
        with pytest.raises(ImageError, match="16 bits in separate planes"):
            read_image(tmp_path / "a.tif")
        assert far_apart(read_image(tmp_path / "b.tif"), photo) <= 1

    def test_whole_numbers_of_32_bits_run_from_black_to_white(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", np.array([[-1000, 0, 1000]], dtype=np.int32))
        assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == [0, 128, 255]

    def test_real_numbers_up_to_one_are_taken_as_they_are(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", np.array([[0.2, 0.4]], dtype=np.float32))
        assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == [51, 102]

    def test_other_real_numbers_run_from_black_to_white(self, tmp_path):
        values = np.array([[-5.0, 0.0, 5.0, np.nan, np.inf]], dtype=np.float32)
        tifffile.imwrite(tmp_path / "a.tif", values)
        assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == [0, 128, 255, 0, 0]

    @pytest.mark.parametrize("value", [0.0, 7.5, np.nan])
    def test_a_flat_map_of_real_numbers_is_a_flat_picture(self, tmp_path, value):
        tifffile.imwrite(tmp_path / "a.tif", np.full((3, 4), value, dtype=np.float32))
        assert np.ptp(read_image(tmp_path / "a.tif")) == 0


class TestRotation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif"])
    def test_the_camera_may_have_been_held_any_way(self, tmp_path, photo, orientation, extension):
        # What a viewer must do, by the eight rows of the EXIF standard.
        stored_as = {
            1: lambda a: a,
            2: lambda a: a[:, ::-1],
            3: lambda a: a[::-1, ::-1],
            4: lambda a: a[::-1],
            5: lambda a: a.swapaxes(0, 1),
            6: lambda a: a.swapaxes(0, 1)[::-1],
            7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
            8: lambda a: a.swapaxes(0, 1)[:, ::-1],
        }[orientation](photo)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options = {"lossless": True} if extension == "webp" else {"quality": 98, "subsampling": 0}
        if extension in ("png", "tif"):
            options = {}
        path = tmp_path / f"a.{extension}"
        Image.fromarray(np.ascontiguousarray(stored_as)).save(path, exif=exif, **options)
        read = read_image(path)
        assert read.shape == photo.shape
        assert far_apart(read, photo) <= 12

    def test_sixteen_bits_turn_as_well(self, tmp_path):
        deep = np.array([[0, 65535], [0, 0], [0, 0]], dtype=np.uint16)
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        Image.fromarray(deep).save(tmp_path / "a.png", exif=exif)
        assert read_image(tmp_path / "a.png")[..., 0].tolist() == [[0, 0, 0], [0, 0, 255]]

    def test_a_mask_turns_with_its_picture(self, tmp_path):
        exif = Image.Exif()
        exif[ORIENTATION] = 3
        Image.fromarray(mask("##..", "....")).convert("L").save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(read_mask(tmp_path / "a.png"), mask("....", "..##"))

    def test_broken_notes_of_the_camera_do_not_cost_the_picture(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
        assert np.array_equal(read_image(tmp_path / "a.png"), photo)


class TestRefusals:
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(StorageError, match=r"There is no file .*nowhere\.png"):
            read_image(tmp_path / "nowhere.png")

    def test_a_folder_is_no_picture(self, tmp_path):
        with pytest.raises(StorageError, match="is a folder; needs a picture file"):
            read_image(tmp_path)

    def test_a_path_that_no_system_takes_is_one_line(self, tmp_path):
        for name in ("a\0b.png", "x" * 5000):
            with pytest.raises(StorageError):
                read_image(tmp_path / name)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
    def test_a_pipe_is_refused_instead_of_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(StorageError, match="no regular file"):
            read_image(tmp_path / "pipe.png")

    def test_an_empty_file_is_called_empty(self, tmp_path):
        (tmp_path / "a.png").touch()
        with pytest.raises(ImageError, match=r"empty \(0 bytes\)"):
            read_image(tmp_path / "a.png")

    @pytest.mark.parametrize(
        "content", [b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\0" * 99]
    )
    def test_what_is_no_picture_says_what_would_be(self, tmp_path, content):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ImageError, match=r"a\.png is (no picture|damaged)"):
            read_image(tmp_path / "a.png")

    def test_a_format_that_runs_a_program_is_refused(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.eps")
        with pytest.raises(ImageError, match="no picture in a known format"):
            read_image(tmp_path / "a.eps")

    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
    @pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "bmp", "avif"])
    def test_a_file_cut_short_is_refused(self, tmp_path, extension, kept):
        noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        path = tmp_path / f"a.{extension}"
        Image.fromarray(noise).save(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(ImageError, match=r"cut short|no picture"):
            read_image(path)

    @given(st.data())
    @settings(
        deadline=None,
        max_examples=150,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_a_damaged_file_gives_a_picture_or_one_error(self, tmp_path, data):
        kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
        content = io.BytesIO()
        y, x = np.mgrid[:16, :20]
        Image.fromarray((y * 11 + x * 3).astype(np.uint8)).save(content, kind)
        damaged = bytearray(content.getvalue())
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        (tmp_path / "a").write_bytes(damaged)
        try:
            read = read_image(tmp_path / "a", max_megapixels=1)
        except ImageError:
            return
        assert read.dtype == np.uint8
        assert read.ndim == 3

    def test_a_limit_of_nothing_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="max_megapixels is 0; needs a number above 0"):
            read_image(tmp_path / "a.png", max_megapixels=0)


class TestPixelLimit:
    @staticmethod
    def header_only(path: Path, width: int, height: int) -> None:
        """Make a PNG that claims a size and has hardly any pixels."""
        content = io.BytesIO()
        Image.new("L", (1, 1)).save(content, "PNG")
        png = bytearray(content.getvalue())
        png[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
        path.write_bytes(png)

    def test_a_bomb_is_refused_by_its_header_and_never_decoded(self, tmp_path, monkeypatch):
        self.header_only(tmp_path / "a.png", 100_000, 50_000)

        def explode(*_):
            raise AssertionError("a pixel was decoded")

        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", explode)
        with pytest.raises(ImageError) as caught:
            read_image(tmp_path / "a.png")
        assert str(caught.value).endswith(
            "a.png is 100000 x 50000, 5000 megapixels; the limit is 200. Shrink it, or raise the "
            "limit with max_megapixels."
        )

    @pytest.mark.parametrize("read", [read_mask, read_label_map])
    def test_masks_and_labels_have_the_limit_too(self, tmp_path, read):
        self.header_only(tmp_path / "a.png", 100_000, 50_000)
        with pytest.raises(ImageError, match="the limit is 200"):
            read(tmp_path / "a.png")

    def test_the_limit_counts_to_the_pixel(self, tmp_path):
        Image.new("L", (50, 40)).save(tmp_path / "a.png")
        assert read_image(tmp_path / "a.png", max_megapixels=0.002).shape == (40, 50, 3)
        with pytest.raises(ImageError, match="50 x 40"):
            read_image(tmp_path / "a.png", max_megapixels=0.001999)

    def test_the_limit_of_pillow_itself_stays_as_it_was(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        Image.new("L", (50, 40)).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif").shape == (40, 50, 3)
        with pytest.raises(ImageError):
            read_image(tmp_path / "a.tif", max_megapixels=0.0001)
        assert Image.MAX_IMAGE_PIXELS == 100

    @pytest.mark.long
    @pytest.mark.parametrize("extension", ["png", "jpg", "tif"])
    def test_a_hundred_megapixels_are_read(self, tmp_path, extension):
        Image.new("RGB", (12_500, 8_000), (90, 120, 30)).save(tmp_path / f"a.{extension}")
        read = read_image(tmp_path / f"a.{extension}")
        assert read.shape == (8_000, 12_500, 3)
        assert np.abs(read[::997, ::997].astype(int) - [90, 120, 30]).max() <= 2


class TestWarnings:
    def test_many_threads_leave_the_warning_filters_as_they_were(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png")
        before = list(warnings.filters)
        start = threading.Barrier(4)

        def read(_):
            start.wait()
            return [read_image(tmp_path / "a.png") for _ in range(10)]

        with ThreadPoolExecutor(4) as pool:
            for pictures in pool.map(read, range(4)):
                assert all(np.array_equal(picture, photo) for picture in pictures)
        assert list(warnings.filters) == before

    def test_what_pillow_warns_about_stays_unsaid(self, tmp_path, photo):
        tag_beyond_the_end = b"II*\x00\x08\x00\x00\x00\x02\x00\x0f\x01\x02\x00\xff\xff\x00\x00"
        Image.fromarray(photo).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00" + tag_beyond_the_end)
        assert read_image(tmp_path / "a.jpg").shape == photo.shape


class TestMasks:
    def test_a_mask_is_what_is_not_black(self, tmp_path):
        Image.fromarray(np.array([[0, 1, 128, 255]], dtype=np.uint8)).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png").tolist() == [[False, True, True, True]]

    def test_the_threshold_itself_is_off_the_mask(self, tmp_path):
        Image.fromarray(np.array([[127, 128, 129]], dtype=np.uint8)).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png", threshold=128).tolist() == [[False, False, True]]

    def test_one_bit_counts_as_0_and_255(self, tmp_path):
        Image.fromarray(mask("#.")).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png", threshold=128).tolist() == [[True, False]]

    def test_sixteen_bits_keep_their_own_scale(self, tmp_path):
        cv2.imwrite(str(tmp_path / "a.png"), np.array([[0, 1, 300]], dtype=np.uint16))
        assert read_mask(tmp_path / "a.png").tolist() == [[False, True, True]]
        assert read_mask(tmp_path / "a.png", threshold=255).tolist() == [[False, False, True]]

    def test_any_channel_may_carry_the_colour(self, tmp_path):
        picture = np.zeros((1, 3, 3), dtype=np.uint8)
        picture[0, 1, 2] = 128
        Image.fromarray(picture).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png").tolist() == [[False, True, False]]

    def test_a_palette_counts_by_its_colours(self, tmp_path):
        picture = Image.fromarray(np.array([[0, 1]], dtype=np.uint8))
        picture.putpalette([255, 255, 255, 0, 0, 0])
        picture.save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png").tolist() == [[True, False]]

    def test_of_a_cutout_the_opacity_is_the_mask(self, tmp_path):
        picture = np.zeros((1, 3, 4), dtype=np.uint8)
        picture[0, 1] = [0, 0, 0, 255]
        picture[0, 2] = [9, 9, 9, 0]
        Image.fromarray(picture).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png").tolist() == [[False, True, False]]

    def test_an_opaque_file_counts_by_its_colours(self, tmp_path):
        picture = np.full((1, 2, 4), 255, dtype=np.uint8)
        picture[0, 0, :3] = 0
        Image.fromarray(picture).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png").tolist() == [[False, True]]

    def test_a_mask_of_another_size_gives_both_sizes(self, tmp_path):
        Image.new("L", (5, 3)).save(tmp_path / "a.png")
        assert read_mask(tmp_path / "a.png", shape=(3, 5)).shape == (3, 5)
        with pytest.raises(ShapeError, match=r"3 high and 5 wide; .* 5 high and 3 wide"):
            read_mask(tmp_path / "a.png", shape=(5, 3))


class TestLabelMaps:
    def test_a_palette_keeps_its_indices(self, tmp_path):
        labels = np.array([[0, 1], [2, 255]], dtype=np.uint8)
        picture = Image.fromarray(labels)
        picture.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
        picture.save(tmp_path / "a.png")
        read = read_label_map(tmp_path / "a.png")
        assert read.dtype == np.int32
        assert np.array_equal(read, labels)

    def test_a_palette_of_few_colours_keeps_its_indices_too(self, tmp_path):
        labels = np.array([[0, 1, 2, 3]], dtype=np.uint8)
        picture = Image.fromarray(labels)
        picture.putpalette([9, 9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6])
        picture.save(tmp_path / "a.png", bits=2)
        assert np.array_equal(read_label_map(tmp_path / "a.png"), labels)

    @pytest.mark.parametrize("kind", [np.uint8, np.uint16])
    def test_grey_gives_its_numbers(self, tmp_path, kind):
        labels = np.array([[0, 3, np.iinfo(kind).max]], dtype=kind)
        Image.fromarray(labels).save(tmp_path / "a.png")
        assert np.array_equal(read_label_map(tmp_path / "a.png"), labels)

    def test_one_bit_gives_0_and_1(self, tmp_path):
        Image.fromarray(mask("#.")).save(tmp_path / "a.png")
        assert read_label_map(tmp_path / "a.png").tolist() == [[1, 0]]

    def test_grey_stored_as_colour_gives_its_numbers(self, tmp_path):
        Image.fromarray(np.full((2, 2, 3), 17, dtype=np.uint8)).save(tmp_path / "a.png")
        assert read_label_map(tmp_path / "a.png").tolist() == [[17, 17], [17, 17]]

    def test_colours_are_no_labels(self, tmp_path, photo):
        Image.fromarray(photo).save(tmp_path / "a.png")
        with pytest.raises(ImageError, match="holds RGB pixels, not labels; needs a grey PNG"):
            read_label_map(tmp_path / "a.png")

    def test_numbers_below_zero_are_no_labels(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", np.array([[-3, 4]], dtype=np.int32))
        with pytest.raises(ImageError, match="holds the label -3"):
            read_label_map(tmp_path / "a.tif")


def test_real_pictures_match_opencv(real_data):
    paths = sorted((real_data / "grabcut" / "images").iterdir())[:4]
    for path in paths:
        expected = cv2.imread(str(path))[..., ::-1]
        assert np.abs(read_image(path).astype(int) - expected).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(tmp_path: Path, orientation: int):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (30, 20)).save(path, exif=exif)
    assert read_size(path) == read_image(path).shape[:2]


def test_the_size_of_what_is_no_picture_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "text.png"
    path.write_text("no picture")
    with pytest.raises(ImageError, match="is no picture"):
        read_size(path)


@pytest.mark.parametrize("late", [b"eXIf", b"tEXt"])
def test_a_png_that_is_turned_by_a_note_after_its_pixels_has_the_size_it_is_read_at(
    tmp_path: Path, late: bytes
):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    content = io.BytesIO()
    Image.new("RGB", (5, 3)).save(content, "PNG")
    note = exif.tobytes().removeprefix(b"Exif\0\0") if late == b"eXIf" else b"a\0b"
    chunk = len(note).to_bytes(4, "big") + late + note
    chunk += zlib.crc32(late + note).to_bytes(4, "big")
    whole = content.getvalue()
    (tmp_path / "a.png").write_bytes(whole[:-12] + chunk + whole[-12:])

    assert read_size(tmp_path / "a.png") == read_image(tmp_path / "a.png").shape[:2]
    assert (read_size(tmp_path / "a.png") == (5, 3)) == (late == b"eXIf")


def test_the_size_of_a_png_is_read_without_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Image.new("RGB", (5, 3)).save(tmp_path / "a.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    assert read_size(tmp_path / "a.png") == (3, 5)
