// The foot: what the server is doing, where the pointer is, whether all is saved.

import { byId, counted } from "./dom.js";

const CALM_MS = 2500;
const BUSY_MS = 900;

/** Asks the server how it is; its silence and its return are noticed here too. */
export class Pulse {
  /** @param {import("./api.js").Api} api @param {import("./model.js").Model} model */
  constructor(api, model) {
    this.api = api;
    this.model = model;
    this.timer = null;
    this.asking = false;
    document.addEventListener("visibilitychange", () => document.hidden || this.beat());
  }

  async beat() {
    if (this.asking) return;
    this.asking = true;
    clearTimeout(this.timer);
    try {
      const status = await this.api.json("GET", "/api/status", undefined, { patience: 15_000 });
      this.model.set({ status });
    } catch {
      // The api has noticed it.
    }
    this.asking = false;
    const { status, connected } = this.model;
    const isBusy = !connected || status?.preparing || status?.waiting;
    // A page that nobody looks at asks rarely.
    this.timer = setTimeout(() => this.beat(), document.hidden ? 15_000 : isBusy ? BUSY_MS : CALM_MS);
  }
}

/** @param {import("./model.js").Model} model @param {import("./view.js").View} view */
export function wireFoot(model, view) {
  model.later(["status", "picture", "connected", "waiting"], () => {
    const { status, picture, connected } = model;
    const isReady = !picture || picture.ready || status?.prepared?.includes(picture.id);
    const work = byId("work");
    const isBusy = status?.preparing || status?.waiting || model.waiting.length || !isReady;
    work.dataset.busy = String(connected && Boolean(isBusy));
    work.dataset.away = String(!connected);
    work.textContent = !connected ? "Server away"
      : !isReady ? "Preparing this picture…"
        : status?.preparing ? `Preparing ${status.preparing.split("/").pop()}`
          : status?.waiting ? `${status.waiting} waiting` : "Ready";
    byId("speed").textContent = status?.click_ms ? `${Math.round(status.click_ms)} ms a click` : "";
  });
  model.later(["waiting", "connected"], () => {
    const count = model.waiting.length;
    byId("saved").textContent = !count ? "All saved"
      : `${counted(count)} ${model.connected ? "under way" : "to send"}`;
    byId("saved").dataset.waiting = String(count > 0);
  });
  model.later(["pointer", "cursor", "picture"], () => {
    const at = model.cursor ?? (model.pointer && view.pixelAt(model.pointer.x, model.pointer.y));
    byId("place").textContent = at && model.picture ? `${at.x}, ${at.y}` : "";
  });
}
