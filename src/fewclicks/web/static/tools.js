// What the pointer does on the picture: click, box, scribble, brush, eraser, select, zoom and pan.

/** @typedef {"click" | "box" | "scribble" | "brush" | "eraser" | "select"} Tool */
/**
 * A stroke or box under way.
 * @typedef {object} Draft
 * @property {"box" | "scribble" | "brush"} kind
 * @property {number[][]} points x, y in pixels of the picture
 * @property {boolean} is_positive
 * @property {number} [radius]
 */

export const TOOLS = /** @type {Tool[]} */ (["click", "box", "scribble", "brush", "eraser", "select"]);
export const SMALLEST_BRUSH = 1;
export const LARGEST_BRUSH = 200;
const LEFT = 0;
const MIDDLE = 1;
const RIGHT = 2;
/** A box thinner than this, in screen units, was a click that slipped. */
const SLIPPED = 4;

export class Tools {
  /**
   * @param {import("./model.js").Model} model
   * @param {import("./view.js").View} view
   * @param {import("./canvas.js").Stage} stage
   * @param {object} doing
   * @param {(action: object) => void} doing.act
   * @param {(by: number) => void} doing.turnLevel
   * @param {(index: number, accept: boolean) => void} doing.judge a proposal
   * @param {(object: number) => void} doing.reopen
   */
  constructor(model, view, stage, doing) {
    this.model = model;
    this.view = view;
    this.stage = stage;
    this.doing = doing;
    this.canvas = stage.above;
    this.spaceHeld = false;
    this.panning = null;
    this.wheel = 0;
    this.#listen();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("pointerleave", () => this.model.set({ pointer: null }));
    canvas.addEventListener("dblclick", (event) => this.#double(event));
    canvas.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
    this.model.on(["tool", "otherHolder", "picture"], () => this.#dress());
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event) {
    // The measured time starts here, whatever the page does before it sends the click.
    performance.mark("click");
    const [x, y] = this.#place(event);
    this.canvas.focus({ preventScroll: true });
    this.model.set({ cursor: null, hover: null });
    if (event.button === MIDDLE || (event.button === LEFT && this.spaceHeld)) {
      event.preventDefault();
      this.panning = { x, y };
      this.canvas.setPointerCapture(event.pointerId);
      this.#dress();
      return;
    }
    if (event.button !== LEFT && event.button !== RIGHT) return;
    const pixel = this.view.pixelAt(x, y);
    if (this.model.draft) return;
    if (!pixel && this.model.tool === "click") return;
    this.canvas.setPointerCapture(event.pointerId);
    this.press(pixel ?? this.view.nearestPixel(x, y), event.button === LEFT);
  }

  #move(event) {
    const [x, y] = this.#place(event);
    if (this.panning) {
      this.view.panBy(x - this.panning.x, y - this.panning.y);
      this.panning = { x, y };
      this.stage.moved();
      return;
    }
    if (this.model.draft && event.buttons) {
      // Between two frames the pointer has been at more places than one.
      const places = event.getCoalescedEvents?.() ?? [];
      for (const each of places.length ? places : [event]) {
        this.drag(this.view.nearestPixel(...this.#place(each)));
      }
    }
    this.model.set({ pointer: { x, y }, cursor: null });
    this.#point(x, y);
  }

  /** Keys judge the proposal under the pointer. */
  #point(x, y) {
    if (!this.model.proposals.length) return;
    const pixel = this.view.pixelAt(x, y);
    const proposal = pixel ? this.stage.proposalAt(pixel) : -1;
    if (proposal >= 0 && proposal !== this.model.proposal) this.model.set({ proposal });
  }

  #up(event) {
    if (this.panning) {
      this.panning = null;
      this.#dress();
    } else if (this.model.draft) {
      // A busy machine may not have told of the last move.
      this.drag(this.view.nearestPixel(...this.#place(event)));
      this.release();
    }
    if (this.canvas.hasPointerCapture(event.pointerId)) {
      this.canvas.releasePointerCapture(event.pointerId);
    }
  }

  #double(event) {
    if (this.model.tool !== "select") return;
    const pixel = this.view.pixelAt(...this.#place(event));
    const object = pixel && this.stage.objectAt(pixel);
    if (object !== null && object !== undefined) this.doing.reopen(object);
  }

  #turn(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const delta = (event.deltaY || event.deltaX) * lines;
    if (event.altKey) {
      this.wheel += delta;
      if (Math.abs(this.wheel) < 40) return;
      this.doing.turnLevel(this.wheel < 0 ? 1 : -1);
      this.wheel = 0;
      return;
    }
    // A pinch on a touchpad comes as a wheel with Ctrl, and in much smaller steps.
    const factor = Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.0016));
    this.view.zoomAt(Math.min(3, Math.max(1 / 3, factor)), ...this.#place(event));
    this.stage.moved();
  }

  /**
   * The tool goes down on a pixel, by pointer or by key.
   * @param {{x: number, y: number}} pixel
   * @param {boolean} isPositive
   */
  press(pixel, isPositive) {
    const { model } = this;
    if (!model.picture) return;
    if (model.tool === "select") return model.set({ selected: this.stage.objectAt(pixel) });
    if (model.tool === "click") return this.#click(pixel, isPositive);
    if (model.isReadOnly) return this.doing.act(null);
    const kind = model.tool === "eraser" ? "brush" : model.tool;
    const draft = {
      kind, points: [[pixel.x, pixel.y]], is_positive: isPositive !== (model.tool === "eraser"),
    };
    model.set({ draft: kind === "brush" ? { ...draft, radius: model.brush } : draft });
  }

  #click(pixel, isPositive) {
    // On a proposal, left accepts it, and right corrects it as elsewhere.
    const proposal = isPositive ? this.stage.proposalAt(pixel) : -1;
    if (proposal >= 0) return this.doing.judge(proposal, true);
    return this.doing.act({ kind: "click", x: pixel.x, y: pixel.y, is_positive: isPositive });
  }

