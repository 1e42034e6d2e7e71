// The one client of this page: the caller's token, the page's language, and no waiting out a pause
// when the connection is back sooner.

import { Activations } from "./activations.js";
import { forgetActivation, tab } from "./kept.js";
import { language } from "./words/language.js";

export const signedIn = () => tab.get("token") !== null;
export const signIn = (token) => tab.set("token", token);
export const signOut = () => tab.forget("token");

function token({ refresh }) {
  // A real frontend asks Firebase for a new one here (docs/page.md).
  if (refresh) signOut();
  return tab.get("token");
}

/** In the language of the page, which may not be the browser's first. */
function fetchInLanguage(request, options) {
  request.headers.set("Accept-Language", language());
  return fetch(request, options);
}

/** Ends early when the browser finds its connection again. */
function sleepUntilOnline(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (finish) => () => {
      clearTimeout(timer);
      removeEventListener("online", awake);
      signal?.removeEventListener("abort", stop);
      finish();
    };
    const awake = end(resolve);
    const stop = end(() => reject(signal.reason));
    const timer = setTimeout(awake, seconds * 1000);
    addEventListener("online", awake);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
  });
}

export const api = new Activations({ token, fetch: fetchInLanguage, sleep: sleepUntilOnline });

/** At the server, and what this browser remembers of it. Erased elsewhere is erased. */
export async function erase(id) {
  await api.erase(id).catch((error) => {
    if (error.status !== 404) throw error;
  });
  forgetActivation(id);
}
