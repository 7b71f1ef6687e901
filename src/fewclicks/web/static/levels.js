// The level wheel: how much the newest click means, from a part over the object to a group.

import { byId, counted } from "./dom.js";

/** After these the newest click's answer is no longer what is seen, and has no levels. */
const CORRECTIONS = new Set(["scribble", "brush", "reopen"]);

export class Levels {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(action: object) => void} act
   * @param {(text: string) => void} say
   */
  constructor(api, model, act, say) {
    this.api = api;
    this.model = model;
    this.act = act;
    this.say = say;
    /** @type {?Promise<void>} */
    this.asking = null;
    this.slider = /** @type {HTMLInputElement} */ (byId("level-value"));
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    // Levels cost the server more than a click, so they are asked for when somebody reaches for
    // them: a next click must not wait behind them.
    for (const reach of ["pointerenter", "focus"]) {
      this.slider.addEventListener(reach, () => this.#ask(false));
    }
    model.on(["picture"], () => this.#forget());
    model.later(["picture", "levels", "project", "otherHolder"], () => this.#show());
  }

  get #hasLevels() {
    const { project, picture, lastKind, isReadOnly } = this.model;
    return Boolean(project?.has_levels && picture?.active.clicks.length)
      && !CORRECTIONS.has(lastKind) && !isReadOnly;
  }

  /** Another answer has other levels, unless it is one of these. */
  #forget() {
    if (this.model.levels && this.model.lastKind !== "level") this.model.set({ levels: null });
  }

  /** @param {boolean} aloud whether the annotator hears why there are none */
  #ask(aloud) {
    const { model } = this;
    if (model.levels || !this.#hasLevels || model.waiting.length || !model.connected) return null;
    this.asking ??= this.#fetch(aloud).finally(() => (this.asking = null));
    return this.asking;
  }

  async #fetch(aloud) {
    const { model } = this;
    const { id, version } = model.picture;
    try {
      const levels = await this.api.json("GET", `/api/pictures/${id}/levels`);
      const isSame = model.picture?.id === id && model.picture.version === version;
      if (isSame && !model.waiting.length) model.set({ levels });
    } catch (problem) {
      if (aloud) this.say(problem.message);
    }
  }

  /** @param {number} by levels up (towards the group) or down */
  async turn(by) {
    await this.#ask(true);
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
    const { levels, project } = this.model;
    byId("level").hidden = !project?.has_levels;
    this.slider.disabled = !this.#hasLevels;
    // Before levels are known, the thumb stands in the middle and says nothing.
    this.slider.max = String(levels ? Math.max(1, levels.levels.length - 1) : 2);
    this.slider.value = String(levels?.chosen ?? 1);
    const area = levels?.levels[levels.chosen]?.area;
    const text = levels
      ? `level ${levels.chosen + 1} of ${levels.levels.length}${area ? `, ${counted(area)} pixels` : ""}`
      : "not known yet";
    this.slider.setAttribute("aria-valuetext", text);
  }
}
