// The one client of this page, with the caller's token and the page's language.

import { Activations } from "./client/activations.js";
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

export const api = new Activations({ token, fetch: fetchInLanguage });

/** At the server, and what this browser remembers of it. Erased elsewhere is erased. */
export async function erase(id) {
  await api.erase(id).catch((error) => {
    if (error.status !== 404) throw error;
  });
  forgetActivation(id);
}
