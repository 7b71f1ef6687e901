// "Find the others": what is proposed as of an object's kind, each accepted, corrected or refused.

import { byId } from "./dom.js";
import { Mask } from "./rle.js";

/** Kinds that take a proposal away. */
const JUDGEMENTS = new Set(["accept", "refuse"]);

export class Proposals {
  /**
   * @param {import("./model.js").Model} model
   * @param {(action: object) => void} act
   * @param {(text: string) => void} say
   */
  constructor(model, act, say) {
    this.model = model;
    this.act = act;
    this.say = say;
    /** Counts of proposals whose judgement the server has not answered yet. @type {Set<string>} */
    this.judged = new Set();
    this.answered = null;
    byId("others").addEventListener("click", () => this.find());
    byId("proposal-accept").addEventListener("click", () => this.judge(this.model.proposal, true));
    byId("proposal-refuse").addEventListener("click", () => this.judge(this.model.proposal, false));
    byId("proposal-all").addEventListener("click", () => this.acceptAll());
    byId("proposal-close").addEventListener("click", () => this.close());
    model.on(["picture", "waiting"], () => this.#sift());
    model.later(["proposals", "proposal", "picture", "selected", "waiting", "otherHolder"], () => this.#draw());
  }

  /** The object whose others are wanted: the selected one, else the newest. */
  get #example() {
    const { picture, selected } = this.model;
    return picture?.objects.find(({ id }) => id === selected)
      ?? picture?.objects.reduce((newest, each) => (newest && newest.id > each.id ? newest : each), null);
  }

  get #isAsking() {
    return this.model.waitingHere().some(({ body }) => body.action.kind === "others");
  }

  find() {
    const example = this.#example;
    if (!example || this.#isAsking || this.model.isReadOnly) return;
    if (this.model.hasActive) {
      this.say("Finish or discard the present object first.");
      return;
    }
    this.model.set({ selected: null });
    this.act({ kind: "others", object: example.id });
    this.say(`Looking for others like ${example.label}…`);
  }

  /** Judged ones are gone at once, whenever the server's answer comes. */
  #sift() {
    const { model } = this;
    const active = model.picture?.active;
    if (!model.waitingHere().some(({ body }) => JUDGEMENTS.has(body.action.kind))) this.judged.clear();
    const left = (active?.proposals ?? []).filter(({ counts }) => !this.judged.has(counts));
    const isSame = left.length === model.proposals.length
      && left.every(({ counts }, at) => counts === model.proposals[at].counts);
    if (!isSame) {
      model.set({ proposals: left, proposal: Math.min(model.proposal, Math.max(0, left.length - 1)) });
    }
    if (this.answered === model.picture) return;
    this.answered = model.picture;
    if (model.lastKind !== "others" || !model.isSearching) return;
    this.say(left.length ? `${left.length} found.`
      : `No other ${model.exemplar?.label} found; click on one, or press Escape.`);
  }

  /** @param {number} index @param {boolean} accept */
  judge(index, accept) {
    const rle = this.model.proposals[index];
    if (!rle || this.model.isReadOnly) return;
    this.judged.add(rle.counts);
    this.act({ kind: accept ? "accept" : "refuse", ...new Mask(rle).firstPixel() });
    this.#sift();
  }

  acceptAll() {
    while (this.model.proposals.length && !this.model.isReadOnly) this.judge(0, true);
    this.close();
  }

  /** The next one is the one that keys judge. */
  step() {
    const { proposals, proposal } = this.model;
    if (proposals.length) this.model.set({ proposal: (proposal + 1) % proposals.length });
  }

  /** Ends the search; what is left is let go. */
  close() {
    if (this.model.isSearching) this.act({ kind: "discard" });
  }

  #draw() {
    const { proposals, proposal, isReadOnly, isSearching } = this.model;
    const others = /** @type {HTMLButtonElement} */ (byId("others"));
    others.disabled = isReadOnly || this.#isAsking || !this.#example || isSearching;
    others.setAttribute("aria-busy", String(this.#isAsking));
    byId("proposals").hidden = !isSearching || isReadOnly;
    byId("proposals-text").textContent = proposals.length ? `${proposal + 1} of ${proposals.length}` : "None left";
    for (const name of ["accept", "refuse", "all"]) {
      /** @type {HTMLButtonElement} */ (byId(`proposal-${name}`)).disabled = proposals.length === 0;
    }
  }
}
