// A client for the activations API, for browsers and Node 20+. No dependencies, no build step.
//
//   const client = new Activations({ baseUrl, token: ({ refresh }) => user.getIdToken(refresh) });
//   const activation = await client.submit({ mood: 2, goal: "komma igång" });
//   const { step } = await client.waitUntilDone(activation);
//
// What the server refuses, or the network loses, is a ProblemError: its `detail` can be shown to
// the user. An abort rejects with the signal's own reason.

/**
 * @import { Abortable, Activation, ActivationPage, ActivationResponse } from "./activations.d.ts"
 * @import { Options, Persistent, Problem, Which, Wish } from "./activations.d.ts"
 */

const POLL_SECONDS = 25; // the server allows 30, where some proxies cut the connection
const USUAL_PAUSE_SECONDS = 1; // between polls, where no Retry-After reaches us
const LONGEST_BACKOFF_SECONDS = 5; // while somebody looks
const LONGEST_HIDDEN_BACKOFF_SECONDS = 30; // in a tab that nobody looks at
const LONGEST_SPINNER_SECONDS = 30;
const SUBMIT_ATTEMPTS = 5;
const LONGEST_TIMER_MS = 2 ** 31 - 1; // a longer one would fire at once
const PASSING = [0, 502, 503, 504]; // 0: no answer at all
const CANT_REACH = "The service can't be reached. Please check your connection and try again.";
const WENT_WRONG = "Something went wrong. Please try again in a moment.";

/** An RFC 9457 problem; `status` is 0 when no answer came at all. */
export class ProblemError extends Error {
  /** @param {number} status @param {Partial<Problem>} [problem] the answer's body, if it is one
   *  @param {{ retryAfter?: number | null, cause?: unknown }} [more] */
  constructor(status, problem = {}, { retryAfter = null, cause } = {}) {
    const { detail, errors, type = "about:blank", title = "" } = problem;
    super((typeof detail === "string" && detail) || WENT_WRONG, { cause });
    this.name = "ProblemError";
    this.status = status;
    this.detail = this.message;
    this.errors = Array.isArray(errors) ? errors : []; // of { pointer, detail }
    this.retryAfter = retryAfter;
    this.type = String(type);
    this.title = String(title);
  }
}

