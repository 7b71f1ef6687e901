// The export menu and the dialog of keys.

import { byId, make } from "./dom.js";

/** Formats to download the finished objects in. */
export class ExportMenu {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(text: string) => void} say
   */
  constructor(api, model, say) {
    this.api = api;
    this.model = model;
    this.say = say;
    this.button = byId("export");
    this.menu = byId("export-menu");
    /** @type {?{name: string, summary: string}[]} */
    this.formats = null;
    this.button.addEventListener("click", () => (this.menu.hidden ? this.#open() : this.#close()));
    this.menu.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("pointerdown", (event) => {
      if (!this.menu.hidden && !this.menu.parentElement.contains(event.target)) this.#close(false);
    });
  }

  async #open() {
    try {
      this.formats ??= await this.api.json("GET", "/api/formats");
    } catch (problem) {
      this.say(problem.message);
      return;
    }
    this.menu.replaceChildren(...this.formats.map(({ name, summary }) => make("button", {
      role: "menuitem", tabindex: "-1", "data-testid": `export-${name}`,
      click: () => this.#download(name),
    }, [make("b", { text: name }), make("span", { text: summary })])));
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    /** @type {?HTMLElement} */ (this.menu.firstElementChild)?.focus();
  }

  #close(focus = true) {
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (focus) this.button.focus();
  }

  #key(event) {
    const items = /** @type {HTMLElement[]} */ ([...this.menu.children]);
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % items.length, ArrowUp: (at + items.length - 1) % items.length,
      Home: 0, End: items.length - 1,
    }[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.#close(event.key === "Escape");
    if (to === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    items[to]?.focus();
  }

  async #download(format) {
    this.#close();
    if (this.model.waiting.length) this.say("Actions still wait for the server; they are not exported.");
    else this.say(`Exporting ${format}…`);
    try {
      const { blob, name } = await this.api.file(`/api/export?format=${encodeURIComponent(format)}`);
      const address = URL.createObjectURL(blob);
      const link = make("a", {
        href: address, download: name ?? `${this.model.project.name}-${format}.zip`,
      });
      link.click();
      // The download has its own hold on the file by then.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      this.say(`Exported ${format}.`);
    } catch (problem) {
      this.say(problem.message);
    }
  }
}

/** The dialog on `?`. The browser itself keeps the focus inside a modal dialog. */
export class Help {
  /** @param {{group: string, keys: [string, string][]}[]} groups keys and what they do */
  constructor(groups) {
    this.dialog = /** @type {HTMLDialogElement} */ (byId("help-dialog"));
    byId("help-columns").replaceChildren(...groups.map(({ group, keys }) => make("section", {}, [
      make("h3", { text: group }),
      make("dl", {}, keys.flatMap(([names, words]) => [
        make("dt", {}, names.split(" ").map((name) => make("kbd", { text: name }))),
        make("dd", { text: words }),
      ])),
    ])));
    byId("help").addEventListener("click", () => this.toggle());
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      // Only the backdrop belongs to the dialog itself.
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}
