// Masks in COCO's compressed run lengths: reading them, and looking into them without unpacking.

/**
 * A mask as the server sends it.
 * @typedef {{size: [number, number], counts: string}} Rle  size is [height, width]
 */

/**
 * Run lengths of COCO's compressed text, background first.
 *
 * Five bits to a character, the lowest first; bit 6 says that more follow, the last character's
 * bit 5 is the sign. From the fourth on, a run is told as the difference to the run two before.
 * @param {string} text
 * @returns {Uint32Array}
 */
export function readCounts(text) {
  const counts = new Uint32Array(text.length);
  let length = 0;
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let shift = 0;
    let bits = 0;
    do {
      bits = text.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
    } while (bits & 32 && at < text.length);
    if (bits & 16) value |= -1 << shift;
    if (length > 2) value += counts[length - 2];
    counts[length++] = value;
  }
  return counts.subarray(0, length);
}

/** A mask's runs of foreground, column after column, with what drawing asks of them. */
export class Mask {
  /** @param {Rle} rle */
  constructor(rle) {
    [this.height, this.width] = rle.size;
    this.rle = rle;
    const counts = readCounts(rle.counts);
    const runs = counts.length >> 1;
    /** First place (x * height + y) of each run. */
    this.starts = new Uint32Array(runs);
    /** Place after the last of each run. */
    this.ends = new Uint32Array(runs);
    this.area = 0;
    let place = 0;
    for (let run = 0; run < runs; run++) {
      place += counts[2 * run];
      this.starts[run] = place;
      place += counts[2 * run + 1];
      this.ends[run] = place;
      this.area += counts[2 * run + 1];
    }
    if (counts.length % 2) place += counts[counts.length - 1];
    if (place !== this.height * this.width) {
      throw new Error(`Mask has ${place} pixels; ${this.height} x ${this.width} were announced.`);
    }
    this.bounds = this.#bounds();
  }

  /** Smallest box around the mask, its right and lower edge outside; null if it is empty. */
  #bounds() {
    if (this.area === 0) return null;
    const { height, starts, ends } = this;
    let top = height;
    let bottom = 0;
    let left = Infinity;
    let right = 0;
    for (let run = 0; run < starts.length; run++) {
      if (ends[run] === starts[run]) continue;
      const first = Math.floor(starts[run] / height);
      const last = Math.floor((ends[run] - 1) / height);
      left = Math.min(left, first);
      right = Math.max(right, last + 1);
      if (first === last) {
        top = Math.min(top, starts[run] - first * height);
        bottom = Math.max(bottom, ends[run] - first * height);
      } else {
        // A run over the end of a column touches the lower and the upper edge.
        top = 0;
        bottom = height;
      }
    }
    return { x0: left, y0: top, x1: right, y1: bottom };
  }

  /**
   * First run that ends after a place.
   * @param {number} place
   */
  runAfter(place) {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle] > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Whether a pixel belongs to the mask.
   * @param {number} x
   * @param {number} y
   */
  contains(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return false;
    const place = x * this.height + y;
    const run = this.runAfter(place);
    return run < this.starts.length && this.starts[run] <= place;
  }

  /** A pixel of the mask; null if it is empty. @returns {?{x: number, y: number}} */
  firstPixel() {
    const run = this.starts.findIndex((start, at) => this.ends[at] > start);
    if (run < 0) return null;
    return { x: Math.floor(this.starts[run] / this.height), y: this.starts[run] % this.height };
  }

  /**
   * A part of the mask as bytes, 1 inside, with a frame of zeros one pixel wide.
   *
   * Only the region is touched, and with a step only every step-th pixel of it, so that a mask
   * of 20 megapixels costs no more than the screen has pixels.
   * @param {{x0: number, y0: number, x1: number, y1: number}} region inside the picture
   * @param {number} step whole, at least 1
   * @returns {{bits: Uint8Array, width: number, height: number}} size without the frame
   */
  cut(region, step = 1) {
    const width = Math.ceil((region.x1 - region.x0) / step);
    const height = Math.ceil((region.y1 - region.y0) / step);
    const stride = width + 2;
    const bits = new Uint8Array(stride * (height + 2));
    const half = step >> 1;
    let run = 0;
    for (let column = 0; column < width; column++) {
      const x = Math.min(region.x0 + column * step + half, this.width - 1);
      const above = x * this.height;
      const first = above + region.y0;
      const last = above + region.y1;
      if (step > 1 || column === 0) run = this.runAfter(first);
      while (run > 0 && this.ends[run - 1] > first) run--;
      while (run < this.ends.length && this.ends[run] <= first) run++;
      for (let at = run; at < this.starts.length && this.starts[at] < last; at++) {
        const from = Math.max(0, Math.ceil((this.starts[at] - first - half) / step));
        const to = Math.min(height, Math.ceil((this.ends[at] - first - half) / step));
        let index = (from + 1) * stride + column + 1;
        for (let row = from; row < to; row++, index += stride) bits[index] = 1;
      }
    }
    return { bits, width, height };
  }
}