  /** @param {{x: number, y: number}} pixel where the tool is now, still down */
  drag({ x, y }) {
    const { draft } = this.model;
    if (!draft) return;
    const [lastX, lastY] = draft.points[draft.points.length - 1];
    if (lastX === x && lastY === y) return;
    if (draft.kind === "box") draft.points = [draft.points[0], [x, y]];
    else draft.points.push([x, y]);
    this.model.set({ draft });
  }

  /** The tool goes up: the stroke or box becomes an action. */
  release() {
    const { draft } = this.model;
    this.model.set({ draft: null });
    if (!draft) return;
    if (draft.kind !== "box") return this.doing.act({ ...draft });
    const [[ax, ay], [bx, by] = draft.points[0]] = draft.points;
    const thin = Math.min(Math.abs(ax - bx), Math.abs(ay - by)) * this.view.scale < SLIPPED;
    if (thin) return;
    this.doing.act({
      kind: "box", x0: Math.min(ax, bx), y0: Math.min(ay, by),
      x1: Math.max(ax, bx), y1: Math.max(ay, by),
    });
  }

  /** Nothing of a stroke under way is kept. */
  cancel() {
    this.panning = null;
    this.model.set({ draft: null });
    this.#dress();
  }

  /** @param {boolean} held */
  holdSpace(held) {
    this.spaceHeld = held;
    this.#dress();
  }

  #dress() {
    const { model } = this;
    const size = model.tool === "brush" || model.tool === "eraser";
    let cursor = size ? "none" : "crosshair";
    if (model.tool === "select") cursor = "default";
    if (model.isReadOnly || !model.picture) cursor = "default";
    if (this.spaceHeld) cursor = "grab";
    if (this.panning) cursor = "grabbing";
    this.canvas.style.cursor = cursor;
  }
}
