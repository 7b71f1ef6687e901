// What the annotator does to the picture, put on its way; and what the server's answers change.

import { uuid } from "./outbox.js";

/** @typedef {import("./model.js").PictureState} PictureState */

const DRAWN = new Set(["click", "box", "scribble", "brush"]);
const AIMED = new Set([...DRAWN, "level"]);

export class Actions {
  /**
   * @param {import("./model.js").Model} model
   * @param {import("./outbox.js").Outbox} outbox
   * @param {import("./banner.js").Banner} banner
   */
  constructor(model, outbox, banner) {
    this.model = model;
    this.outbox = outbox;
    this.banner = banner;
    /** Asks for a label before an object is finished; set by the labels' panel. */
    this.askForLabel = () => {};
    /** Adds the label that is being written; null if there is none. @type {() => Promise<?string>} */
    this.takeLabel = async () => null;
    let reopened = null;
    model.on(["picture"], () => {
      const { active } = model.picture;
      // An object that is edited again keeps its label, unless another one is chosen meanwhile.
      if (active.reopened !== null && active.reopened !== reopened) model.set({ label: active.label });
      reopened = active.reopened;
    });
  }

  /** @param {?object} action as the server's contract has it; null only says why nothing happens */
  act = (action) => {
    const { picture, otherHolder } = this.model;
    if (!picture) return;
    if (otherHolder) {
      this.banner.say(`${otherHolder} is working on this picture.`);
      return;
    }
    if (!action) return;
    // Who draws is at the active object: digits are its label from now on.
    if (DRAWN.has(action.kind)) this.model.set({ selected: null });
    this.banner.hide("refused");
    // References of the label guide the answer.
    const aim = AIMED.has(action.kind) && this.model.label ? { label: this.model.label } : {};
    this.#send("POST", "actions", { id: uuid(), action: { ...action, ...aim } });
  };

  #send(method, what, body) {
    const { picture } = this.model;
    this.outbox.add({
      picture: picture.id, name: picture.name, method, path: `/api/pictures/${picture.id}/${what}`, body,
    });
  }

  undo = () => this.act({ kind: "undo" });

  redo = () => this.act({ kind: "redo" });

  discard = () => this.model.hasActive && this.act({ kind: "discard" });

  /** Finishes the active object with the label being written, else the chosen one. */
  finish = async () => {
    const { model } = this;
    if (!model.hasActive) return;
    if (model.isReadOnly) {
      this.act(null);
      return;
    }
    const typed = await this.takeLabel();
    if (typed) model.set({ label: typed });
    const label = model.label ?? model.picture.active.label;
    if (label) this.act({ kind: "finish", label });
    else this.askForLabel();
  };

  /** @param {string} label for the selected object, else for the next one */
  chooseLabel = (label) => {
    const { selected, picture } = this.model;
    const object = picture?.objects.find(({ id }) => id === selected);
    if (!object) this.model.set({ label });
    else if (object.label !== label) this.act({ kind: "relabel", object: object.id, label });
  };

  /** @returns {boolean} whether the picture is done now */
  toggleDone = () => {
    const { picture, otherHolder, hasActive } = this.model;
    if (!picture || otherHolder) return false;
    const state = picture.state === "done" ? "open" : "done";
    if (state === "done" && hasActive) this.banner.say("The present object is not finished yet.");
    // Shown at once; the answer says the same.
    this.#put({ ...picture, state });
    this.#send("PUT", "state", { state });
    return state === "done";
  };

  /**
   * Takes over the state that the server answered with.
   * @param {PictureState} state
   */
  took(state) {
    const { picture } = this.model;
    if (picture?.id !== state.id || state.version < picture.version) return this.#putRow(state);
    const gone = !state.objects.some(({ id }) => id === this.model.selected);
    if (gone && this.model.selected !== null) this.model.set({ selected: null });
    return this.#put(state);
  }

  #put(state) {
    this.model.set({ picture: state });
    this.#putRow(state);
  }

  /** The list's row of a picture says the same as its state. */
  #putRow({ id, state, objects }) {
    const { rows } = this.model;
    const at = rows.findIndex((row) => row.id === id);
    if (at < 0 || (rows[at].state === state && rows[at].objects === objects.length)) return;
    const changed = [...rows];
    changed[at] = { ...rows[at], state, objects: objects.length };
    this.model.set({ rows: changed });
  }
}
