// The list of pictures: ten thousand rows, of which only those in sight exist.

import { byId, counted, make, put } from "./dom.js";
import { Thumbnails } from "./thumbnails.js";

/** Height of a row in CSS pixels; style.css has the same number. */
const ROW = 56;
const SPARE = 4;

export class PictureList {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(id: number) => void} open
   */
  constructor(api, model, open) {
    this.model = model;
    this.open = open;
    this.thumbnails = new Thumbnails(api);
    this.holder = byId("picture-list");
    this.inner = byId("picture-rows");
    this.filter = /** @type {HTMLInputElement} */ (byId("filter"));
    this.filterState = /** @type {HTMLSelectElement} */ (byId("filter-state"));
    /** @type {import("./model.js").Row[]} */
    this.shown = [];
    /** Elements in use, by the row's id. @type {Map<number, HTMLElement>} */
    this.elements = new Map();
    this.#listen();
  }

  #listen() {
    this.holder.addEventListener("scroll", () => this.#ask(), { passive: true });
    new ResizeObserver(() => this.#ask()).observe(this.holder);
    this.filter.addEventListener("input", () => this.#sift(true));
    this.filterState.addEventListener("change", () => this.#sift(true));
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.shown.length) this.open(this.shown[0].id);
      if (event.key === "Escape") {
        this.filter.value = "";
        this.#sift(true);
        this.filter.blur();
      }
    });
    this.holder.addEventListener("keydown", (event) => this.#key(event));
    this.model.later(["rows"], () => this.#sift(false));
    this.model.later(["picture"], () => this.#follow());
    this.model.later(["status"], () => this.#draw());
  }

  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const by = steps[event.key];
    if (by === undefined || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.step(by);
  }

  /** Keeps the rows that the filter lets through. */
  #sift(fromTop) {
    const words = this.filter.value.trim().toLowerCase();
    const state = this.filterState.value;
    this.shown = this.model.rows.filter((row) => row.name.toLowerCase().includes(words)
      && (state === "" || (state === "done") === (row.state === "done")));
    this.inner.style.height = `${this.shown.length * ROW}px`;
    if (fromTop) this.holder.scrollTop = 0;
    this.#draw();
  }

  /**
   * Opens another picture of the filtered list.
   * @param {number} by steps; too far goes to the end
   */
  step(by) {
    if (!this.shown.length) return;
    const at = this.shown.findIndex((row) => row.id === this.model.picture?.id);
    const next = at < 0 ? 0 : Math.min(this.shown.length - 1, Math.max(0, at + by));
    if (next !== at) this.open(this.shown[next].id);
  }

  /** Opens the next picture that is not done, going round at the end. */
  stepToDo() {
    const at = this.shown.findIndex((row) => row.id === this.model.picture?.id);
    const order = [...this.shown.slice(at + 1), ...this.shown.slice(0, at + 1)];
    const next = order.find((row) => row.state !== "done" && row.id !== this.model.picture?.id);
    if (next) this.open(next.id);
  }

  #follow() {
    const at = this.shown.findIndex((row) => row.id === this.model.picture?.id);
    if (at >= 0) {
      const top = at * ROW;
      const { scrollTop, clientHeight } = this.holder;
      if (top < scrollTop) this.holder.scrollTop = Math.max(0, top - ROW);
      if (top + ROW > scrollTop + clientHeight) this.holder.scrollTop = top + 2 * ROW - clientHeight;
    }
    this.#draw();
  }

  #ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.#draw();
    });
  }

  #draw() {
    const { scrollTop, clientHeight } = this.holder;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - SPARE);
    const last = Math.min(this.shown.length, Math.ceil((scrollTop + clientHeight) / ROW) + SPARE);
    const seen = new Map();
    const wanted = new Map();
    const fresh = [];
    for (let at = first; at < last; at++) {
      const row = this.shown[at];
      let element = this.elements.get(row.id);
      if (!element) {
        element = this.#make(row);
        fresh.push(element);
      }
      seen.set(row.id, element);
      this.#fill(element, row, at, wanted);
    }
    for (const [id, element] of this.elements) if (!seen.has(id)) element.remove();
    this.inner.append(...fresh);
    this.elements = seen;
    this.thumbnails.want(wanted);
    put(this.holder, "aria-activedescendant", `picture-${this.model.picture?.id ?? ""}`);
    this.#count();
  }

  #make(row) {
    return make("div", {
      class: "picture-row", role: "option", id: `picture-${row.id}`, "data-testid": "picture-row",
      "data-id": row.id, click: () => this.open(row.id),
    }, [
      make("img", { class: "thumbnail", alt: "", draggable: "false" }),
      make("div", { class: "picture-words" }, [
        make("div", { class: "picture-title" }), make("div", { class: "picture-quiet" }),
      ]),
      make("span", { class: "dot" }),
    ]);
  }

  #fill(element, row, at, wanted) {
    const [image, words, dot] = element.children;
    const slash = row.name.lastIndexOf("/");
    const isShown = row.id === this.model.picture?.id;
    element.style.transform = `translateY(${at * ROW}px)`;
    put(element, "aria-selected", isShown);
    put(element, "aria-setsize", this.shown.length);
    put(element, "aria-posinset", at + 1);
    put(element, "aria-label", `${row.name}, ${row.state}, ${objects(row.objects)}`);
    put(element, "data-state", row.state);
    put(element, "title", row.name);
    words.children[0].textContent = row.name.slice(slash + 1);
    words.children[1].textContent = this.#quiet(row, row.name.slice(0, Math.max(0, slash)));
    put(dot, "data-prepared", this.model.status?.prepared?.includes(row.id) ?? false);
    const address = this.thumbnails.get(row.id);
    if (address) put(image, "src", address);
    else wanted.set(row.id, (fetched) => put(image, "src", fetched));
  }

  #quiet(row, folder) {
    if (row.holder && row.holder !== this.model.me) return `${row.holder} is here`;
    if (row.objects) return objects(row.objects);
    return folder || (row.state === "done" ? "done" : "no objects");
  }

  #count() {
    const { rows } = this.model;
    const done = rows.filter((row) => row.state === "done").length;
    const bar = /** @type {HTMLProgressElement} */ (byId("folder-done"));
    bar.max = Math.max(1, rows.length);
    bar.value = done;
    const filtered = this.shown.length !== rows.length ? `${counted(this.shown.length)} shown · ` : "";
    byId("folder-count").textContent = `${filtered}${counted(done)} of ${counted(rows.length)} done`;
  }
}

const objects = (count) => `${count} object${count === 1 ? "" : "s"}`;
