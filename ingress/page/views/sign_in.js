// Where the server wants to know who one is. A real frontend signs in with Firebase Auth
// (docs/page.md); for this page a token that somebody pastes is enough.

import { signIn } from "../api.js";
import { card, el, heading } from "../elements/dom.js";
import { t } from "../words/language.js";

/** `refused` is true when a token was given and no longer counts. */
export function signInCard(signedIn, refused) {
  const field = el("textarea", { id: "token", rows: 3, required: true, spellcheck: "false",
    autocomplete: "off", "aria-describedby": "token-error token-kept" });
  const error = el("p", { id: "token-error", class: "error", role: "alert", hidden: true });
  const submit = (event) => {
    event.preventDefault();
    const token = field.value.trim();
    error.textContent = token ? "" : t("signIn.empty");
    error.hidden = Boolean(token);
    if (!token) return field.focus();
    signIn(token);
    return signedIn();
  };
  return card({ class: "narrow" },
    heading(t("signIn.title")),
    el("p", { class: "lead" }, t(refused ? "signIn.refused" : "signIn.lead")),
    el("details", { open: refused },
      el("summary", {}, t("signIn.details")),
      el("form", { novalidate: true, submit },
        el("label", { for: "token" }, t("signIn.token")), field, error,
        el("p", { id: "token-kept", class: "small" }, t("signIn.kept")),
        el("button", { type: "submit", class: "warm" }, t("signIn.go")))));
}
