"""The page's modules in a real browser, without the server: masks, outlines, places, the outbox."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from pycocotools import mask as coco
from scipy import ndimage

from browser import WEB, serve_modules, wait_until

MODULES = sorted((WEB / "static").glob("*.js"))


@pytest.fixture(scope="module")
def address():
    with serve_modules() as served:
        yield served


@pytest.fixture
def blank(page, address):
    page.goto(address)
    return page


def encode(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode("ascii")}


def digits(text):
    """Text, because a long list of numbers takes a browser seconds to hand over."""
    return np.frombuffer(text.encode("ascii"), np.uint8) - ord("0")


def random_masks():
    random = np.random.default_rng(5)
    yield np.zeros((7, 5), bool)
    yield np.ones((5, 7), bool)
    yield np.ones((1, 1), bool)
    for height, width, share in [(3, 4, 0.5), (40, 31, 0.05), (31, 40, 0.9), (64, 1, 0.5)]:
        yield random.random((height, width)) < share
    for _ in range(6):
        height, width = random.integers(20, 400, size=2)
        rough = ndimage.gaussian_filter(random.standard_normal((height, width)), 6)
        yield rough > np.quantile(rough, random.uniform(0.2, 0.95))


READ = """async ({rle, pixels}) => {
  const { Mask } = await import('/static/rle.js');
  const mask = new Mask(rle);
  const { bits, width, height } = mask.cut({x0: 0, y0: 0, x1: mask.width, y1: mask.height});
  return {area: mask.area, bounds: mask.bounds, width, height, bits: bits.join(''),
          inside: pixels.map(([x, y]) => mask.contains(x, y))};
}"""


def test_masks_are_read_as_pycocotools_wrote_them(blank):
    random = np.random.default_rng(7)
    for mask in random_masks():
        height, width = mask.shape
        pixels = [[int(random.integers(width)), int(random.integers(height))] for _ in range(50)]
        read = blank.evaluate(READ, {"rle": encode(mask), "pixels": pixels})
        bits = digits(read["bits"]).reshape(height + 2, width + 2)
        np.testing.assert_array_equal(bits, np.pad(mask, 1))
        assert read["area"] == mask.sum()
        assert read["inside"] == [bool(mask[y, x]) for x, y in pixels]
        if not mask.any():
            assert read["bounds"] is None
            continue
        rows, columns = np.nonzero(mask)
        assert read["bounds"] == {
            "x0": columns.min(), "y0": rows.min(), "x1": columns.max() + 1, "y1": rows.max() + 1,
        }  # fmt: skip


def test_a_mask_of_twenty_megapixels_is_read(blank):
    mask = np.zeros((3648, 5472), bool)
    mask[100:3000, 200:5400] = True
    read = blank.evaluate(
        """async (rle) => {
          const { Mask } = await import('/static/rle.js');
          const mask = new Mask(rle);
          return [mask.area, mask.bounds, mask.contains(5399, 2999), mask.contains(5400, 2999)];
        }""",
        encode(mask),
    )
    assert read == [int(mask.sum()), {"x0": 200, "y0": 100, "x1": 5400, "y1": 3000}, True, False]


def test_counts_that_do_not_fill_the_picture_are_refused(blank):
    rle = {**encode(np.ones((4, 4), bool)), "size": [4, 5]}
    message = blank.evaluate(
        """async (rle) => {
          const { Mask } = await import('/static/rle.js');
          try { new Mask(rle); } catch (problem) { return problem.message; }
        }""",
        rle,
    )
    assert message == "Mask has 16 pixels; 4 x 5 were announced."


@pytest.mark.parametrize("step", [1, 2, 4])
def test_a_part_of_a_mask_is_every_so_manyth_pixel_of_it(blank, step):
    cut = """async ({rle, region, step}) => {
      const { Mask } = await import('/static/rle.js');
      const { bits, width, height } = new Mask(rle).cut(region, step);
      return {bits: bits.join(''), width, height};
    }"""
    random = np.random.default_rng(step)
    for mask in random_masks():
        height, width = mask.shape
        y0, x0 = int(random.integers(height)), int(random.integers(width))
        y1, x1 = int(random.integers(y0, height)) + 1, int(random.integers(x0, width)) + 1
        region = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
        part = blank.evaluate(cut, {"rle": encode(mask), "region": region, "step": step})
        assert (part["height"], part["width"]) == (-(-(y1 - y0) // step), -(-(x1 - x0) // step))
        bits = digits(part["bits"]).reshape(part["height"] + 2, part["width"] + 2)[1:-1, 1:-1]
        half = step // 2
        wanted = mask[y0 + half : y1 : step, x0 + half : x1 : step]
        # What the last step leaves over at the edge stands for pixels beyond the region.
        np.testing.assert_array_equal(bits[: wanted.shape[0], : wanted.shape[1]], wanted)


def test_rings_go_round_every_piece_and_every_hole(blank):
    rings_of = """async (rle) => {
      const { Mask } = await import('/static/rle.js');
      const { trace } = await import('/static/contour.js');
      const mask = new Mask(rle);
      const { bits, width, height } = mask.cut({x0: 0, y0: 0, x1: mask.width, y1: mask.height});
      return trace(bits, width, height);
    }"""
    for mask in random_masks():
        rings = [np.array(ring).reshape(-1, 2) for ring in blank.evaluate(rings_of, encode(mask))]
        for ring in rings:
            steps = np.diff(ring, axis=0, append=ring[:1])
            assert (np.count_nonzero(steps, axis=1) == 1).all()  # along the edges of pixels
        doubled = [
            sum(int(ax * by - bx * ay) for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]))
            for ring in rings
        ]
        assert sum(doubled) == 2 * mask.sum()
        pieces = ndimage.label(mask)[1]
        # Round the picture all is background; pieces that touch at a corner let it through.
        holes = ndimage.label(np.pad(~mask, 1, constant_values=True), np.ones((3, 3)))[1] - 1
        assert sum(area > 0 for area in doubled) == pieces
        assert sum(area < 0 for area in doubled) == holes


@pytest.mark.parametrize("is_large", [False, True])
def test_a_mask_is_drawn_on_its_own_pixels_and_no_others(blank, is_large):
    """Also where it is too large to be unpacked whole."""
    mask = np.zeros((2400, 3200) if is_large else (96, 128), bool)
    scale = mask.shape[0] // 96
    mask[10 * scale : 60 * scale, 20 * scale : 100 * scale] = True
    mask[30 * scale : 40 * scale, 50 * scale : 70 * scale] = False
    drawn = blank.evaluate(
        """async ({rle, scale}) => {
          const { Layer } = await import('/static/layer.js');
          const { View } = await import('/static/view.js');
          const view = new View();
          view.take(rle.size[1], rle.size[0]);
          view.resize(128, 96, 1);
          Object.assign(view, {scale: 1 / scale, left: 0, top: 0, fitted: false});
          const canvas = new OffscreenCanvas(128, 96);
          const context = canvas.getContext('2d');
          new Layer(rle, '#1080f0').draw(context, view, {opacity: 1, contour: false});
          return Array.from(context.getImageData(0, 0, 128, 96).data).join(' ');
        }""",
        {"rle": encode(mask), "scale": scale},
    )
    pixels = np.array(drawn.split(), np.uint8).reshape(96, 128, 4)
    wanted = mask[scale // 2 :: scale, scale // 2 :: scale]
    np.testing.assert_array_equal(pixels[..., 3] > 127, wanted)
    if not is_large:
        assert np.unique(pixels[wanted], axis=0).tolist() == [[0x10, 0x80, 0xF0, 255]]


def test_places_on_the_screen_and_in_the_picture_agree_under_zoom_and_pan(blank):
    random = np.random.default_rng(11)
    moves = random.uniform([0.4, 0, 0, -90, -90], [2.5, 784, 646, 90, 90], (60, 5)).tolist()
    pixels = random.integers([0, 0], [854, 480], (25, 2)).tolist()
    wrong = blank.evaluate(
        """async ({moves, pixels}) => {
          const { View } = await import('/static/view.js');
          const view = new View();
          view.resize(784, 646, 1);
          view.take(854, 480);
          const wrong = [];
          for (const [factor, x, y, right, down] of moves) {
            const before = view.toPicture(x, y);
            view.zoomAt(factor, x, y);
            const after = view.toPicture(x, y);
            const large = view.scale * 480 > 646 + 400;
            const isHeld = Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-6;
            if (large && view.pixelAt(x, y) && !isHeld) wrong.push(['zoom', before, after]);
            view.panBy(right, down);
            for (const [px, py] of pixels) {
              for (const part of [0.02, 0.5, 0.98]) {
                const seen = view.pixelAt(...view.toScreen(px + part, py + part));
                if (seen?.x !== px || seen?.y !== py) wrong.push(['pixel', px, py, seen]);
              }
            }
          }
          for (const [x, y] of [[-0.5, 3], [3, -0.5], [854.01, 3], [3, 480.01]]) {
            if (view.pixelAt(...view.toScreen(x, y))) wrong.push(['outside', x, y]);
          }
          return wrong;
        }""",
        {"moves": moves, "pixels": pixels},
    )
    assert wrong == []


def test_a_view_is_the_same_after_it_was_remembered(blank):
    views = blank.evaluate("""async () => {
      const { View } = await import('/static/view.js');
      const make = () => {
        const view = new View();
        view.resize(784, 646, 1);
        view.take(854, 480);
        return view;
      };
      const view = make();
      view.zoomAt(3, 500, 300);
      view.panBy(-40, 25);
      const again = make();
      again.recall(JSON.parse(JSON.stringify(view.remember())));
      const whole = make();
      whole.recall(make().remember());
      const told = ({scale, left, top, fitted}) => [scale, left, top, fitted];
      return [view, again, make(), whole].map(told);
    }""")
    assert views[0][:3] == pytest.approx(views[1][:3])
    assert views[2] == views[3]
    assert views[2][3]


OUTBOX = """async (answers) => {
  const { Outbox, uuid } = await import('/static/outbox.js');
  const { Away, Refused } = await import('/static/api.js');
  const log = [];
  const api = {json: async (method, path, body) => {
    log.push(`send ${body.action.n} ${body.id}`);
    const answer = answers.shift() ?? 'ok';
    if (answer === 'away') throw new Away('gone');
    if (answer !== 'ok') throw new Refused(answer, 'no');
    return {};
  }};
  window.kept = () => Object.keys(localStorage).filter((key) => key.includes('/outbox/')).length;
  window.log = log;
  window.outbox = new Outbox(api, {
    onChange: () => {}, onAnswer: (item) => log.push(`done ${item.body.action.n}`),
    onRefused: (item, problem) => log.push(`refused ${item.body.action.n} ${problem.status}`),
    onDelay: (item) => log.push(`later ${item.body.action.n}`), mayGo: async () => true,
    onUnkept: () => log.push('unkept'),
  });
  window.outbox.open('folder', new Map([[7, 'a.jpg'], [8, 'b.jpg']]));
  window.put = (n, picture = 7) => window.outbox.add({
    picture, name: picture === 7 ? 'a.jpg' : 'b.jpg', method: 'POST', path: '/x',
    body: {id: `id${n}`, action: {n}},
  });
}"""


def log_of(page):
    return page.evaluate("() => window.log")


def test_actions_are_sent_in_order_and_again_with_the_same_name_until_answered(blank):
    blank.evaluate(OUTBOX, ["ok", "away", 503, "away", "ok"])
    blank.evaluate("() => { put(1); put(2); put(3); }")
    assert blank.evaluate("() => kept()") > 0
    wait_until(blank, "() => log.includes('done 3')")
    assert log_of(blank) == [
        "send 1 id1", "done 1",
        *["send 2 id2", "later 2"] * 3, "send 2 id2", "done 2",
        "send 3 id3", "done 3",
    ]  # fmt: skip
    assert blank.evaluate("() => kept()") == 0


def test_what_was_not_answered_is_sent_by_the_next_page(blank, address):
    blank.evaluate(OUTBOX, ["away"] * 99)
    blank.evaluate("() => { put(1); put(2); }")
    wait_until(blank, "() => log.includes('later 1')")
    blank.goto(address)
    blank.evaluate(OUTBOX, [])
    wait_until(blank, "() => log.includes('done 2')")
    assert log_of(blank) == ["send 1 id1", "done 1", "send 2 id2", "done 2"]
    assert blank.evaluate("() => kept()") == 0


def test_another_folder_on_the_same_address_gets_none_of_it(blank, address):
    blank.evaluate(OUTBOX, ["away"] * 99)
    blank.evaluate("() => put(1)")
    blank.goto(address)
    blank.evaluate(OUTBOX.replace("'a.jpg']", "'other.jpg']"), [])
    blank.evaluate("() => put(2, 8)")
    wait_until(blank, "() => log.includes('done 2')")
    assert log_of(blank) == ["send 2 id2", "done 2"]
    assert blank.evaluate("() => kept()") == 1


def test_an_action_that_does_not_fit_is_dropped_and_the_next_is_sent(blank):
    blank.evaluate(OUTBOX, [422])
    blank.evaluate("() => { put(1); put(2); }")
    wait_until(blank, "() => log.includes('done 2')")
    assert log_of(blank) == ["send 1 id1", "refused 1 422", "send 2 id2", "done 2"]


def test_a_lost_lease_holds_the_pictures_actions_back_but_not_those_of_others(blank):
    blank.evaluate(OUTBOX, [409])
    blank.evaluate("() => { put(1); put(2); put(3, 8); }")
    wait_until(blank, "() => log.includes('done 3')")
    assert log_of(blank) == ["send 1 id1", "refused 1 409", "send 3 id3", "done 3"]
    assert blank.evaluate("() => kept()") == 2
    blank.evaluate("() => outbox.unpark(7)")
    wait_until(blank, "() => log.includes('done 2')")
    assert log_of(blank)[4:] == ["send 1 id1", "done 1", "send 2 id2", "done 2"]


def test_names_of_actions_are_random_uuids(blank):
    names = blank.evaluate(
        "async () => { const { uuid } = await import('/static/outbox.js');"
        "return Array.from({length: 50}, uuid); }"
    )
    assert len(set(names)) == 50
    for name in names:
        assert re.fullmatch(
            r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", name
        )


def test_the_page_foresees_what_waiting_actions_will_do(blank):
    seen = blank.evaluate("""async () => {
      const { Model } = await import('/static/model.js');
      const model = new Model();
      const click = (x) => ({kind: 'click', x, y: 1, is_positive: true});
      const rle = {size: [1, 1], counts: '01'};
      const active = {clicks: [click(0)], rle, box: null, reopened: null};
      const look = (...actions) => {
        model.set({picture: {id: 7, active, objects: []},
          waiting: actions.map((action) => ({picture: 7, body: {action}}))});
        const {clicks, rle, strokes} = model.foreseen();
        return [clicks.map(({x}) => x), rle !== null, strokes.length, model.hasActive];
      };
      const stroke = {kind: 'brush', points: [[0, 0]], radius: 2, is_positive: true};
      return [look(), look(click(1), click(2)), look(click(1), click(2), {kind: 'undo'}),
        look(click(1), {kind: 'finish', label: 'a'}), look({kind: 'discard'}, click(5)),
        look(stroke, {kind: 'undo'}), look(stroke)];
    }""")
    assert seen == [
        [[0], True, 0, True],
        [[0, 1, 2], True, 0, True],
        [[0, 1], True, 0, True],
        [[], False, 0, False],
        [[5], False, 0, True],
        [[0], True, 0, True],
        [[0], True, 1, True],
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_module_makes_html_of_text_or_asks_another_host(module):
    text = module.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    assert re.findall(r"https?://[^\"'\s]+", text) in ([], ["http://www.w3.org/2000/svg"])
    assert len(text.splitlines()) <= 400
