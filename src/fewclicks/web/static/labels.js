// Labels: their colours and digits, which one the next object gets, and new ones.

import { byId, make, put } from "./dom.js";

export class Labels {
  /**
   * @param {import("./model.js").Model} model
   * @param {object} doing
   * @param {(label: string) => void} doing.choose for the selected object, else for the next one
   * @param {(name: string) => Promise<boolean>} doing.add
   * @param {(label: import("./model.js").Label, colour: string) => void} doing.recolour
   * @param {(after: string) => void} doing.finish the active object, which waited for a label
   */
  constructor(model, doing) {
    this.model = model;
    this.doing = doing;
    this.holder = byId("labels");
    this.input = /** @type {HTMLInputElement} */ (byId("label-input"));
    /** Whether Enter in the field also finishes the object, because finishing led here. */
    this.finishes = false;
    byId("label-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.input.addEventListener("blur", () => (this.finishes = false));
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.input.value = "";
      byId("above").focus();
    });
    model.later(["project", "label", "selected", "picture", "waiting", "otherHolder"], () => this.#draw());
  }

  /** What stands in the field, not added yet. */
  get typed() {
    return this.input.value.trim();
  }

  /** Asks for the active object's name, and finishes it with that. */
  askToFinish() {
    this.finishes = true;
    this.input.focus();
  }

  /** @returns {Promise<?string>} the label that stood in the field, now added; null if none */
  async take() {
    const name = this.typed;
    if (!name || !(await this.doing.add(name))) return null;
    this.input.value = "";
    return name;
  }

  async #submit() {
    const { finishes } = this;
    const name = await this.take();
    if (!name) return;
    this.finishes = false;
    byId("above").focus();
    if (finishes) this.doing.finish(name);
    else this.doing.choose(name);
  }

  /** @param {number} digit from 1 */
  chooseDigit(digit) {
    const label = this.model.project?.labels[digit - 1];
    if (label) this.doing.choose(label.name);
  }

  #draw() {
    const { project, selected, picture, label } = this.model;
    const object = picture?.objects.find(({ id }) => id === selected);
    const chosen = object ? object.label : label;
    byId("labels-title").textContent = object
      ? "Label of the selected object"
      : this.model.hasActive ? "Label of this object" : "Label of the next object";
    const labels = project?.labels ?? [];
    const focused = this.holder.contains(document.activeElement)
      ? document.activeElement.closest("[data-label]")?.getAttribute("data-label") : null;
    this.holder.replaceChildren(...labels.map((each, at) => this.#chip(each, at, each.name === chosen)));
    for (const chip of this.holder.children) {
      if (focused !== null && chip.getAttribute("data-label") === focused) {
        /** @type {HTMLElement} */ (chip.querySelector(".chip-name")).focus();
      }
    }
    put(this.input, "placeholder", labels.length ? "New label" : "Name of the first label");
  }

  #chip(label, at, isChosen) {
    const colour = /** @type {HTMLInputElement} */ (make("input", {
      type: "color", class: "swatch", value: label.colour,
      "aria-label": `Colour of ${label.name}`, title: "Change the colour",
      change: (event) => this.doing.recolour(label, event.target.value),
    }));
    const name = make("button", {
      type: "button", class: "chip-name", "aria-pressed": isChosen, title: label.name,
      "data-testid": "label", click: () => this.doing.choose(label.name),
    }, [make("span", { text: label.name })]);
    if (at < 9) name.append(make("kbd", { text: at + 1 }));
    return make("div", { class: isChosen ? "chip chosen" : "chip", "data-label": label.name }, [colour, name]);
  }
}

