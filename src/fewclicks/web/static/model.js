// What the page knows now. Everything that draws listens here and asks nobody else.

/** @typedef {import("./rle.js").Rle} Rle */
/** @typedef {{id: number, label: string, rle: ?Rle}} Finished  rle: null if empty */
/** @typedef {{x: number, y: number, is_positive: boolean}} Click */
/**
 * @typedef {object} PictureState
 * @property {number} id
 * @property {string} name
 * @property {number} height
 * @property {number} width
 * @property {"new" | "open" | "done"} state
 * @property {number} version
 * @property {boolean} can_undo
 * @property {boolean} can_redo
 * @property {Finished[]} objects bottom to top
 * @property {{label: string | null, rle: Rle | null, clicks: Click[],
 *   box: number[] | null, reopened: number | null, exemplar: number | null, proposals: Rle[],
 *   notice: string | null}} active
 * @property {Reference[]} references of all labels that have one
 * @property {string | null} holder
 * @property {boolean} ready
 */
/** @typedef {{id: number, name: string, state: string, objects: number, holder: ?string}} Row */
/** @typedef {{id: number, name: string, colour: string}} Label */
/** @typedef {{label: string, picture: number, object: number, negative: ?number}} Reference */

export class Model {
  #listeners = new Map();

  constructor() {
    /** @type {?{name: string, method: string, methods: string[], has_levels: boolean,
     *   takes_references: boolean, labels: Label[], pictures: number, done: number}} */
    this.project = null;
    /** The annotator's own name. */
    this.me = "";
    /** @type {Row[]} */
    this.rows = [];
    /** @type {?PictureState} */
    this.picture = null;
    /** Pixels to draw, perhaps smaller than the picture. @type {?ImageBitmap} */
    this.bitmap = null;
    /** Actions not answered yet, oldest first. @type {import("./outbox.js").Item[]} */
    this.waiting = [];
    /** Who else works on the picture; then nothing here may change it. @type {?string} */
    this.otherHolder = null;
    /** Whether the server answers. */
    this.connected = true;
    /** @type {?{waiting: number, preparing: ?string, prepared: number[], click_ms: number}} */
    this.status = null;
    this.tool = "click";
    this.brush = 12;
    this.opacity = 0.45;
    this.contour = true;
    this.hoverWanted = true;
    /** Label of the next object. @type {?string} */
    this.label = null;
    /** Selected finished object. @type {?number} */
    this.selected = null;
    /** Kind of the action that was answered last on this picture. @type {?string} */
    this.lastKind = null;
    /** @type {?{levels: {area: number}[], chosen: number}} */
    this.levels = null;
    /** Others of a kind that nobody has accepted or refused yet. @type {Rle[]} */
    this.proposals = [];
    /** The one that keys judge. */
    this.proposal = 0;
    /** Mask under the resting pointer. @type {?Rle} */
    this.hover = null;
    /** The keyboard's crosshair. @type {?{x: number, y: number}} */
    this.cursor = null;
    /** Stroke or box under way. @type {?import("./tools.js").Draft} */
    this.draft = null;
    /** Where the pointer is, in screen units. @type {?{x: number, y: number}} */
    this.pointer = null;
  }

  /**
   * Calls a listener when one of the fields changes.
   * @param {string[]} fields
   * @param {() => void} listener
   */
  on(fields, listener) {
    for (const field of fields) {
      if (!this.#listeners.has(field)) this.#listeners.set(field, []);
      this.#listeners.get(field).push(listener);
    }
  }

  /**
   * Like `on`, but once a frame and after the frame's drawing: for panels, which the mask must
   * not wait for.
   */
  later(fields, listener) {
    let asked = false;
    this.on(fields, () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        listener();
      });
    });
  }

  /** @param {Partial<Model>} fields to set; each listener is called once, in order. */
  set(fields) {
    const called = new Set();
    Object.assign(this, fields);
    for (const field of Object.keys(fields)) {
      for (const listener of this.#listeners.get(field) ?? []) {
        if (called.has(listener)) continue;
        called.add(listener);
        listener();
      }
    }
  }

  get isReadOnly() {
    return this.otherHolder !== null;
  }

  /** Whether the others of an object are looked for. */
  get isSearching() {
    return (this.picture?.active.exemplar ?? null) !== null;
  }

  /** The object whose others are looked for. @returns {?Finished} */
  get exemplar() {
    return this.picture?.objects.find(({ id }) => id === this.picture.active.exemplar) ?? null;
  }

  /** @param {?string} name */
  colourOf(name) {
    return this.project?.labels.find((label) => label.name === name)?.colour ?? "#8d99a6";
  }

  /** Actions on the present picture that the server has not answered. */
  waitingHere() {
    return this.waiting.filter((item) => item.picture === this.picture?.id && item.body.action);
  }

  /**
   * The active object as it will be, as far as the page can tell before the answer: clicks are
   * there at once, a finished or dropped object is gone at once.
   * @returns {{clicks: Click[], rle: ?Rle, box: ?number[], strokes: object[]}}
   */
  foreseen() {
    const active = this.picture?.active;
    let seen = {
      clicks: [...(active?.clicks ?? [])], rle: active?.rle ?? null, box: active?.box ?? null,
      strokes: [],
    };
    const own = [];
    for (const { body: { action } } of this.waitingHere()) {
      if (action.kind === "click") {
        seen.clicks.push(action);
        own.push("clicks");
      } else if (action.kind === "scribble" || action.kind === "brush") {
        seen.strokes.push(action);
        own.push("strokes");
      } else if (action.kind === "box") {
        seen.box = [action.x0, action.y0, action.x1, action.y1];
      } else if (action.kind === "undo" && own.length) {
        seen[own.pop()].pop();
      } else if (action.kind === "finish" || action.kind === "discard") {
        seen = { clicks: [], rle: null, box: null, strokes: [] };
        own.length = 0;
      }
    }
    return seen;
  }

  /** Whether there is an active object to finish or drop. */
  get hasActive() {
    const { clicks, rle, box, strokes } = this.foreseen();
    return rle !== null || clicks.length > 0 || box !== null || strokes.length > 0;
  }
}
