// Where the picture lies on the screen: zoom, pan, and from pixels of one to pixels of the other.

const DEEPEST = 40;
/** How much of the picture, in screen pixels, can never be pushed out of sight. */
const KEPT = 60;

/** Screen units are CSS pixels from the stage's upper left corner; `left`, `top` may be negative. */
export class View {
  constructor() {
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.pictureWidth = 1;
    this.pictureHeight = 1;
    this.width = 1;
    this.height = 1;
    /** Device pixels to one CSS pixel. */
    this.density = 1;
    /** Whether the picture fills the stage by itself, also after the window changes. */
    this.fitted = true;
  }

  /**
   * Takes another picture's size and shows all of it.
   * @param {number} width
   * @param {number} height
   */
  take(width, height) {
    this.pictureWidth = width;
    this.pictureHeight = height;
    this.fit();
  }

  /** @param {number} width @param {number} height @param {number} density */
  resize(width, height, density) {
    const [x, y] = this.toPicture(this.width / 2, this.height / 2);
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.density = density;
    if (this.fitted) this.fit();
    else this.centreOn(x, y);
  }

  /** Scale at which the whole picture is seen, tools at its left left free. */
  fitScale() {
    const across = Math.max(1, this.width - 2 * View.MARGIN_X) / this.pictureWidth;
    const down = Math.max(1, this.height - 2 * View.MARGIN_Y) / this.pictureHeight;
    return Math.min(across, down, DEEPEST);
  }

  fit() {
    this.scale = this.fitScale();
    this.left = (this.width - this.pictureWidth * this.scale) / 2;
    this.top = (this.height - this.pictureHeight * this.scale) / 2;
    this.fitted = true;
  }

  /** @param {number} x @param {number} y in the picture, to the middle of the stage */
  centreOn(x, y) {
    this.left = this.width / 2 - x * this.scale;
    this.top = this.height / 2 - y * this.scale;
    this.#keep();
  }

  /**
   * Zooms about a point of the screen, which stays where it is.
   * @param {number} factor
   * @param {number} x
   * @param {number} y
   */
  zoomAt(factor, x, y) {
    const least = Math.min(this.fitScale() / 4, 1);
    const scale = Math.min(DEEPEST, Math.max(least, this.scale * factor));
    const ratio = scale / this.scale;
    this.left = x - (x - this.left) * ratio;
    this.top = y - (y - this.top) * ratio;
    this.scale = scale;
    this.fitted = false;
    this.#keep();
  }

  /** @param {number} right @param {number} down in screen units */
  panBy(right, down) {
    this.left += right;
    this.top += down;
    this.fitted = false;
    this.#keep();
  }

  #keep() {
    this.left = kept(this.left, this.pictureWidth * this.scale, this.width);
    this.top = kept(this.top, this.pictureHeight * this.scale, this.height);
  }

  /** @returns {[number, number]} place in the picture, not rounded */
  toPicture(x, y) {
    return [(x - this.left) / this.scale, (y - this.top) / this.scale];
  }

  /** @returns {[number, number]} place on the screen of a place in the picture */
  toScreen(x, y) {
    return [this.left + x * this.scale, this.top + y * this.scale];
  }

  /**
   * The pixel under a point of the screen.
   * @returns {{x: number, y: number} | null} null beside the picture
   */
  pixelAt(x, y) {
    const [across, down] = this.toPicture(x, y).map(Math.floor);
    const inside = across >= 0 && down >= 0
      && across < this.pictureWidth && down < this.pictureHeight;
    return inside ? { x: across, y: down } : null;
  }

  /** The picture's pixel nearest to a point of the screen. */
  nearestPixel(x, y) {
    const [across, down] = this.toPicture(x, y).map(Math.floor);
    return {
      x: Math.min(this.pictureWidth - 1, Math.max(0, across)),
      y: Math.min(this.pictureHeight - 1, Math.max(0, down)),
    };
  }

  /**
   * The part of the picture that is seen, widened by a share of itself.
   * @param {number} margin
   */
  visible(margin = 0) {
    const [x0, y0] = this.toPicture(-margin * this.width, -margin * this.height);
    const [x1, y1] = this.toPicture(this.width * (1 + margin), this.height * (1 + margin));
    return {
      x0: Math.max(0, Math.floor(x0)), y0: Math.max(0, Math.floor(y0)),
      x1: Math.min(this.pictureWidth, Math.ceil(x1)),
      y1: Math.min(this.pictureHeight, Math.ceil(y1)),
    };
  }

  /** Pixels of the picture to one of the device, as a power of two not above it. */
  step() {
    const pixels = 1 / (this.scale * this.density);
    return pixels < 2 ? 1 : 2 ** Math.floor(Math.log2(pixels));
  }

  /** What a reload needs to look as before. */
  remember() {
    const [x, y] = this.toPicture(this.width / 2, this.height / 2);
    return this.fitted ? null : { scale: this.scale, x, y };
  }

  /** @param {{scale: number, x: number, y: number} | null} seen */
  recall(seen) {
    if (!seen || !(seen.scale > 0)) return this.fit();
    this.fitted = false;
    this.scale = Math.min(DEEPEST, seen.scale);
    this.centreOn(seen.x, seen.y);
  }
}

/** A picture that fits stays in sight as a whole, a larger one with a strip. */
function kept(place, size, room) {
  const strip = size <= room ? size : KEPT;
  return Math.min(room - strip, Math.max(strip - size, place));
}

/** Room around a fitted picture, in screen units: for the tools, and to click at its edges. */
View.MARGIN_X = 64;
View.MARGIN_Y = 16;
