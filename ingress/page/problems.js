// What went wrong, in words. A problem of the server has a sentence for the user in the page's
// language; what never reached it gets one of ours.

import { button, card, el, heading } from "./elements/dom.js";
import { clockTime, inTime, t } from "./words/language.js";

/** @param {any} error @returns {string} */
export function inWords(error) {
  const { status, detail, retryAfter } = error;
  if (status === 0) return t(navigator.onLine ? "problem.away" : "problem.offline");
  if ([502, 503, 504].includes(status)) return t("problem.away");
  if (status === 429) return `${detail} ${when(retryAfter)}`.trim();
  if (status === 422) return t("problem.invalid");
  return (status && detail) || t("problem.unknown");
}

function when(seconds) {
  if (!seconds) return "";
  const clock = clockTime(new Date(Date.now() + seconds * 1000));
  return t("problem.limit", { when: inTime(seconds), clock });
}

/** Beside which field what is wrong, as the server says it: { goal: "…", mood: "…" }. */
export function byField(error) {
  const found = {};
  for (const { pointer, detail } of error.errors ?? []) found[pointer.split("/")[1]] ??= detail;
  return found;
}

/** Instead of a view that could not be shown. */
export function problemCard(error, again) {
  return card({ class: "narrow" },
    heading(t("problem.title")),
    el("p", { role: "alert" }, inWords(error)),
    el("div", { class: "actions" }, button(t("problem.again"), again, "warm")));
}

export function goneCard() {
  return card({ class: "narrow" },
    heading(t("gone.title")),
    el("p", {}, t("gone.lead")),
    el("div", { class: "actions" }, el("a", { class: "warm", href: "#/" }, t("step.new"))));
}
