// The finished objects of the picture, the uppermost first: select, edit again, delete, reorder.

import { byId, counted, icon, make, swatch } from "./dom.js";

export class Objects {
  /**
   * @param {import("./model.js").Model} model
   * @param {(action: object) => void} act
   * @param {(object: number) => number} areaOf what is drawn of it, in pixels
   */
  constructor(model, act, areaOf) {
    this.areaOf = areaOf;
    this.model = model;
    this.act = act;
    this.holder = byId("objects");
    model.later(["picture", "selected", "project", "otherHolder"], () => this.#draw());
  }

  /** @param {?number} object */
  select(object) {
    this.model.set({ selected: this.model.selected === object ? null : object });
  }

  /** Selects the next object of the list, from above. */
  selectNext() {
    const ids = this.#upperFirst().map(({ id }) => id);
    if (!ids.length) return;
    const at = ids.indexOf(this.model.selected ?? -1);
    this.model.set({ selected: at + 1 < ids.length ? ids[at + 1] : ids[0] });
  }

  reopen(object) {
    this.act({ kind: "reopen", object });
    this.model.set({ selected: null });
  }

  remove(object) {
    this.act({ kind: "delete", object });
    this.model.set({ selected: null });
  }

  /** @param {number} object @param {1 | -1} by up is 1 */
  move(object, by) {
    const order = this.model.picture.objects.map(({ id }) => id);
    const at = order.indexOf(object);
    const to = at + by;
    if (at < 0 || to < 0 || to >= order.length) return;
    [order[at], order[to]] = [order[to], order[at]];
    this.act({ kind: "order", objects: order });
  }

  #upperFirst() {
    return [...(this.model.picture?.objects ?? [])].reverse();
  }

  #draw() {
    const objects = this.#upperFirst();
    byId("object-count").textContent = objects.length ? String(objects.length) : "";
    const focused = document.activeElement?.closest?.("[data-object]");
    const key = focused && this.holder.contains(focused)
      ? [focused.getAttribute("data-object"), document.activeElement.getAttribute("data-do")] : null;
    const numbers = new Map();
    for (const { label, id } of this.model.picture?.objects ?? []) {
      const before = numbers.get(label) ?? [];
      numbers.set(label, [...before, id]);
    }
    this.holder.replaceChildren(...objects.map((object, at) => {
      const alike = numbers.get(object.label);
      const number = alike.length > 1 ? alike.indexOf(object.id) + 1 : null;
      return this.#row(object, number, at === 0, at === objects.length - 1);
    }));
    if (!objects.length) {
      this.holder.append(make("li", { class: "hint", text: "Finished objects stand here." }));
    }
    if (key) {
      const same = this.holder.querySelector(`[data-object="${key[0]}"] [data-do="${key[1]}"]`);
      /** @type {?HTMLElement} */ (same)?.focus();
    }
  }

  #row(object, number, isUpper, isLowest) {
    const { selected, isReadOnly, picture } = this.model;
    const isReopened = picture.active.reopened === object.id;
    const name = number ? `${object.label} ${number}` : object.label;
    const button = (what, words, sign, disabled, run) => make("button", {
      class: "icon small", "data-do": what, "data-testid": `object-${what}`, click: run,
      "aria-label": `${words} ${name}`, title: words, disabled: disabled || isReadOnly,
    }, [icon(sign)]);
    return make("li", {
      class: object.id === selected ? "object-row selected" : "object-row", "data-object": object.id,
      "data-testid": "object-row", "data-id": object.id,
    }, [
      make("button", {
        class: "object-name", "data-do": "select", "aria-pressed": object.id === selected,
        "data-testid": "object-select", title: "Select", click: () => this.select(object.id),
      }, [
        swatch(this.model.colourOf(object.label)),
        make("span", { class: "object-label", text: name }),
        make("span", { class: "quiet", text: isReopened ? "being edited" : counted(this.areaOf(object.id)) }),
      ]),
      make("span", { class: "object-buttons" }, [
        button("up", "Move up", "up", isUpper, () => this.move(object.id, 1)),
        button("down", "Move down", "down", isLowest, () => this.move(object.id, -1)),
        button("reopen", "Edit again", "edit", isReopened, () => this.reopen(object.id)),
        button("delete", "Delete", "delete", false, () => this.remove(object.id)),
      ]),
    ]);
  }
}
