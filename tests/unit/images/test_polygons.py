from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from matplotlib.path import Path as Outline
from scipy import ndimage
from skimage.draw import polygon2mask

from drawing import enlarge, mask
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.masks import iou
from fewclicks.images.polygons import Polygon, mask_to_polygons, polygons_to_mask

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=10))
FOUR_CONNECTED = ndimage.generate_binary_structure(2, 1)


def draw_again(polygons, like):
    return polygons_to_mask(polygons, height=like.shape[0], width=like.shape[1])


def area(ring):
    x, y = ring.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def corners(ring):
    return [tuple(corner) for corner in ring.tolist()]


class TestRoundTrip:
    @given(MASKS)
    @settings(deadline=None, max_examples=300)
    def test_any_mask_is_drawn_again_to_the_pixel(self, drawn):
        assert np.array_equal(draw_again(mask_to_polygons(drawn), drawn), drawn)

    @pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
    def test_noise_is_drawn_again_to_the_pixel(self, density):
        drawn = np.random.default_rng(0).random((120, 90)) < density
        assert iou(draw_again(mask_to_polygons(drawn), drawn), drawn) == 1

    @pytest.mark.parametrize("value", [True, False])
    def test_flat_masks_are_drawn_again(self, value):
        flat = np.full((7, 9), value)
        assert len(mask_to_polygons(flat)) == value
        assert np.array_equal(draw_again(mask_to_polygons(flat), flat), flat)

    def test_an_island_in_a_lake_on_an_island_is_drawn_again(self):
        drawn = enlarge(
            mask("#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"), 5
        )
        polygons = mask_to_polygons(drawn)
        assert [len(polygon.holes) for polygon in polygons] == [1, 1]
        assert np.array_equal(draw_again(polygons, drawn), drawn)


class TestTracing:
    def test_a_pixel_is_a_square_between_whole_corners(self):
        (polygon,) = mask_to_polygons(mask("....", "..#.", "...."))
        assert sorted(corners(polygon.outer)) == [(2, 1), (2, 2), (3, 1), (3, 2)]
        assert polygon.holes == ()

    def test_corners_stand_only_where_the_rim_turns(self):
        (polygon,) = mask_to_polygons(enlarge(mask("#.", "##"), 50))
        assert len(polygon.outer) == 6

    def test_pixels_that_touch_by_a_corner_are_two_parts(self):
        assert len(mask_to_polygons(mask("#.", ".#"))) == 2
        assert len(mask_to_polygons(mask(".#", "#."))) == 2

    @pytest.mark.parametrize("turned", range(4))
    def test_a_ring_closed_by_a_corner_is_a_rim_with_a_hole(self, turned):
        drawn = np.rot90(mask("###", "#.#", "##."), turned)
        (polygon,) = mask_to_polygons(drawn)
        assert len(polygon.holes) == 1
        assert np.array_equal(draw_again([polygon], drawn), drawn)

    def test_holes_that_touch_by_a_corner_are_two_holes(self):
        (polygon,) = mask_to_polygons(mask("####", "#.##", "##.#", "####"))
        assert len(polygon.holes) == 2

    @given(MASKS)
    @settings(deadline=None, max_examples=200)
    def test_there_is_a_polygon_for_each_part_and_a_ring_for_each_hole(self, drawn):
        labels, parts = ndimage.label(drawn, FOUR_CONNECTED)
        holes = []
        for part in range(1, parts + 1):
            ground = np.pad(labels != part, 1, constant_values=True)
            holes.append(ndimage.label(ground, FOUR_CONNECTED)[1] - 1)
        assert [len(polygon.holes) for polygon in mask_to_polygons(drawn)] == holes

    @given(MASKS)
    @settings(deadline=None, max_examples=200)
    def test_rings_touch_themselves_nowhere_and_run_their_way_round(self, drawn):
        for polygon in mask_to_polygons(drawn):
            for ring in (polygon.outer, *polygon.holes):
                assert len(set(corners(ring))) == len(ring)
            assert area(polygon.outer) > 0
            assert all(area(hole) < 0 for hole in polygon.holes)

    @given(MASKS)
    @settings(deadline=None, max_examples=100)
    def test_areas_add_up_to_the_pixels(self, drawn):
        rings = [r for polygon in mask_to_polygons(drawn) for r in (polygon.outer, *polygon.holes)]
        assert sum(map(area, rings)) == drawn.sum()


