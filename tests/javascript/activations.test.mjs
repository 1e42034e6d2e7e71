import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, test } from "node:test";

import { Activations, ProblemError, newIdempotencyKey } from "../../ingress/page/client/activations.js";
import { DROP, HALF, HANG, html, json, nothing, problem, serve } from "./server.mjs";

const WISH = { mood: 2, goal: "komma igång" };
const QUEUED = { activation_id: "a1", status: "queued", done: false, step: null };
const PROCESSING = { ...QUEUED, status: "processing", attempt: 1 };
const COMPLETED = { ...QUEUED, status: "completed", done: true, step: { title: "Ett steg" } };

const queued = json(202, QUEUED, { ETag: '"1"', "Retry-After": "1", Location: "/activations/a1" });
const processing = json(200, PROCESSING, { ETag: '"2"', "Retry-After": "1" });
const completed = json(200, COMPLETED, { ETag: '"3"' });
const unchanged = nothing(304, { "Retry-After": "1" });

const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(error));
after(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(unhandled, [], "no rejection is left unhandled");
});

/** A client whose sleeps are noted instead of slept, and whose clock stands still. */
async function started(t, script, options = {}) {
  const server = await serve(t, script);
  const slept = [];
  const sleep = async (seconds) => void slept.push(seconds);
  const client = new Activations({
    baseUrl: server.baseUrl, sleep, random: () => 0.5, now: () => 0, ...options,
  });
  return { ...server, client, slept };
}

/** What a browser has and Node has not: `online` comes to the window, being seen to the document. */
function aPage(t, { hidden }) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { hidden });
  const become = (state) => {
    document.hidden = state;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  globalThis.document = document;
  globalThis.addEventListener = window.addEventListener.bind(window);
  t.after(() => {
    delete globalThis.document;
    delete globalThis.addEventListener;
  });
  return { window, document, look: () => become(false), hide: () => become(true) };
}

const headersOf = (asked, name) => asked.map(({ headers }) => headers[name]);

async function problemOf(promise) {
  const error = await promise.then(() => assert.fail("expected a ProblemError"), (why) => why);
  assert.ok(error instanceof ProblemError, `${error.name}: ${error.message}`);
  return error;
}

/** Asserts that it rejects with the abort's own reason and leaves no listener behind. */
async function assertAborted(promise, controller) {
  const reason = new Error("the user left");
  controller.abort(reason);
  await assert.rejects(promise, reason);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
}

// --- submit

test("submit sends the wish and returns the representation", async (t) => {
  const { client, asked } = await started(t, [queued]);
  assert.deepEqual(await client.submit(WISH), QUEUED);
  assert.equal(`${asked[0].method} ${asked[0].url}`, "POST /activations");
  assert.equal(asked[0].headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(asked[0].body), WISH);
  assert.equal(asked[0].headers.prefer, undefined);
  assert.equal(asked[0].headers.authorization, undefined);
});

test("submit with wait asks the server to hold the answer", async (t) => {
  const { client, asked } = await started(t, [completed]);
  assert.deepEqual(await client.submit(WISH, { wait: 20 }), COMPLETED);
  assert.equal(asked[0].headers.prefer, "wait=20");
});

test("a submit that is sent again carries the same key and the same body", async (t) => {
  const { client, asked } = await started(t, [DROP, html(502), HALF, problem(503, "Soon."), queued]);
  assert.deepEqual(await client.submit(WISH), QUEUED);
  assert.equal(asked.length, 5);
  assert.equal(new Set(headersOf(asked, "idempotency-key")).size, 1);
  assert.equal(new Set(asked.map(({ body }) => body)).size, 1);
});

test("each submit has its own key, unless it is given one", async (t) => {
  const { client, asked } = await started(t, [queued, queued, queued]);
  await client.submit(WISH);
  await client.submit(WISH);
  await client.submit(WISH, { idempotencyKey: "mine" });
  const [first, second, third] = headersOf(asked, "idempotency-key");
  assert.match(first, /^[0-9a-f]{32}$/);
  assert.notEqual(first, second);
  assert.equal(third, "mine");
});