/** The key of one submit. Make it yourself to repeat a failed submit without doing it twice. */
export function newIdempotencyKey() {
  // Not crypto.randomUUID, which insecure origins don't have.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Activations {
  #given;
  /** @type {WeakMap<Activation, string>} the ETag that each one came with */
  #etags = new WeakMap();

  /** A page of the API's own origin needs no `baseUrl`. `token` is asked anew for each request, and
   *  with `refresh` when the server refused the one it gave. `timeout` is in seconds, beyond those
   *  that the server was asked to wait. `sleep`, `random` and `now` are for tests.
   *  @param {Options} [options] */
  constructor({ baseUrl = "", token = null, fetch = globalThis.fetch, timeout = 10,
    sleep = sleepFor, random = Math.random, now = () => performance.now() / 1000 } = {}) {
    this.#given = { base: baseUrl.replace(/\/+$/, ""), token, fetch, timeout, sleep, random, now };
  }

  /** However often it has to be sent, it is done once. `wait` asks the server for the result within
   *  so many seconds (30 at most). @param {Wish} wish
   *  @param {Persistent & { idempotencyKey?: string, wait?: number }} [options]
   *  @returns {Promise<Activation>} */
  async submit(wish, options = {}) {
    const { signal, wait, idempotencyKey = newIdempotencyKey() } = options;
    const body = JSON.stringify(wish);
    const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey };
    const send = () => this.#ask("POST", "/activations", { signal, wait, headers, body });
    return (await this.#persist(send, options, isWorthASpinner)).body;
  }

  /** Resolves when it is completed or cancelled, and outlives any loss of connection until then.
   *  `onChange` gets each new representation, the last one included. @param {Which} which
   *  @param {Persistent & { onChange?: (activation: Activation) => void }} [options]
   *  @returns {Promise<Activation>} */
  async waitUntilDone(which, options = {}) {
    const { signal, onChange = () => {} } = options;
    let latest = typeof which === "string" ? null : which;
    while (!latest?.done) {
      const poll = (attempt) => this.#poll(which, latest, attempt, signal);
      const answer = await this.#persist(poll, options);
      if (answer.status !== 304) onChange((latest = answer.body));
      // A poll that the server held has paused already; it answers at once when it is busy.
      const pause = (answer.retryAfter ?? USUAL_PAUSE_SECONDS) - answer.took;
      if (!latest?.done && pause > 0) await this.#given.sleep(pause, signal);
    }
    return latest;
  }

  /** @param {Which} which @param {Abortable} [options] @returns {Promise<Activation>} */
  async get(which, options) {
    return (await this.#ask("GET", pathOf(which), options)).body;
  }

  /** Newest first; give each page's `next_cursor` to the next call, until it is null.
   *  @param {Abortable & { limit?: number, cursor?: string | null }} [options]
   *  @returns {Promise<ActivationPage>} */
  async list({ limit, cursor, signal } = {}) {
    const query = new URLSearchParams();
    if (limit) query.set("limit", String(limit));
    if (cursor) query.set("cursor", cursor);
    return (await this.#ask("GET", `/activations?${query}`, { signal })).body;
  }

  /** The latest completed one, as a flat answer; null where there is none.
   *  @param {Abortable} [options] @returns {Promise<ActivationResponse | null>} */
  async latest(options) {
    const answer = await this.#ask("GET", "/user/activation", options, [404]);
    return answer.status === 404 ? null : answer.body;
  }

  /** @param {Which} which @param {Abortable} [options] @returns {Promise<Activation>} */
  async cancel(which, options) {
    return (await this.#ask("POST", `${pathOf(which)}/cancel`, options)).body;
  }

  /** @param {Which} which @param {Abortable} [options] @returns {Promise<void>} */
  async erase(which, options) {
    await this.#ask("DELETE", pathOf(which), options);
  }

  /** @param {Abortable} [options] @returns {Promise<void>} */
  async eraseAll(options) {
    await this.#ask("DELETE", "/activations", options);
  }

  #poll(which, latest, attempt, signal) {
    const etag = latest ? this.#etags.get(latest) : undefined;
    const headers = etag ? { "If-None-Match": etag } : undefined;
    // Without an ETag the server would hold the poll until all is done; and after a failure we want
    // to know at once that the connection is back.
    const wait = etag && attempt === 1 ? POLL_SECONDS : 0;
    return this.#ask("GET", pathOf(which), { signal, wait, headers });
  }

  /** Asks again after what may pass by itself. @param {(attempt: number) => Promise<any>} ask
   *  @param {Persistent} options @param {(error: any, attempt: number) => boolean} [isWorthIt] */
  async #persist(ask, { signal, onConnection }, isWorthIt = (_error, _attempt) => true) {
    const { random, sleep } = this.#given;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await ask(attempt);
        if (attempt > 1) onConnection?.("back");
        return answer;
      } catch (error) {
        if (!isPassing(error) || !isWorthIt(error, attempt)) throw error;
        if (attempt === 1) onConnection?.("lost");
        // Full jitter, lest clients that lost the server together come back together.
        const backoff = random() * Math.min(longestBackoff(), 2 ** (attempt - 1));
        await sleep((error.retryAfter ?? 0) + backoff, signal);
      }
    }
  }

  async #ask(method, path, options = {}, welcome = [304]) {
    let answer = await this.#send(method, path, options, false);
    const { token } = this.#given;
    if (answer.status === 401 && token) answer = await this.#send(method, path, options, true);
    const { status, etag, retryAfter, body } = answer;
    const isGood = (status >= 200 && status < 300 && body) || welcome.includes(status);
    if (!isGood) throw new ProblemError(status, body, { retryAfter });
    if (etag && body) this.#etags.set(body, etag);
    return answer;
  }

  /** @param {string} method @param {string} path @param {Abortable & { wait?: number,
   *    headers?: Record<string, string>, body?: string }} options @param {boolean} refresh */
  async #send(method, path, { signal, wait = 0, headers = {}, body = undefined }, refresh) {
    const { base, token, timeout, fetch, now } = this.#given;
    // No timeout here: a refresh may have to ask the user to sign in again.
    const bearer = token && (await within(Infinity, signal, () => token({ refresh })));
    // Made out here, because an impossible URL is not a lost connection, and is no use repeating.
    const request = new Request(base + path, { method, headers, body });
    if (wait) request.headers.set("Prefer", `wait=${wait}`);
    if (bearer) request.headers.set("Authorization", `Bearer ${bearer}`);
    const askedAt = now();
    try {
      const answer = await within(timeout + wait, signal, async (limit) =>
        answerOf(await fetch(request, { signal: limit })));
      return { ...answer, took: now() - askedAt };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ProblemError(0, { detail: CANT_REACH }, { cause });
    }
  }
}