class TestSimplifying:
    def test_a_tolerance_saves_corners_and_costs_little(self):
        y, x = np.mgrid[:200, :200]
        disk = (x - 100) ** 2 + (y - 100) ** 2 < 80**2
        (exact,), (simple,) = mask_to_polygons(disk), mask_to_polygons(disk, tolerance=1)
        assert len(simple.outer) < len(exact.outer) / 5
        assert iou(draw_again([simple], disk), disk) > 0.97

    def test_a_ring_that_would_vanish_is_kept(self):
        drawn = mask("....", ".#..", "....")
        polygons = mask_to_polygons(drawn, tolerance=50)
        assert np.array_equal(draw_again(polygons, drawn), drawn)

    def test_a_negative_tolerance_is_refused(self):
        with pytest.raises(InputError, match="tolerance is -1"):
            mask_to_polygons(mask("#"), tolerance=-1)


CORNERS = st.lists(
    st.tuples(st.floats(-8, 38, width=32), st.floats(-8, 28, width=32)), min_size=3, max_size=8
)


class TestDrawing:
    def test_a_polygon_with_fractional_corners_matches_scikit_image(self):
        # Its pixel centres are at whole numbers, ours half a pixel further.
        outline = np.array([[3.3, 2.1], [33.7, 6.4], [25.2, 21.9], [11.6, 26.8], [14.1, 12.3]])
        drawn = polygons_to_mask([Polygon(outline)], height=30, width=40)
        assert np.array_equal(drawn, polygon2mask((30, 40), outline[:, ::-1] - 0.5))

    @given(CORNERS)
    @settings(deadline=None, max_examples=100)
    def test_every_pixel_clear_of_the_edge_obeys_the_even_odd_rule(self, outline):
        drawn = polygons_to_mask([Polygon(np.array(outline))], height=20, width=30)
        y, x = np.mgrid[:20, :30] + 0.5
        start = np.array(outline, dtype=float)
        end = np.roll(start, -1, axis=0)
        crossings = np.zeros((20, 30), dtype=int)
        clear = np.full((20, 30), True)
        for (x0, y0), (x1, y1) in zip(start, end, strict=True):
            length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
            along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
            distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
            clear &= distance > 1e-3
            if y0 != y1:
                meets = (np.minimum(y0, y1) <= y) & (y < np.maximum(y0, y1))
                with np.errstate(over="ignore"):
                    crossings += meets & (x0 + (y - y0) / (y1 - y0) * (x1 - x0) <= x)
        assert np.array_equal(drawn[clear], (crossings % 2 == 1)[clear])

    def test_a_convex_polygon_matches_matplotlib(self):
        outline = np.array([[2.2, 3.1], [27.4, 1.2], [29.3, 17.8], [9.9, 19.6]])
        y, x = np.mgrid[:20, :30] + 0.5
        inside = Outline(outline).contains_points(np.column_stack([x.ravel(), y.ravel()]))
        drawn = polygons_to_mask([Polygon(outline)], height=20, width=30)
        assert np.array_equal(drawn, inside.reshape(20, 30))

    def test_what_reaches_outside_is_cut_off(self):
        far = Polygon([[-1e9, -5], [1e9, -5], [1e9, 1], [-1e9, 1]])
        away = Polygon([[50, 50], [60, 50], [60, 60]])
        drawn = polygons_to_mask([far, away], height=3, width=4)
        assert np.array_equal(drawn, mask("####", "....", "...."))

    def test_polygons_that_share_an_edge_share_no_pixel(self):
        left = Polygon([[0, 0], [3.5, 0], [3.5, 4], [0, 4]])
        right = Polygon([[3.5, 0], [8, 0], [8, 4], [3.5, 4]])
        drawn = [polygons_to_mask([polygon], height=4, width=8) for polygon in (left, right)]
        assert not (drawn[0] & drawn[1]).any()
        assert (drawn[0] | drawn[1]).all()

    def test_polygons_that_overlap_are_drawn_together(self):
        square = Polygon([[0, 0], [2, 0], [2, 2], [0, 2]])
        assert polygons_to_mask([square, square], height=2, width=2).all()

    def test_no_polygon_is_an_empty_mask(self):
        assert not polygons_to_mask([], height=2, width=3).any()

    @pytest.mark.parametrize("ring", [[[0, 0], [1, 1]], [0, 1, 2, 3], [["a", "b"]], "ring", None])
    def test_what_is_no_ring_is_refused(self, ring):
        with pytest.raises(ShapeError, match="ring of a polygon"):
            Polygon(ring)

    def test_corners_at_infinity_are_refused(self):
        with pytest.raises(InputError, match="not finite"):
            Polygon([[0, 0], [np.inf, 0], [1, 1]])