test("a key is made where crypto.randomUUID is missing, as on insecure origins", (t) => {
  t.mock.property?.(crypto, "randomUUID", undefined);
  assert.match(newIdempotencyKey(), /^[0-9a-f]{32}$/);
});

test("submit gives up after five attempts, and backs off with full jitter between them", async (t) => {
  const { client, asked, slept } = await started(t, Array(9).fill(DROP));
  const error = await problemOf(client.submit(WISH));
  assert.equal(error.status, 0);
  assert.match(error.detail, /can't be reached/);
  assert.ok(error.cause instanceof TypeError);
  assert.equal(asked.length, 5);
  assert.deepEqual(slept, [0.5, 1, 2, 2.5]);
});

test("submit pauses for at least as long as Retry-After says", async (t) => {
  const { client, slept } = await started(t, [problem(503, "Soon.", { "Retry-After": "7" }), queued]);
  await client.submit(WISH);
  assert.deepEqual(slept, [7.5]);
});

test("submit tells about a Retry-After that is too long to watch a spinner for", async (t) => {
  const script = [problem(503, "We are moving house.", { "Retry-After": "600" })];
  const { client, asked } = await started(t, script);
  const error = await problemOf(client.submit(WISH));
  assert.equal(error.retryAfter, 600);
  assert.equal(asked.length, 1);
});

for (const status of [400, 404, 409, 413, 422, 429, 500]) {
  test(`submit is not repeated after ${status}`, async (t) => {
    const script = [problem(status, "No.", { "Retry-After": "3600" })];
    const { client, asked } = await started(t, script);
    const error = await problemOf(client.submit(WISH));
    assert.deepEqual([error.status, error.detail, error.retryAfter], [status, "No.", 3600]);
    assert.equal(asked.length, 1);
  });
}

test("submit stops at once when it is aborted in the middle of a request", async (t) => {
  const { client, asked, nextRequest } = await started(t, [HANG]);
  const controller = new AbortController();
  const arrived = nextRequest();
  const submitting = client.submit(WISH, { signal: controller.signal });
  await arrived;
  await assertAborted(submitting, controller);
  assert.equal(asked.length, 1);
});

test("submit stops at once when it is aborted in the middle of a pause", async (t) => {
  const script = [problem(503, "Soon.", { "Retry-After": "30" })];
  const { client, asked, nextRequest } = await started(t, script, { sleep: undefined });
  const controller = new AbortController();
  const lost = resolvers();
  const submitting = client.submit(WISH, { signal: controller.signal, onConnection: lost.resolve });
  await lost.promise;
  await new Promise(setImmediate);
  await assertAborted(submitting, controller);
  assert.equal(asked.length, 1);
});

test("nothing is sent, and no token asked for, when the signal is aborted already", async (t) => {
  const token = t.mock.fn(() => "t");
  const { client, asked } = await started(t, [queued], { token });
  await assert.rejects(client.submit(WISH, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(asked.length, 0);
  assert.equal(token.mock.callCount(), 0);
});

// --- waitUntilDone

test("waiting goes on from the ETag of the submit, through 304s, until it is done", async (t) => {
  const script = [queued, unchanged, processing, unchanged, unchanged, completed];
  const { client, asked } = await started(t, script);
  const seen = [];
  const activation = await client.submit(WISH);
  const done = await client.waitUntilDone(activation, { onChange: (a) => seen.push(a.status) });
  assert.deepEqual(done, COMPLETED);
  assert.deepEqual(seen, ["processing", "completed"]);
  const polls = asked.slice(1);
  assert.deepEqual(headersOf(polls, "if-none-match"), ['"1"', '"1"', '"2"', '"2"', '"2"']);
  assert.deepEqual(new Set(headersOf(polls, "prefer")), new Set(["wait=25"]));
  assert.deepEqual(new Set(polls.map(({ method, url }) => `${method} ${url}`)), new Set(["GET /activations/a1"]));
});

test("waiting for a bare id asks once without waiting, so that its state is known soon", async (t) => {
  const { client, asked } = await started(t, [processing, completed]);
  const seen = [];
  await client.waitUntilDone("a1", { onChange: (a) => seen.push(a.status) });
  assert.deepEqual(seen, ["processing", "completed"]);
  assert.deepEqual(headersOf(asked, "prefer"), [undefined, "wait=25"]);
  assert.deepEqual(headersOf(asked, "if-none-match"), [undefined, '"2"']);
});

test("waiting for what is done already asks nothing", async (t) => {
  const { client, asked } = await started(t, []);
  assert.equal(await client.waitUntilDone(COMPLETED), COMPLETED);
  assert.equal(asked.length, 0);
});

test("waiting ends with the cancelled representation when it is cancelled meanwhile", async (t) => {
  const cancelled = { ...QUEUED, status: "cancelled", done: true };
  const { client } = await started(t, [processing, json(200, cancelled)]);
  assert.deepEqual(await client.waitUntilDone("a1"), cancelled);
});

test("polls that are answered at once are as far apart as Retry-After says", async (t) => {
  const script = [json(200, QUEUED, { ETag: '"1"', "Retry-After": "3" }),
    nothing(304, { "Retry-After": "4" }), nothing(304), completed];
  const { client, slept } = await started(t, script);
  await client.waitUntilDone("a1");
  assert.deepEqual(slept, [3, 4, 1], "and a second without one");
});

test("a poll that the server held is followed by the next without a pause", async (t) => {
  let clock = 0;
  const held = (seconds, answer) => (...exchange) => {
    clock += seconds;
    answer(...exchange);
  };
  const script = [queued, held(25, unchanged), held(0.25, unchanged), completed];
  const { client, slept } = await started(t, script, { now: () => clock });
  await client.waitUntilDone(await client.submit(WISH));
  assert.deepEqual(slept, [0.75]);
});

test("a lost connection is survived, and told once as lost and once as back", async (t) => {
  const script = [processing, DROP, html(502), nothing(504), HALF, unchanged, completed];
  const { client, asked } = await started(t, script);
  const states = [];
  const done = await client.waitUntilDone("a1", { onConnection: (state) => states.push(state) });
  assert.deepEqual(done, COMPLETED);
  assert.deepEqual(states, ["lost", "back"]);
  const prefers = headersOf(asked, "prefer");
  assert.deepEqual(prefers.slice(2, 6), Array(4).fill(undefined), "to know soon that it is back");
  assert.equal(prefers[6], "wait=25");
  assert.deepEqual(new Set(headersOf(asked.slice(1), "if-none-match")), new Set(['"2"']));
});

test("waiting outlasts more failures than submit, never more than 5 s apart", async (t) => {
  const { client, slept } = await started(t, [...Array(8).fill(DROP), completed]);
  await client.waitUntilDone("a1");
  assert.deepEqual(slept, [0.5, 1, 2, 2.5, 2.5, 2.5, 2.5, 2.5]);
});

test("a page that nobody looks at asks at most every 30 s while it fails", async (t) => {
  aPage(t, { hidden: true });
  const { client, slept } = await started(t, [...Array(8).fill(DROP), completed]);
  await client.waitUntilDone("a1");
  assert.deepEqual(slept, [0.5, 1, 2, 4, 8, 15, 15, 15]);
});

for (const [what, happen] of [
  ["the browser is online again", ({ window }) => window.dispatchEvent(new Event("online"))],
  ["somebody looks again", ({ look }) => look()],
]) {
  test(`a pause ends at once when ${what}, and leaves no listener behind`, async (t) => {
    const page = aPage(t, { hidden: true });
    const script = [problem(503, "Soon.", { "Retry-After": "3600" }), completed];
    const { client, asked, nextRequest } = await started(t, script, { sleep: undefined });
    const lost = resolvers();
    const waiting = client.waitUntilDone("a1", { onConnection: lost.resolve });
    await lost.promise;
    await new Promise(setImmediate);
    assert.equal(asked.length, 1);
    const arrived = nextRequest();
    happen(page);
    await arrived;
    assert.deepEqual(await waiting, COMPLETED);
    assert.equal(getEventListeners(page.window, "online").length, 0);
    assert.equal(getEventListeners(page.document, "visibilitychange").length, 0);
  });
}

test("a page that is hidden during a pause does not end it", async (t) => {
  const page = aPage(t, { hidden: false });
  const script = [problem(503, "Soon.", { "Retry-After": "3600" })];
  const { client, asked } = await started(t, script, { sleep: undefined });
  const leaving = new AbortController();
  const lost = resolvers();
  const waiting = client.waitUntilDone("a1", { signal: leaving.signal, onConnection: lost.resolve });
  await lost.promise;
  await new Promise(setImmediate);
  page.hide();
  await new Promise(setImmediate);
  assert.equal(getEventListeners(page.document, "visibilitychange").length, 1);
  assert.equal(asked.length, 1);
  await assertAborted(waiting, leaving);
  assert.equal(getEventListeners(page.document, "visibilitychange").length, 0);
});

test("a 503 is survived and its Retry-After honoured", async (t) => {
  const { client, slept } = await started(t, [problem(503, "Soon.", { "Retry-After": "90" }), completed]);
  await client.waitUntilDone("a1");
  assert.deepEqual(slept, [90.5]);
});

test("a server that is not there is a lost connection, until it is there", async (t) => {
  const { baseUrl } = await serve(t, [completed]);
  let away = 2;
  const fetch = (...request) =>
    away-- > 0 ? globalThis.fetch("http://127.0.0.1:9/") : globalThis.fetch(...request);
  const client = new Activations({ baseUrl, fetch, sleep: async () => {} });
  assert.deepEqual(await client.waitUntilDone("a1"), COMPLETED);
});

test("a request that hangs is given up and sent again", async (t) => {
  const { client, asked } = await started(t, [HANG, completed], { timeout: 0.05 });
  const states = [];
  await client.waitUntilDone("a1", { onConnection: (state) => states.push(state) });
  assert.deepEqual(states, ["lost", "back"]);
  assert.equal(asked.length, 2);
});

for (const status of [401, 403, 404, 429, 500]) {
  test(`waiting ends with the problem after ${status}`, async (t) => {
    const { client, asked } = await started(t, [processing, problem(status, "No.")]);
    const error = await problemOf(client.waitUntilDone("a1"));
    assert.deepEqual([error.status, error.detail], [status, "No."]);
    assert.equal(asked.length, 2);
  });
}

test("waiting stops at once when it is aborted in the middle of a poll", async (t) => {
  const { client, nextRequest } = await started(t, [queued, HANG]);
  const controller = new AbortController();
  const activation = await client.submit(WISH);
  const arrived = nextRequest();
  const waiting = client.waitUntilDone(activation, { signal: controller.signal });
  await arrived;
  await assertAborted(waiting, controller);
});

test("waiting stops at once when it is aborted in the middle of a pause", async (t) => {
  const script = [json(200, QUEUED, { ETag: '"1"', "Retry-After": "3600" })];
  const { client, asked } = await started(t, script, { sleep: undefined });
  const controller = new AbortController();
  const { promise: changed, resolve } = resolvers();
  const waiting = client.waitUntilDone("a1", { signal: controller.signal, onChange: resolve });
  await changed;
  await new Promise(setImmediate);
  await assertAborted(waiting, controller);
  assert.equal(asked.length, 1);
});

test("waiting stops at once when it is aborted while the token is fetched", async (t) => {
  const { client, asked } = await started(t, [], { token: () => new Promise(() => {}) });
  const controller = new AbortController();
  await assertAborted(client.waitUntilDone("a1", { signal: controller.signal }), controller);
  assert.equal(asked.length, 0);
});

test("waiting that came to its end leaves no listener on the signal", async (t) => {
  const script = [processing, DROP, unchanged, completed];
  const { client } = await started(t, script);
  const { signal } = new AbortController();
  await client.waitUntilDone("a1", { signal });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("the real sleep sleeps, and leaves neither timer nor listener", async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const { client } = await started(t, [DROP, completed], { sleep: undefined, random: () => 0.02 });
  const { signal } = new AbortController();
  const startedAt = performance.now();
  assert.deepEqual(await client.waitUntilDone("a1", { signal }), COMPLETED);
  assert.ok(performance.now() - startedAt >= 15);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  assert.ok(timers() <= before);
});

test("a mistake in the address is an error at once, not a lost connection", async () => {
  const client = new Activations({ baseUrl: "nowhere", sleep: async () => {} });
  await assert.rejects(client.waitUntilDone("a1"), TypeError);
});

// --- problems

test("a problem surfaces with all that it says", async (t) => {
  const errors = [{ pointer: "/mood", detail: "Choose a mood from 1 to 5." }];
  const script = [problem(422, "Please check what you entered.", {}, { errors, type: "urn:x" })];
  const { client } = await started(t, script);
  const error = await problemOf(client.submit({ mood: 9, goal: "x" }));
  assert.equal(error.message, "Please check what you entered.");
  assert.equal(error.detail, error.message);
  assert.equal(error.name, "ProblemError");
  assert.equal(error.type, "urn:x");
  assert.equal(error.title, "Unprocessable Entity");
  assert.equal(error.retryAfter, null);
  assert.deepEqual(error.errors, errors);
});

for (const [what, answer, status] of [
  ["a proxy's HTML page with 502", html(502), 502],
  ["a single-page app's HTML with 200", html(200), 200],
  ["an empty 200", nothing(200), 200],
  ["an empty 500", nothing(500), 500],
  ["JSON without a detail", json(500, { error: { code: 500 } }), 500],
  ["JSON null", json(500, null), 500],
  ["a detail that is no sentence", json(400, { detail: [{ loc: [] }], errors: "x" }), 400],
]) {
  test(`${what} is a problem with a sentence for the user`, async (t) => {
    const { client } = await started(t, [answer]);
    const error = await problemOf(client.get("a1"));
    assert.equal(error.status, status);
    assert.equal(error.detail, "Something went wrong. Please try again in a moment.");
    assert.deepEqual(error.errors, []);
  });
}

// --- tokens

test("the token is asked for anew with each request", async (t) => {
  let count = 0;
  const token = async ({ refresh }) => `${refresh}-${(count += 1)}`;
  const { client, asked } = await started(t, [queued, unchanged, completed], { token });
  await client.waitUntilDone(await client.submit(WISH));
  assert.deepEqual(headersOf(asked, "authorization"),
    ["Bearer false-1", "Bearer false-2", "Bearer false-3"]);
});

test("a token that is refused is refreshed once, and the submit keeps its key", async (t) => {
  const token = ({ refresh }) => (refresh ? "fresh" : "stale");
  const { client, asked } = await started(t, [problem(401, "Please sign in."), queued], { token });
  assert.deepEqual(await client.submit(WISH), QUEUED);
  assert.deepEqual(headersOf(asked, "authorization"), ["Bearer stale", "Bearer fresh"]);
  assert.equal(new Set(headersOf(asked, "idempotency-key")).size, 1);
  assert.deepEqual(JSON.parse(asked[1].body), WISH);
});

test("a token that is refused again is not refreshed in a loop", async (t) => {
  const token = t.mock.fn(() => "refused");
  const { client, asked } = await started(t, Array(9).fill(problem(401, "Please sign in.")), { token });
  const error = await problemOf(client.waitUntilDone("a1"));
  assert.deepEqual([error.status, error.detail], [401, "Please sign in."]);
  assert.equal(asked.length, 2);
  assert.deepEqual(token.mock.calls.map(({ arguments: [{ refresh }] }) => refresh), [false, true]);
});

test("without a token there is nothing to refresh", async (t) => {
  const { client, asked } = await started(t, [problem(401, "Please sign in.")]);
  assert.equal((await problemOf(client.get("a1"))).status, 401);
  assert.equal(asked.length, 1);
});

test("a token of null sends no Authorization", async (t) => {
  const { client, asked } = await started(t, [completed], { token: async () => null });
  await client.get("a1");
  assert.equal(asked[0].headers.authorization, undefined);
});

test("what the token callback throws comes out as it is", async (t) => {
  const mistake = new Error("nobody is signed in");
  const { client, asked } = await started(t, [], { token: () => { throw mistake; } });
  await assert.rejects(client.submit(WISH), mistake);
  assert.equal(asked.length, 0);
});

test("a token that can't be fetched for want of a network is a lost connection", async (t) => {
  let offline = true;
  const token = async () => {
    if (!offline) return "t";
    offline = false;
    throw Object.assign(new Error("offline"), { code: "auth/network-request-failed" });
  };
  const { client } = await started(t, [completed], { token });
  const states = [];
  await client.waitUntilDone("a1", { onConnection: (state) => states.push(state) });
  assert.deepEqual(states, ["lost", "back"]);
});

// --- the rest

test("list goes from page to page by the cursor", async (t) => {
  const script = [json(200, { items: [COMPLETED], next_cursor: "a+b/c=" }),
    json(200, { items: [QUEUED], next_cursor: null })];
  const { client, asked } = await started(t, script);
  const items = [];
  let cursor = null;
  do {
    const page = await client.list({ limit: 1, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(items, [COMPLETED, QUEUED]);
  const queries = asked.map(({ url }) => new URL(url, "http://x").searchParams);
  assert.deepEqual(queries.map((query) => query.get("limit")), ["1", "1"]);
  assert.deepEqual(queries.map((query) => query.get("cursor")), [null, "a+b/c="]);
});

test("list without options asks for the server's own first page", async (t) => {
  const { client, asked } = await started(t, [json(200, { items: [], next_cursor: null })]);
  assert.deepEqual(await client.list(), { items: [], next_cursor: null });
  assert.equal(asked[0].url.replace(/\?$/, ""), "/activations");
});

test("cancel posts to the activation and returns what became of it", async (t) => {
  const cancelled = { ...QUEUED, status: "cancelled", done: true };
  const { client, asked } = await started(t, [json(200, cancelled)]);
  assert.deepEqual(await client.cancel(QUEUED), cancelled);
  assert.equal(`${asked[0].method} ${asked[0].url}`, "POST /activations/a1/cancel");
});

test("a cancel that comes too late is a problem", async (t) => {
  const { client } = await started(t, [problem(409, "This activation is completed already.")]);
  const error = await problemOf(client.cancel("a1"));
  assert.deepEqual([error.status, error.detail], [409, "This activation is completed already."]);
});

test("erase and eraseAll delete one and all, and return nothing", async (t) => {
  const { client, asked } = await started(t, [nothing(204), nothing(204)]);
  assert.equal(await client.erase("a1"), undefined);
  assert.equal(await client.eraseAll(), undefined);
  assert.deepEqual(asked.map(({ method, url }) => `${method} ${url}`),
    ["DELETE /activations/a1", "DELETE /activations"]);
});

for (const id of ["", ".", "..", "a/../..", "a?b", undefined, null, {}]) {
  test(`${JSON.stringify(id)} is no id, and can't erase all by mistake`, async (t) => {
    const { client, asked } = await started(t, [nothing(204)]);
    await assert.rejects(client.erase(id), TypeError);
    assert.equal(asked.length, 0);
  });
}

test("latest is the flat answer, or null where there is none", async (t) => {
  const flat = { title: "Ett steg", activation_id: "a1", source: "gemini" };
  const { client, asked } = await started(t, [json(200, flat), problem(404, "None yet.")]);
  assert.deepEqual(await client.latest(), flat);
  assert.equal(await client.latest(), null);
  assert.equal(asked[0].url, "/user/activation");
});

test("get, list, latest, cancel and erase can all be aborted", async (t) => {
  const calls = [(c, o) => c.get("a1", o), (c, o) => c.list(o), (c, o) => c.latest(o),
    (c, o) => c.cancel("a1", o), (c, o) => c.erase("a1", o), (c, o) => c.eraseAll(o)];
  for (const call of calls) {
    const { client, nextRequest } = await started(t, [HANG]);
    const controller = new AbortController();
    const arrived = nextRequest();
    const asking = call(client, { signal: controller.signal });
    await arrived;
    await assertAborted(asking, controller);
  }
});

test("fetch is called on its own, as browsers insist, and a slash after the address is no harm", async () => {
  const urls = [];
  async function fetch(request) {
    assert.equal(this, undefined);
    urls.push(request.url);
    return Response.json(COMPLETED);
  }
  const client = new Activations({ baseUrl: "http://127.0.0.1/api/", fetch });
  assert.deepEqual(await client.get("a1"), COMPLETED);
  assert.deepEqual(urls, ["http://127.0.0.1/api/activations/a1"]);
});

function resolvers() {
  let resolve;
  const promise = new Promise((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