function pathOf(which) {
  const id = typeof which === "string" ? which : which?.activation_id;
  // An empty id or ".." would name all of them, and erase them.
  if (!/^[\w-]+$/.test(id ?? "")) throw new TypeError(`not the id of an activation: ${id}`);
  return `/activations/${id}`;
}

function isPassing(error) {
  if (error instanceof ProblemError) return PASSING.includes(error.status);
  // Firebase's getIdToken needs the network too, once an hour.
  return error?.code === "auth/network-request-failed";
}

function isWorthASpinner(error, attempt) {
  return attempt < SUBMIT_ATTEMPTS && (error.retryAfter ?? 0) <= LONGEST_SPINNER_SECONDS;
}

function longestBackoff() {
  return globalThis.document?.hidden ? LONGEST_HIDDEN_BACKOFF_SECONDS : LONGEST_BACKOFF_SECONDS;
}

/** @param {Response} response */
async function answerOf(response) {
  const { status, headers } = response;
  const seconds = headers.get("Retry-After") ?? "";
  const retryAfter = /^\d+$/.test(seconds) ? Number(seconds) : null;
  const notJson = (error) => {
    if (error.name !== "SyntaxError") throw error; // the connection was lost half-way
  };
  const body = status === 204 ? {} : await response.json().then(Object, notJson);
  return { status, etag: headers.get("ETag"), retryAfter, body };
}

/** AbortSignal.any and .timeout, for browsers without; and it leaves no timer or listener behind.
 *  @template T @param {number} seconds @param {AbortSignal | undefined} signal
 *  @param {(limit: AbortSignal) => T | Promise<T>} work @returns {Promise<T>} */
async function within(seconds, signal, work) {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const stop = () => limit.abort(signal?.reason);
  const expire = () => limit.abort(new DOMException("The time is up.", "TimeoutError"));
  const timer = setTimeout(expire, Math.min(seconds * 1000, LONGEST_TIMER_MS));
  signal?.addEventListener("abort", stop);
  try {
    return await new Promise((resolve, reject) => {
      limit.signal.addEventListener("abort", () => reject(limit.signal.reason));
      Promise.resolve(work(limit.signal)).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    limit.abort(); // the listeners of a pause that ended early
  }
}

/** Ends early when the browser finds its connection again, or somebody looks at the page again.
 *  @param {number} seconds @param {AbortSignal} [signal] */
function sleepFor(seconds, signal) {
  return within(seconds, signal, awake).catch(() => signal?.throwIfAborted());
}

/** Elsewhere than in a browser it never resolves. @param {AbortSignal} signal */
function awake(signal) {
  const { document } = globalThis;
  return new Promise((resolve) => {
    globalThis.addEventListener?.("online", resolve, { signal });
    const looked = () => document.hidden || resolve(undefined);
    document?.addEventListener("visibilitychange", looked, { signal });
  });
}
