// Small pictures of the list, fetched when their row is seen and forgotten when it is long gone.

const AT_ONCE = 4;
const KEPT = 400;

export class Thumbnails {
  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.api = api;
    /** Addresses of fetched pictures, youngest last. @type {Map<number, string>} */
    this.addresses = new Map();
    /** @type {Map<number, (address: string) => void>} */
    this.wanted = new Map();
    this.running = 0;
  }

  /**
   * @param {number} id
   * @returns {?string} address, if the picture is there
   */
  get(id) {
    const address = this.addresses.get(id);
    if (address) {
      this.addresses.delete(id);
      this.addresses.set(id, address);
    }
    return address ?? null;
  }

  /**
   * What is seen now; anything asked for before and not begun is no longer wanted.
   * @param {Map<number, (address: string) => void>} wanted
   */
  want(wanted) {
    this.wanted = wanted;
    while (this.running < AT_ONCE && this.wanted.size) this.#fetchOne();
  }

  async #fetchOne() {
    const [[id, show]] = this.wanted;
    this.wanted.delete(id);
    this.running += 1;
    try {
      const blob = await this.api.blob(`/api/pictures/${id}/thumbnail`);
      const address = URL.createObjectURL(blob);
      this.addresses.set(id, address);
      show(address);
      const [oldest] = this.addresses;
      if (this.addresses.size > KEPT) {
        URL.revokeObjectURL(oldest[1]);
        this.addresses.delete(oldest[0]);
      }
    } catch {
      // The row shows its empty frame; it is asked for again when it is seen again.
    }
    this.running -= 1;
    if (this.wanted.size) this.#fetchOne();
  }
}
