// "Find the others": masks of the same kind, each accepted or refused.

import { byId } from "./dom.js";

export class Proposals {
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
    this.searching = false;
    byId("others").addEventListener("click", () => this.find());
    byId("proposal-accept").addEventListener("click", () => this.judge(this.model.proposal, true));
    byId("proposal-refuse").addEventListener("click", () => this.judge(this.model.proposal, false));
    byId("proposal-all").addEventListener("click", () => this.acceptAll());
    byId("proposal-close").addEventListener("click", () => this.close());
    model.later(["proposals", "proposal", "picture", "selected", "otherHolder"], () => this.#draw());
  }

  /** The object whose others are wanted: the selected one, else the newest. */
  get #example() {
    const { picture, selected } = this.model;
    return picture?.objects.find(({ id }) => id === selected)
      ?? picture?.objects.reduce((newest, each) => (newest && newest.id > each.id ? newest : each), null);
  }

  async find() {
    const example = this.#example;
    const { picture } = this.model;
    if (!example || this.searching || this.model.isReadOnly) return;
    this.searching = true;
    this.#draw();
    this.say(`Looking for others like ${example.label}…`);
    try {
      const path = `/api/pictures/${picture.id}/proposals`;
      const { proposals } = await this.api.json("POST", path, { object: example.id });
      if (this.model.picture?.id !== picture.id) return;
      this.model.set({ proposalLabel: example.label, proposal: 0, proposals });
      this.say(proposals.length ? `${proposals.length} found.` : `No other ${example.label} found.`);
    } catch (problem) {
      this.say(problem.message);
    } finally {
      this.searching = false;
      this.#draw();
    }
  }

  /** @param {number} index @param {boolean} accept */
  judge(index, accept) {
    const { proposals, proposal, proposalLabel } = this.model;
    const rle = proposals[index];
    if (!rle) return;
    if (accept) this.act({ kind: "add", label: proposalLabel, rle });
    const left = proposals.filter((_, at) => at !== index);
    const next = proposal > index ? proposal - 1 : Math.min(proposal, left.length - 1);
    this.model.set({ proposal: Math.max(0, next), proposals: left });
  }

  acceptAll() {
    const { proposals, proposalLabel } = this.model;
    for (const rle of proposals) this.act({ kind: "add", label: proposalLabel, rle });
    this.close();
  }

  close() {
    this.model.set({ proposal: 0, proposals: [] });
  }

  #draw() {
    const { proposals, proposal, isReadOnly } = this.model;
    const others = /** @type {HTMLButtonElement} */ (byId("others"));
    others.disabled = isReadOnly || this.searching || !this.#example;
    others.setAttribute("aria-busy", String(this.searching));
    byId("proposals").hidden = proposals.length === 0;
    byId("proposals-text").textContent = `${proposal + 1} of ${proposals.length}`;
  }
}
