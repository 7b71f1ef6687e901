// Who is here, and what of the last time is still wanted: signing in, and remembered settings.

import { Refused } from "./api.js";

const SESSION = "fewclicks/session";
const TOKEN = "fewclicks/token";
const WHO = "fewclicks/who";
const NAME = "fewclicks/name";
const THEME = "fewclicks/theme";

/** Storage that may be switched off or full: then the page works, and forgets. */
function read(storage, key) {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** Signs in, silently where the server lets it, else with the dialog. */
export class SignIn {
  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.api = api;
    /** Name that others see; known as long as the session is. */
    this.name = read(sessionStorage, WHO) ?? "";
    this.token = this.#tokenOfAddress() ?? read(sessionStorage, TOKEN) ?? "";
    api.session = read(sessionStorage, SESSION);
    this.running = null;
    api.signIn = () => (this.running ??= this.#again().finally(() => (this.running = null)));
  }

  /** The token stands in the fragment, which browsers send to nobody; it leaves the address too. */
  #tokenOfAddress() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token === null) return null;
    history.replaceState(null, "", location.pathname + location.search);
    write(sessionStorage, TOKEN, token);
    write(sessionStorage, SESSION, null);
    return token;
  }

  async #again() {
    this.api.session = null;
    const name = read(localStorage, NAME);
    if (name || !this.token) {
      try {
        return await this.#login(name ?? "annotator", this.token);
      } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        return this.#ask(this.token ? problem.message : "");
      }
    }
    return this.#ask("");
  }

  async #login(name, token) {
    const answer = await this.api.json("POST", "/api/login", { token, name });
    this.api.session = answer.session;
    this.name = answer.annotator.name;
    write(sessionStorage, WHO, this.name);
    this.token = token;
    write(sessionStorage, SESSION, answer.session);
    write(sessionStorage, TOKEN, token);
  }

  /** @param {string} problem shown at once */
  #ask(problem) {
    const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("sign-in"));
    const form = document.getElementById("sign-in-form");
    const name = /** @type {HTMLInputElement} */ (document.getElementById("sign-in-name"));
    const token = /** @type {HTMLInputElement} */ (document.getElementById("sign-in-token"));
    const line = document.getElementById("sign-in-problem");
    name.value = read(localStorage, NAME) ?? "";
    token.value = this.token;
    line.textContent = problem;
    dialog.oncancel = (event) => event.preventDefault();
    if (!dialog.open) dialog.showModal();
    return new Promise((resolve) => {
      form.onsubmit = async (event) => {
        event.preventDefault();
        try {
          await this.#login(name.value.trim(), token.value.trim());
        } catch (failed) {
          line.textContent = failed.message;
          return;
        }
        write(localStorage, NAME, name.value.trim());
        dialog.close();
        resolve();
      };
    });
  }
}

/** Settings of one project, kept in the browser. */
export class Remembered {
  /** @param {string} project tells projects on the same address apart */
  constructor(project) {
    this.key = `fewclicks/${project}/settings`;
    try {
      this.values = JSON.parse(read(localStorage, this.key) ?? "{}") ?? {};
    } catch {
      this.values = {};
    }
  }

  /**
   * @template T
   * @param {string} name
   * @param {T} otherwise
   * @returns {T} what was kept, if it is of the same type
   */
  get(name, otherwise) {
    const value = this.values[name];
    return value !== undefined && (otherwise === null || typeof value === typeof otherwise)
      ? value : otherwise;
  }

  /** @param {Record<string, unknown>} values */
  keep(values) {
    Object.assign(this.values, values);
    write(localStorage, this.key, JSON.stringify(this.values));
  }
}

/** Light, dark, or as the system has it; the button goes round. */
export function wireTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const isDark = (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    button.setAttribute("aria-label", isDark ? "Change to the light theme" : "Change to the dark theme");
    button.title = `${button.getAttribute("aria-label")} (T)`;
    return isDark;
  };
  button.onclick = () => {
    const wanted = show() ? "light" : "dark";
    // What the system wants anyway need not be kept: the page follows it again.
    const isSystems = wanted === (system.matches ? "dark" : "light");
    if (isSystems) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    write(localStorage, THEME, isSystems ? null : wanted);
    show();
  };
  system.onchange = show;
  show();
}
