// The mask under the resting pointer, where the server is fast enough not to be in the way.

const RESTS_MS = 120;
const FAST_MS = 150;

export class Hover {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {import("./view.js").View} view
   */
  constructor(api, model, view) {
    this.api = api;
    this.model = model;
    this.view = view;
    this.timer = null;
    this.asking = null;
    /** Where the last answer came: the mask of that click is there, and needs no preview. */
    this.clickedAt = null;
    model.on(["picture"], () => (this.clickedAt = model.pointer));
    model.on(["pointer", "waiting", "tool", "picture", "hoverWanted", "draft"], () => this.#rest());
  }

  get #isWanted() {
    const { model } = this;
    const speed = model.status?.click_ms ?? Infinity;
    return model.hoverWanted && speed < FAST_MS && model.tool === "click" && model.pointer !== null
      && model.picture !== null && model.connected && !model.isReadOnly && !model.draft
      && model.pointer !== this.clickedAt && model.waiting.length === 0 && !model.isSearching;
  }

  #rest() {
    clearTimeout(this.timer);
    this.asking?.abort();
    if (this.model.hover) this.model.set({ hover: null });
    if (this.#isWanted) this.timer = setTimeout(() => this.#ask(), RESTS_MS);
  }

  async #ask() {
    const { pointer, picture, label } = this.model;
    const pixel = this.#isWanted && this.view.pixelAt(pointer.x, pointer.y);
    if (!pixel) return;
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await this.api.json("POST", `/api/pictures/${picture.id}/hover`, {
        ...pixel, ...(label ? { label } : {}),
      }, { signal });
      if (answer?.rle && !signal.aborted) this.model.set({ hover: answer.rle });
    } catch {
      // A preview that fails is no preview.
    }
  }
}
