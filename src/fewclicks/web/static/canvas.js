// Drawing: the picture and its finished objects below, the active object and all that moves above.

import { Layer } from "./layer.js";
import * as marks from "./marks.js";

/** The active object's colour, which no label has by default. */
export const ACTIVE = "#2f9bff";
const HOVERED = "#ffffff";

/** Two canvases: what follows the pointer must not wait for the picture to be drawn again. */
export class Stage {
  /**
   * @param {import("./model.js").Model} model
   * @param {import("./view.js").View} view
   * @param {HTMLCanvasElement} below
   * @param {HTMLCanvasElement} above
   */
  constructor(model, view, below, above) {
    this.model = model;
    this.view = view;
    this.below = below;
    this.above = above;
    this.belowContext = below.getContext("2d", { alpha: false });
    this.aboveContext = above.getContext("2d");
    /** @type {Map<number, Layer>} */
    this.finished = new Map();
    /** @type {?Layer} */
    this.active = null;
    /** @type {?Layer} */
    this.hovered = null;
    /** @type {Layer[]} */
    this.proposed = [];
    this.asked = { below: false, above: false };
    this.onView = () => {};
    this.#listen();
  }

  #listen() {
    const { model } = this;
    model.on(["picture", "project"], () => this.#takePicture());
    model.on(["proposals"], () => this.#takeProposals());
    model.on(["hover"], () => this.#takeHover());
    model.on(["bitmap", "opacity", "contour", "selected"], () => this.ask(true));
    model.on(
      ["waiting", "draft", "cursor", "proposal", "tool", "brush", "otherHolder"],
      () => this.ask(false),
    );
    model.on(["pointer"], () => {
      if (model.tool === "brush" || model.tool === "eraser") this.ask(false);
    });
    new ResizeObserver(() => this.#resize()).observe(this.above.parentElement);
    this.#resize();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.above.parentElement;
    const density = window.devicePixelRatio || 1;
    for (const canvas of [this.below, this.above]) {
      canvas.width = Math.round(clientWidth * density);
      canvas.height = Math.round(clientHeight * density);
    }
    this.view.resize(clientWidth, clientHeight, density);
    this.drawBelow();
    this.drawAbove();
    this.onView();
  }

  /** Takes over the masks of a state that came, and draws them at once: no frame is waited for. */
  #takePicture() {
    const { picture } = this.model;
    const layers = new Map();
    for (const object of picture?.objects ?? []) {
      if (!object.rle || object.id === picture.active.reopened) continue;
      const colour = this.model.colourOf(object.label);
      const last = this.finished.get(object.id);
      const layer = last?.shows(object.rle, colour) ? last : new Layer(object.rle, colour);
      layers.set(object.id, layer);
    }
    const [was, is] = [[...this.finished.values()], [...layers.values()]];
    const changed = was.length !== is.length || is.some((layer, at) => layer !== was[at]);
    this.finished = layers;
    // What a search found is drawn proposal by proposal.
    const rle = this.model.isSearching ? null : picture?.active.rle;
    if (!rle) this.active = null;
    else if (!this.active?.shows(rle, ACTIVE)) this.active = new Layer(rle, ACTIVE);
    if (changed) this.drawBelow();
    this.drawAbove();
  }

  #takeProposals() {
    const { proposals, exemplar } = this.model;
    const colour = this.model.colourOf(exemplar?.label ?? null);
    this.proposed = proposals.map(
      (rle) => this.proposed.find((layer) => layer.shows(rle, colour)) ?? new Layer(rle, colour),
    );
    this.ask(false);
  }

  #takeHover() {
    const { hover } = this.model;
    this.hovered = hover ? new Layer(hover, HOVERED) : null;
    this.ask(false);
  }

  /** Area of the active mask in pixels, 0 without one. */
  get activeArea() {
    return this.active?.mask.area ?? 0;
  }

  /** @param {number} object @returns {number} pixels of a finished object */
  areaOf(object) {
    return this.finished.get(object)?.mask.area ?? 0;
  }

