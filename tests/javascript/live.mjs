// The whole journey of a client against a running ingress: node live.mjs http://127.0.0.1:PORT
import assert from "node:assert/strict";

import { Activations, ProblemError, newIdempotencyKey } from "../../ingress/page/client/activations.js";

const client = new Activations({ baseUrl: process.argv[2] });
await client.eraseAll();

const states = [];
const wish = { mood: 2, goal: "komma igång" };
const submitted = await client.submit(wish);
const done = await client.waitUntilDone(submitted, {
  onChange: (activation) => states.push(activation.status),
});
assert.equal(done.status, "completed");
assert.equal(states.at(-1), "completed");
assert.ok(Array.isArray(done.step.questions));
assert.equal((await client.latest()).activation_id, done.activation_id);

const key = newIdempotencyKey();
const first = await client.submit(wish, { idempotencyKey: key, wait: 20 });
const again = await client.submit(wish, { idempotencyKey: key });
assert.equal(again.activation_id, first.activation_id);
const refused = await client.submit({ ...wish, mood: 5 }, { idempotencyKey: key }).catch((e) => e);
assert.ok(refused instanceof ProblemError);
assert.equal(refused.status, 422);
const invalid = await client.submit({ mood: 9, goal: "" }).catch((e) => e);
assert.deepEqual(invalid.errors.map((error) => error.pointer).sort(), ["/goal", "/mood"]);

const page = await client.list({ limit: 1 });
assert.equal(page.items.length, 1);
assert.equal((await client.list({ limit: 1, cursor: page.next_cursor })).items.length, 1);
await client.erase(done.activation_id);
const gone = await client.get(done.activation_id).catch((error) => error);
assert.equal(gone.status, 404);
await client.eraseAll();
assert.deepEqual((await client.list()).items, []);
console.log("the whole journey");
