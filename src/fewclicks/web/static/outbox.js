// Actions on their way to the server: kept in the browser until the server has committed them.

import { Away, Refused } from "./api.js";

/**
 * @typedef {object} Item
 * @property {string} key place in the storage; sorts by age
 * @property {number} picture
 * @property {string} name of the picture, so that another folder on the same address is noticed
 * @property {string} method
 * @property {string} path
 * @property {any} body an action carries its own uuid, so that sending it twice is harmless
 */

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 4000;

/** A random (version 4) UUID; `crypto.randomUUID` is missing where the page is not on https. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}

/**
 * Sends items one after another, in order, again until the server answers.
 *
 * Each item has a key of its own in the storage: two tabs then never overwrite each other's, and
 * an item that both send is committed once, by its uuid.
 */
export class Outbox {
  /**
   * @param {import("./api.js").Api} api
   * @param {object} events
   * @param {(items: Item[]) => void} events.onChange
   * @param {(item: Item, answer: any) => void} events.onAnswer
   * @param {(item: Item, problem: Refused) => void} events.onRefused the item is dropped
   * @param {(item: Item, problem: Error, tries: number) => void} events.onDelay the item is kept
   * @param {(item: Item) => Promise<boolean>} events.mayGo whether the picture is ours
   * @param {() => void} events.onUnkept the browser's storage takes no more
   */
  constructor(api, events) {
    this.api = api;
    this.events = events;
    /** @type {Item[]} */
    this.items = [];
    /** Pictures whose items wait until their lease is ours again. @type {Set<number>} */
    this.parked = new Set();
    this.prefix = "";
    this.last = 0;
    this.running = false;
    this.wake = null;
  }

  /**
   * Takes up what an earlier page left.
   * @param {string} owner project and annotator
   * @param {Map<number, string>} names of the pictures, by id
   */
  open(owner, names) {
    this.prefix = `fewclicks/${owner}/outbox/`;
    const found = [];
    try {
      for (let at = 0; at < localStorage.length; at++) {
        const key = localStorage.key(at);
        if (key.startsWith(this.prefix)) found.push({ ...JSON.parse(localStorage.getItem(key)), key });
      }
    } catch {
      // No storage, or not ours: nothing to take up.
    }
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    this.items = [...found.filter((item) => names.get(item.picture) === item.name), ...this.items];
    this.events.onChange(this.items);
    this.flush();
  }

  /** @param {Omit<Item, "key">} item */
  add(item) {
    this.last = Math.max(this.last + 1, Date.now() * 1000);
    const kept = { ...item, key: `${this.prefix}${String(this.last).padStart(17, "0")}-${uuid().slice(0, 8)}` };
    try {
      localStorage.setItem(kept.key, JSON.stringify(item));
    } catch {
      this.events.onUnkept();
    }
    this.items = [...this.items, kept];
    this.events.onChange(this.items);
    this.flush();
  }

  /** @param {Item} item */
  drop(item) {
    try {
      localStorage.removeItem(item.key);
    } catch {
      // It was never kept.
    }
    this.items = this.items.filter((other) => other.key !== item.key);
    this.events.onChange(this.items);
  }

  /** Drops all that waits for a picture. */
  dropPicture(picture) {
    for (const item of this.items.filter((other) => other.picture === picture)) this.drop(item);
    this.parked.delete(picture);
  }

  /** @param {number} picture whose lease is ours again */
  unpark(picture) {
    this.parked.delete(picture);
    this.flush();
  }

  /** Sends now what can go; also when the server is back before the pause is over. */
  flush() {
    this.wake?.();
    if (!this.running) this.#run();
  }

  #next() {
    return this.items.find((item) => !this.parked.has(item.picture));
  }

  async #run() {
    this.running = true;
    let tries = 0;
    for (let item = this.#next(); item; item = this.#next()) {
      const problem = await this.#send(item);
      if (!problem) {
        tries = 0;
        continue;
      }
      tries += 1;
      this.events.onDelay(item, problem, tries);
      await this.#pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1)));
    }
    this.running = false;
  }

  /** @returns {Promise<?Error>} why the item must be sent again */
  async #send(item) {
    try {
      if (!(await this.events.mayGo(item))) {
        this.parked.add(item.picture);
        return null;
      }
      const answer = await this.api.json(item.method, item.path, item.body);
      this.drop(item);
      this.events.onAnswer(item, answer);
      return null;
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 409) {
        this.parked.add(item.picture);
        this.events.onRefused(item, problem);
        return null;
      }
      if (problem instanceof Refused && !problem.mayPass) {
        this.drop(item);
        this.events.onRefused(item, problem);
        return null;
      }
      if (problem instanceof Refused || problem instanceof Away) return problem;
      // A mistake of this page must not stop the queue: said, and the item is as good as sent.
      console.error(problem);
      this.drop(item);
      return null;
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }
}
