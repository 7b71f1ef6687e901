// A mask made ready to be drawn at any zoom.

import { asPath, trace } from "./contour.js";
import { Mask } from "./rle.js";

/** Masks up to this many pixels are unpacked whole: zoom and pan then cost nothing. */
const WHOLE = 4_000_000;

/** @param {string} colour "#rrggbb" as one opaque pixel of ImageData (little-endian ABGR). */
function pixel(colour) {
  const value = Number.parseInt(colour.slice(1), 16) || 0;
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/** One mask on the screen: its fill as a small picture, its contour as a path. */
export class Layer {
  /**
   * @param {import("./rle.js").Rle} rle
   * @param {string} colour "#rrggbb"
   */
  constructor(rle, colour) {
    this.mask = new Mask(rle);
    this.colour = colour;
    /** What is unpacked now: region in pixels of the picture, and the step between pixels. */
    this.cut = null;
  }

  /**
   * Whether this layer shows the very mask, so that it need not be made again.
   * @param {import("./rle.js").Rle} rle
   * @param {string} colour
   */
  shows(rle, colour) {
    return this.colour === colour && this.mask.rle.counts === rle.counts
      && this.mask.height === rle.size[0] && this.mask.width === rle.size[1];
  }

  /**
   * @param {CanvasRenderingContext2D} context whose units are the screen's
   * @param {import("./view.js").View} view
   * @param {{opacity: number, contour: boolean, dashed?: boolean, strong?: boolean}} how
   */
  draw(context, view, { opacity, contour, dashed = false, strong = false }) {
    if (!this.mask.bounds) return;
    this.#unpack(view);
    const { region, step, fill, path } = this.cut;
    if (!fill) return;
    context.save();
    context.translate(view.left, view.top);
    context.scale(view.scale, view.scale);
    context.translate(region.x0, region.y0);
    context.scale(step, step);
    context.imageSmoothingEnabled = view.scale * step < 1;
    context.globalAlpha = opacity;
    if (opacity > 0) context.drawImage(fill, 0, 0);
    context.globalAlpha = 1;
    if (contour) this.#outline(context, path(), 1 / (view.scale * step), dashed, strong);
    context.restore();
  }

  /** A dark line under a light one is seen on any picture. */
  #outline(context, path, unit, dashed, strong) {
    context.lineJoin = "round";
    context.lineWidth = (strong ? 3.5 : 2.6) * unit;
    context.strokeStyle = "rgba(0, 0, 0, 0.55)";
    context.stroke(path);
    context.lineWidth = (strong ? 2 : 1.4) * unit;
    context.strokeStyle = strong ? "#ffffff" : this.colour;
    if (dashed) context.setLineDash([6 * unit, 5 * unit]);
    context.stroke(path);
  }

  #unpack(view) {
    const bounds = this.mask.bounds;
    const pixels = (bounds.x1 - bounds.x0) * (bounds.y1 - bounds.y0);
    const whole = pixels <= WHOLE;
    const step = whole ? 1 : view.step();
    const seen = whole ? bounds : meet(bounds, view.visible(0));
    if (this.cut && this.cut.step === step && holds(this.cut.region, seen)) return;
    // More than is seen, so that a pan does not unpack at every frame.
    const region = whole ? bounds : meet(bounds, view.visible(0.5));
    this.cut = { region, step, ...this.#paint(region, step) };
  }

  #paint(region, step) {
    if (region.x1 <= region.x0 || region.y1 <= region.y0) return { fill: null, path: null };
    const { bits, width, height } = this.mask.cut(region, step);
    const data = new ImageData(width, height);
    const pixels = new Uint32Array(data.data.buffer);
    const colour = pixel(this.colour);
    for (let y = 0, to = 0, from = width + 3; y < height; y++, from += 2) {
      for (let x = 0; x < width; x++, to++, from++) if (bits[from]) pixels[to] = colour;
    }
    const fill = document.createElement("canvas");
    fill.width = width;
    fill.height = height;
    fill.getContext("2d").putImageData(data, 0, 0);
    let made = null;
    const path = () => (made ??= asPath(trace(bits, width, height)));
    return { fill, path };
  }
}

function meet(a, b) {
  return {
    x0: Math.max(a.x0, b.x0), y0: Math.max(a.y0, b.y0),
    x1: Math.min(a.x1, b.x1), y1: Math.min(a.y1, b.y1),
  };
}

function holds(outer, inner) {
  if (inner.x1 <= inner.x0 || inner.y1 <= inner.y0) return true;
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 && outer.x1 >= inner.x1 && outer.y1 >= inner.y1;
}
