// Talking to the server: one door, which knows whether the server is there and who is asking.

/** No answer came: the server is away, or a gateway answered for it. Worth sending again. */
export class Away extends Error {}

/** The server answered, and the answer is no. */
export class Refused extends Error {
  /** @param {number} status @param {string} message one line for people */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether the same request may go through later: the disk is full, the server is too busy. */
  get mayPass() {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

const GATEWAY = new Set([502, 503, 504]);
/** The first click on a large picture that nobody prepared may take long on a small machine. */
const PATIENCE_MS = 120_000;

export class Api {
  /** @param {{onConnection: (connected: boolean) => void}} events */
  constructor({ onConnection }) {
    this.connected = true;
    this.session = null;
    /** Signs in again; set by session.js. @type {() => Promise<void>} */
    this.signIn = async () => {};
    this.onConnection = onConnection;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{signal?: AbortSignal, patience?: number, cache?: RequestCache}} [options]
   * @returns {Promise<any>} null for an answer without content
   */
  async json(method, path, body, options) {
    const response = await this.#ask(method, path, body, options);
    return response.status === 204 ? null : response.json();
  }

  /** @param {string} path @param {{signal?: AbortSignal}} [options] */
  async blob(path, options) {
    return (await this.#ask("GET", path, undefined, { ...options, cache: "default" })).blob();
  }

  /**
   * A file to download with the name that the server gives it.
   * @returns {Promise<{blob: Blob, name: ?string}>}
   */
  async file(path) {
    const response = await this.#ask("GET", path, undefined, { patience: 3_600_000 });
    const disposition = response.headers.get("Content-Disposition") ?? "";
    const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition);
    const plain = /filename="?([^";]+)"?/i.exec(disposition);
    const name = encoded ? decodeURIComponent(encoded[1]) : (plain?.[1] ?? null);
    return { blob: await response.blob(), name };
  }

  /** A last word while the page closes; nobody waits for the answer. */
  farewell(method, path) {
    fetch(path, { method, headers: this.#headers(false), keepalive: true }).catch(() => {});
  }

  async #ask(method, path, body, options, again = true) {
    const response = await this.#send(method, path, body, options);
    if (response.ok) return response;
    if (response.status === 401 && again && path !== "/api/login") {
      await this.signIn();
      return this.#ask(method, path, body, options, false);
    }
    throw new Refused(response.status, await lineOf(response));
  }

  async #send(method, path, body, { signal, patience = PATIENCE_MS, cache = "no-store" } = {}) {
    const limit = AbortSignal.timeout(patience);
    try {
      const response = await fetch(path, {
        method,
        headers: this.#headers(body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        cache,
      });
      if (isGateways(response)) throw new TypeError(`HTTP ${response.status}`);
      this.#seen(true);
      return response;
    } catch (problem) {
      if (signal?.aborted) throw problem;
      this.#seen(false);
      throw new Away(`The server does not answer (${problem.message}).`);
    }
  }

  #headers(hasBody) {
    const headers = {};
    if (this.session) headers.Authorization = `Bearer ${this.session}`;
    if (hasBody) headers["Content-Type"] = "application/json";
    return headers;
  }

  #seen(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.onConnection(connected);
  }
}

/** Whether something between here and the server answered, because the server did not. */
function isGateways(response) {
  const isOurs = response.headers.get("Content-Type")?.startsWith("application/json");
  return GATEWAY.has(response.status) && !isOurs;
}

async function lineOf(response) {
  try {
    const { error } = await response.json();
    if (typeof error === "string") return error;
  } catch {
    // Not JSON: some gateway's own page.
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}
