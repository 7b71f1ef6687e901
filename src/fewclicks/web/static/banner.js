// What must not be missed, over the picture; and passing notes, in the foot.

import { byId, make } from "./dom.js";

/**
 * @typedef {object} Message
 * @property {string} text
 * @property {"problem" | "warning" | "news"} kind
 * @property {{name: string, run: () => void, testid?: string}[]} [actions]
 */

/** The most pressing first: only one is shown. */
const ORDER = ["away", "delayed", "parked", "held", "unkept", "refused", "opening"];
const NOTE_MS = 6000;

export class Banner {
  constructor() {
    /** @type {Map<string, Message>} */
    this.messages = new Map();
    this.timer = null;
  }

  /** @param {string} key of ORDER @param {Message} message */
  show(key, message) {
    this.messages.set(key, message);
    this.#draw();
  }

  /** @param {string} key */
  hide(key) {
    if (this.messages.delete(key)) this.#draw();
  }

  /** A passing note. @param {string} text */
  say(text) {
    byId("note").textContent = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (byId("note").textContent = ""), NOTE_MS);
  }

  #draw() {
    const key = ORDER.find((each) => this.messages.has(each));
    const banner = byId("banner");
    banner.hidden = key === undefined;
    if (!key) {
      byId("banner-text").textContent = "";
      return;
    }
    const { text, kind, actions = [] } = this.messages.get(key);
    banner.dataset.kind = kind;
    banner.dataset.about = key;
    byId("banner-text").textContent = text;
    byId("banner-actions").replaceChildren(...actions.map(({ name, run, testid }) => make("button", {
      class: "soft", text: name, click: run, "data-testid": testid ?? null,
    })));
  }
}
