// The right to change a picture, which two annotators never hold at once.

/** Asked for again long before the server's 45 s are over. */
const RENEW_MS = 15_000;
const ASK_AGAIN_MS = 10_000;

export class Leases {
  /**
   * @param {import("./api.js").Api} api
   * @param {(picture: number, other: ?string) => void} onHolder called when an answer came;
   *   `other` is who holds the picture if it is not ours
   */
  constructor(api, onHolder) {
    this.api = api;
    this.onHolder = onHolder;
    /** When ours end, by picture. @type {Map<number, number>} */
    this.ours = new Map();
    /** The picture on the screen. @type {?number} */
    this.shown = null;
    this.timer = null;
  }

  /**
   * Takes a picture's lease, if it is free.
   * @param {number} picture
   * @returns {Promise<boolean>} whether it is ours
   */
  async take(picture) {
    const answer = await this.api.json("POST", `/api/pictures/${picture}/lease`);
    if (answer.mine) this.ours.set(picture, performance.now() + answer.seconds * 1000);
    else this.ours.delete(picture);
    this.onHolder(picture, answer.mine ? null : answer.holder);
    return answer.mine;
  }

  /** @param {number} picture */
  async ensure(picture) {
    if ((this.ours.get(picture) ?? 0) > performance.now() + 2000) return true;
    return this.take(picture);
  }

  /** Takes the lease of the picture on the screen and keeps it; the last one is given back. */
  show(picture, mayRelease) {
    const last = this.shown;
    this.shown = picture;
    if (last !== null && last !== picture && mayRelease(last)) this.release(last);
    return this.#renew();
  }

  async #renew() {
    clearTimeout(this.timer);
    const picture = this.shown;
    let mine = false;
    try {
      mine = await this.take(picture);
    } catch {
      // Away: the clock below asks again.
    }
    if (picture !== this.shown) return mine;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#renew(), mine ? RENEW_MS : ASK_AGAIN_MS);
    return mine;
  }

  /** Asks at once, because the server is back or refused an action. */
  again(picture) {
    this.ours.delete(picture);
    return picture === this.shown ? this.#renew() : Promise.resolve(false);
  }

  /** @param {number} picture */
  release(picture) {
    if (!this.ours.delete(picture)) return;
    this.api.json("DELETE", `/api/pictures/${picture}/lease`).catch(() => {});
  }

  /** While the page closes. */
  releaseAll() {
    for (const picture of this.ours.keys()) {
      this.api.farewell("DELETE", `/api/pictures/${picture}/lease`);
    }
  }
}
