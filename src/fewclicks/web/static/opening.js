// Opening a picture: its state, its pixels and its lease, and the neighbours' pixels beforehand.

/** Pixels along the longer side that a picture is shown with, until someone zooms in. */
const LONGEST = 2560;
/** The most that the server gives. */
const MOST = 8192;
/** Decoded pictures kept: the shown one, its neighbours, the one before. */
const KEPT = 4;

export class Opening {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {import("./view.js").View} view
   * @param {import("./leases.js").Leases} leases
   * @param {(picture: number) => boolean} mayRelease whether nothing waits for its lease
   */
  constructor(api, model, view, leases, mayRelease) {
    this.api = api;
    this.model = model;
    this.view = view;
    this.leases = leases;
    this.mayRelease = mayRelease;
    /** @type {Map<number, Promise<ImageBitmap>>} */
    this.bitmaps = new Map();
    this.running = new AbortController();
    this.wanted = null;
    this.sharpening = false;
  }

  /**
   * Shows another picture when all of it is there; until then the last one stays.
   * @param {number} id
   * @param {?{scale: number, x: number, y: number}} [seen] view to come back to
   */
  async open(id, seen = null) {
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    this.wanted = id;
    const state = this.api.json("GET", `/api/pictures/${id}`, undefined, { signal });
    const bitmap = this.#bitmap(id);
    // Not awaited: whose the picture is may come after the picture.
    this.leases.show(id, this.mayRelease);
    const [picture, pixels] = await Promise.all([state, bitmap]);
    if (signal.aborted) return;
    this.view.take(picture.width, picture.height);
    this.view.recall(seen);
    this.model.set({
      bitmap: pixels, picture, lastKind: null, selected: null, levels: null, proposal: 0, hover: null,
      cursor: null, draft: null,
    });
    this.prefetch(id);
  }

  /** The state again, after an interruption; view and tool stay. */
  async refresh() {
    const { picture } = this.model;
    if (!picture) return;
    const fresh = await this.api.json("GET", `/api/pictures/${picture.id}`);
    if (this.model.picture?.id === fresh.id) this.model.set({ picture: fresh });
  }

  /** @param {number} id whose next neighbour will probably be wanted soon */
  prefetch(id) {
    const at = this.model.rows.findIndex((row) => row.id === id);
    const next = this.model.rows[at + 1];
    if (next) setTimeout(() => this.wanted === id && this.#bitmap(next.id).catch(() => {}), 300);
  }

  #bitmap(id) {
    const held = this.bitmaps.get(id);
    if (held) {
      // Youngest last: the oldest is thrown away first.
      this.bitmaps.delete(id);
      this.bitmaps.set(id, held);
      return held;
    }
    const loading = this.#load(id, LONGEST);
    this.bitmaps.set(id, loading);
    loading.catch(() => this.bitmaps.delete(id));
    for (const old of [...this.bitmaps.keys()].slice(0, -KEPT)) {
      if (old !== this.model.picture?.id) this.#forget(old);
    }
    return loading;
  }

  #forget(id) {
    const bitmap = this.bitmaps.get(id);
    this.bitmaps.delete(id);
    bitmap?.then((pixels) => pixels !== this.model.bitmap && pixels.close(), () => {});
  }

  async #load(id, longest) {
    const blob = await this.api.blob(`/api/pictures/${id}/image?longest=${longest}`);
    return createImageBitmap(blob);
  }

  /** All pixels of the picture, once the zoom shows that some are missing. */
  async sharpen() {
    const { picture, bitmap } = this.model;
    if (!picture || !bitmap || this.sharpening) return;
    const shown = bitmap.width / picture.width;
    const most = Math.min(1, MOST / Math.max(picture.width, picture.height));
    if (shown >= 0.99 * most || this.view.scale * this.view.density <= 1.2 * shown) return;
    this.sharpening = true;
    try {
      const longest = Math.min(MOST, Math.max(picture.width, picture.height));
      const loading = this.#load(picture.id, longest);
      const pixels = await loading;
      if (this.model.picture?.id !== picture.id) return pixels.close();
      this.bitmaps.set(picture.id, loading);
      this.model.set({ bitmap: pixels });
      bitmap.close();
    } catch {
      // The coarse pixels stay; the next zoom tries again.
    } finally {
      this.sharpening = false;
    }
  }
}
