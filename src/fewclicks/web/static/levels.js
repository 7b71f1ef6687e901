// The level wheel: how much the newest click means, from a part over the object to a group.

import { byId, counted } from "./dom.js";

/** Levels are asked for when the annotator pauses: they must not delay the next click. */
const PAUSE_MS = 250;
/** After these the newest click's answer is no longer what is seen, and has no levels. */
const CORRECTIONS = new Set(["scribble", "brush", "reopen"]);

export class Levels {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(action: object) => void} act
   */
  constructor(api, model, act) {
    this.api = api;
    this.model = model;
    this.act = act;
    this.timer = null;
    this.slider = /** @type {HTMLInputElement} */ (byId("level-value"));
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    model.on(["picture", "project"], () => this.#expect());
    model.later(["levels", "project", "otherHolder"], () => this.#show());
  }

  get #hasLevels() {
    const { project, picture } = this.model;
    return Boolean(project?.has_levels && picture?.active.clicks.length)
      && !CORRECTIONS.has(this.model.lastKind);
  }

  #expect() {
    clearTimeout(this.timer);
    if (!this.#hasLevels) {
      if (this.model.levels) this.model.set({ levels: null });
      return;
    }
    this.timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    const { model } = this;
    if (!this.#hasLevels || model.waiting.length || !model.connected) return;
    const { id, version } = model.picture;
    try {
      const levels = await this.api.json("GET", `/api/pictures/${id}/levels`);
      if (model.picture?.id !== id || model.picture.version !== version || model.waiting.length) return;
      model.set({ levels });
    } catch {
      model.set({ levels: null });
    }
  }

  /** @param {number} by levels up (towards the group) or down */
  async turn(by) {
    if (!this.model.levels) await this.#ask();
    const { levels } = this.model;
    if (levels) this.choose(levels.chosen + by);
  }

  /** @param {number} index */
  choose(index) {
    const { levels } = this.model;
    if (!levels || index === levels.chosen || !levels.levels[index]) return;
    // At once, so that two quick turns of the wheel are two levels.
    this.model.set({ levels: { ...levels, chosen: index } });
    this.act({ kind: "level", index });
  }

  #show() {
    const { levels, project, isReadOnly } = this.model;
    byId("level").hidden = !project?.has_levels;
    this.slider.disabled = !levels || isReadOnly || levels.levels.length < 2;
    this.slider.max = String(Math.max(1, (levels?.levels.length ?? 2) - 1));
    this.slider.value = String(levels?.chosen ?? 0);
    const area = levels?.levels[levels.chosen]?.area;
    const text = levels
      ? `level ${levels.chosen + 1} of ${levels.levels.length}${area ? `, ${counted(area)} pixels` : ""}`
      : "no click yet";
    this.slider.setAttribute("aria-valuetext", text);
  }
}
