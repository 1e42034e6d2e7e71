// The React hook (React 19.2 and later): submits a wish, or takes up an activation, and follows it.
// For frontends with a build: the page, which serves each .js of this folder, leaves it alone.

import { useEffect, useEffectEvent, useState } from "react";

import { ProblemError } from "./activations.js";

/** @import { Activations, Persistent } from "./activations.js" */
/** @import { Asked, Following } from "./react.d.mts" */

/** `asked` is a wish with its idempotency key, or the id of an activation; null for nothing yet. A
 *  new key or id begins anew, with nothing left of the one before. The same key is the same
 *  activation, in StrictMode's second effect and after a reload too.
 *  @param {Activations} client one for the whole app @param {Asked | null} asked
 *  @returns {Following} */
export function useActivation(client, asked) {
  const name = nameOf(asked);
  const [seen, setSeen] = useState(() => nothing(client, name));
  // Before anything is shown, so that nobody sees the step of another wish or another user.
  if (seen.client !== client || seen.name !== name) setSeen(nothing(client, name));
  const { run, activation, problem, isLost } = seen;

  // Sends the wish as it is when its key is new: what is typed later is for another key.
  const begin = useEffectEvent((/** @type {Persistent} */ options) => begun(client, asked, options));

  useEffect(() => {
    if (name === null) return undefined;
    const leaving = new AbortController();
    const tell = teller(setSeen, run, leaving.signal);
    const options = {
      signal: leaving.signal,
      onConnection: (state) => tell({ isLost: state === "lost" }),
      onChange: (news) => tell({ activation: news }),
    };
    begin(options)
      .then((which) => {
        if (typeof which !== "string") options.onChange(which);
        return client.waitUntilDone(which, options);
      })
      .catch((error) => tell({ activation: null, isLost: false, problem: problemOf(error) }));
    return () => leaving.abort();
  }, [client, name, run]);

  const cancel = async () => {
    if (!asked) return;
    const tell = teller(setSeen, run);
    try {
      // A submit without an answer is repeated: under its key it is the same activation.
      const which = activation ?? (await begun(client, asked, {}));
      tell({ activation: await client.cancel(which) });
    } catch (error) {
      // 409: it is completed, and its step on its way to us.
      if (error.status !== 409) tell({ problem: problemOf(error) });
    }
  };

  return { activation, problem, isLost, cancel, retry: () => setSeen(nothing(client, name)) };
}

function nameOf(asked) {
  if (!asked) return null;
  return "id" in asked ? `id ${asked.id}` : `key ${asked.idempotencyKey}`;
}

/** A run is one time of following: each retry is a new one. */
function nothing(client, name) {
  return { client, name, run: Symbol("run"), activation: null, problem: null, isLost: false };
}

async function begun(client, asked, options) {
  if ("id" in asked) return asked.id;
  return client.submit(asked.wish, { ...options, idempotencyKey: asked.idempotencyKey });
}

/** Any news takes an earlier problem away. There are none of another run, and none after its end. */
function teller(setSeen, run, signal) {
  const added = (news) => (before) =>
    before.run !== run || before.activation?.done ? before : { ...before, problem: null, ...news };
  return (news) => {
    if (!signal?.aborted) setSeen(added(news));
  };
}

/** What is no problem of ours, of the token's callback say, has no words for users. */
function problemOf(error) {
  return error instanceof ProblemError ? error : new ProblemError(0, {}, { cause: error });
}