  /**
   * Topmost finished object at a pixel.
   * @returns {?number} its id
   */
  objectAt({ x, y }) {
    const found = [...this.finished].filter(([, layer]) => layer.mask.contains(x, y)).pop();
    return found ? found[0] : null;
  }

  /** @returns {number} index of the proposal at a pixel, -1 if there is none */
  proposalAt({ x, y }) {
    return this.proposed.findIndex((layer) => layer.mask.contains(x, y));
  }

  /** Draws at the next frame. @param {boolean} all with the picture */
  ask(all) {
    const which = all ? "below" : "above";
    if (all) this.ask(false);
    if (this.asked[which]) return;
    this.asked[which] = true;
    requestAnimationFrame(() => {
      this.asked[which] = false;
      if (all) this.drawBelow();
      else this.drawAbove();
    });
  }

  /** After the view has moved. */
  moved() {
    this.ask(true);
    this.onView();
  }

  drawBelow() {
    const { belowContext: context, view, model } = this;
    context.setTransform(view.density, 0, 0, view.density, 0, 0);
    context.fillStyle = getComputedStyle(this.below.parentElement).backgroundColor;
    context.fillRect(0, 0, view.width, view.height);
    if (model.bitmap && model.picture) this.#drawPicture(context, model.bitmap);
    for (const [id, layer] of this.finished) {
      const strong = id === model.selected;
      layer.draw(context, view, {
        opacity: strong ? Math.min(1, model.opacity + 0.15) : model.opacity,
        contour: model.contour || strong, strong,
      });
    }
  }

  /** Only the part that is seen: a picture of 20 megapixels then costs what the screen costs. */
  #drawPicture(context, bitmap) {
    const { view } = this;
    const seen = view.visible();
    if (seen.x1 <= seen.x0 || seen.y1 <= seen.y0) return;
    const across = bitmap.width / view.pictureWidth;
    const down = bitmap.height / view.pictureHeight;
    const [left, top] = view.toScreen(seen.x0, seen.y0);
    const [right, bottom] = view.toScreen(seen.x1, seen.y1);
    // Deep in, pixels are what the annotator wants to see.
    context.imageSmoothingEnabled = view.scale * view.density < 3 * across;
    context.drawImage(
      bitmap, seen.x0 * across, seen.y0 * down, (seen.x1 - seen.x0) * across,
      (seen.y1 - seen.y0) * down, left, top, right - left, bottom - top,
    );
  }

  drawAbove() {
    const { aboveContext: context, view, model } = this;
    context.setTransform(view.density, 0, 0, view.density, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    if (!model.picture) return;
    const seen = model.foreseen();
    this.#drawMasks(context, seen);
    if (seen.box) marks.box(context, view, seen.box, ACTIVE);
    for (const stroke of seen.strokes) marks.stroke(context, view, stroke, ACTIVE, model.opacity);
    if (model.draft) marks.draft(context, view, model.draft, ACTIVE, model.opacity);
    const answered = model.picture.active.clicks.length;
    seen.clicks.forEach((click, at) => marks.click(context, view, click, at >= answered));
    this.#drawPointer(context);
  }

  #drawMasks(context, seen) {
    const { view, model } = this;
    if (this.hovered && !model.draft) {
      this.hovered.draw(context, view, { opacity: 0.12, contour: true, dashed: true });
    }
    this.proposed.forEach((layer, at) => layer.draw(context, view, {
      opacity: at === model.proposal ? model.opacity : model.opacity / 3,
      contour: true, dashed: true, strong: at === model.proposal,
    }));
    if (this.active && seen.rle) {
      this.active.draw(context, view, { opacity: model.opacity, contour: model.contour });
    }
  }

  #drawPointer(context) {
    const { view, model } = this;
    if (model.cursor) marks.crosshair(context, view, model.cursor);
    if (model.isReadOnly || (model.tool !== "brush" && model.tool !== "eraser")) return;
    const at = model.cursor
      ? view.toScreen(model.cursor.x + 0.5, model.cursor.y + 0.5)
      : model.pointer && [model.pointer.x, model.pointer.y];
    if (at) marks.ring(context, at, model.brush * view.scale);
  }
}
