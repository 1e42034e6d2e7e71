// What stands behind which address, what all views share, and what becomes of an error.

import { signedIn, signOut } from "./api.js";
import { button, el } from "./elements/dom.js";
import { formView } from "./views/form.js";
import { historyView } from "./views/history.js";
import { forgetAllActivations, tab } from "./kept.js";
import { choose, language, other, t } from "./words/language.js";
import { goneCard, problemCard } from "./problems.js";
import { signInCard } from "./views/sign_in.js";
import { activationView, sendingView } from "./views/working.js";

const VIEWS = { sending: sendingView, activation: activationView, history: historyView };
const main = document.getElementById("main");
let leaving = new AbortController();
let hadToken = false;
let isFirst = true;

/** Opens what the address names. `given` is what the last view hands to the next. */
async function open(given = {}) {
  leaving.abort(new DOMException("The view was left.", "AbortError"));
  leaving = new AbortController();
  const { signal } = leaving;
  hadToken = signedIn();
  frame();
  const [name, id] = address();
  const stage = { ...given, id, signal, show, go, replace, failed };
  try {
    await (Object.hasOwn(VIEWS, name) ? VIEWS[name] : formView)(stage);
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

function address() {
  return location.hash.replace(/^#\/?/, "").split("/");
}

function show(title, ...nodes) {
  document.title = title ? `${title} · InnerJourney` : "InnerJourney";
  main.replaceChildren(...nodes);
  const heading = main.querySelector("h1");
  if (!heading) return;
  if (!isFirst) heading.focus({ preventScroll: true });
  if (!isFirst) scrollTo({ top: 0 });
  isFirst = false;
}

function go(hash) {
  if (location.hash === hash) open();
  else location.hash = hash;
}

function replace(hash, given) {
  history.replaceState(null, "", hash);
  open(given);
}

function failed(error) {
  if (error.status === 401) {
    show(t("signIn.title"), signInCard(open, hadToken));
    frame();
  } else if (error.status === 404) {
    show(t("gone.title"), goneCard());
  } else {
    show(t("problem.title"), problemCard(error, () => open()));
    addEventListener("online", () => open(), { once: true, signal: leaving.signal });
  }
  if (!("status" in error)) console.error(error);
}

/** What stands around every view. */
function frame() {
  document.documentElement.lang = language();
  const links = document.getElementById("links");
  links.setAttribute("aria-label", t("page.links"));
  const isHistory = location.hash.startsWith("#/history");
  const change = () => {
    choose(other());
    open();
  };
  const toOther = el("button", { type: "button", class: "plain", lang: other(), click: change },
    other() === "en" ? "English" : "Svenska");
  links.replaceChildren(
    el("a", { href: "#/history", "aria-current": isHistory ? "page" : null }, t("page.history")),
    toOther);
  const leave = button(t("page.signOut"), () => {
    signOut();
    forgetAllActivations();
    tab.forget("draft");
    tab.forget("sending");
    go("#/");
  }, "plain");
  const foot = [supportCode(), el("p", {}, t("page.foot")), signedIn() && leave];
  document.getElementById("bottom").replaceChildren(...foot.filter(Boolean));
}

/** By which an operator finds the activation that this address is about, whatever is shown of it. */
function supportCode() {
  const [name, id] = address();
  if (name !== "activation" || !/^[\w-]+$/.test(id ?? "")) return null;
  return el("p", { class: "support" }, t("page.support"), " ", el("code", {}, id));
}

addEventListener("hashchange", () => open());
open();
