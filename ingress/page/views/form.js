// Where a journey begins: how it feels and what is wanted.

import { newIdempotencyKey } from "../client/activations.js";
import { card, el, heading } from "../elements/dom.js";
import { face } from "../elements/faces.js";
import { tab } from "../kept.js";
import { language, t } from "../words/language.js";
import { byField, inWords } from "../problems.js";

const MOST = 500;
const MOODS = [1, 2, 3, 4, 5];

/** As the server counts: characters, not UTF-16 units, and without what it trims. */
const tidy = (goal) => goal.normalize("NFC").replace(/\s+/g, " ").trim();
const lengthOf = (goal) => [...tidy(goal)].length;

/** `problem` is why the last wish was not accepted. */
export function formView({ show, go, problem }) {
  const draft = tab.get("draft") ?? {};
  const parts = { ...moodField(draft.mood), ...goalField(draft.goal ?? "") };
  const said = el("p", { class: "problem", role: "alert", hidden: !problem },
    problem ? inWords(problem) : "");
  const send = el("button", { type: "submit", class: "warm big" }, t("form.send"));
  const form = el("form", { novalidate: true, class: "wish" }, parts.moods, parts.goal, said, send);
  form.addEventListener("input", () => tab.set("draft", wishIn(form)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.hidden = true;
    const wish = wishIn(form);
    if (mark(form, wrongWith(wish))) return;
    tab.set("draft", wish);
    tab.set("sending", sendingOf(wish));
    go("#/sending");
  });
  show(t("form.title"), card({},
    heading(t("form.title")), el("p", { class: "lead" }, t("form.lead")), form));
  if (problem) mark(form, byField(problem));
}

function moodField(chosen) {
  const options = MOODS.map((mood) => el("label", { class: "mood" },
    el("input", { type: "radio", name: "mood", value: mood, checked: mood === chosen }),
    face(mood), el("span", {}, t(`mood.${mood}`))));
  const moods = el("fieldset", { role: "radiogroup", "aria-describedby": "mood-error" },
    el("legend", {}, t("form.mood")), el("div", { class: "moods" }, ...options), errorOf("mood"));
  return { moods };
}

function goalField(text) {
  const counter = el("span", { id: "goal-counter", class: "counter" });
  const area = el("textarea", { id: "goal", name: "goal", rows: 3, required: true,
    autocomplete: "off", placeholder: t("form.hint"),
    "aria-describedby": "goal-error goal-counter" });
  const count = () => {
    const length = lengthOf(area.value);
    counter.textContent = t("form.counter", { count: length, most: MOST });
    counter.classList.toggle("over", length > MOST);
  };
  area.value = text;
  area.addEventListener("input", count);
  count();
  const label = el("label", { for: "goal" }, t("form.goal"));
  const under = el("div", { class: "under" }, errorOf("goal"), counter);
  return { goal: el("div", { class: "field" }, label, area, under) };
}

const errorOf = (name) => el("p", { id: `${name}-error`, class: "error", hidden: true });

function wishIn(form) {
  const data = new FormData(form);
  return { mood: Number(data.get("mood")) || null, goal: String(data.get("goal") ?? "") };
}

function wrongWith({ mood, goal }) {
  const wrong = {};
  if (!mood) wrong.mood = t("invalid.mood");
  if (!lengthOf(goal)) wrong.goal = t("invalid.empty");
  if (lengthOf(goal) > MOST) wrong.goal = t("invalid.long", { most: MOST });
  return wrong;
}

/** Says it beside each field, and moves to the first. True where something is wrong. */
function mark(form, wrong) {
  for (const name of ["goal", "mood"]) {
    const error = form.querySelector(`#${name}-error`);
    error.textContent = wrong[name] ?? "";
    error.hidden = !wrong[name];
    for (const input of form.querySelectorAll(`[name=${name}]`)) {
      input.toggleAttribute("aria-invalid", false);
      if (wrong[name] && name === "goal") input.setAttribute("aria-invalid", "true");
    }
    if (wrong[name]) form.querySelector(`[name=${name}]:checked, [name=${name}]`).focus();
  }
  return Object.keys(wrong).length > 0;
}

/** What is sent, with its key: however often a reload sends it again, it is one activation. */
function sendingOf({ mood, goal }) {
  const wish = { mood, goal: tidy(goal), language: language() };
  const before = tab.get("sending");
  const isSame = before && JSON.stringify(before.wish) === JSON.stringify(wish);
  const key = isSame ? before.key : newIdempotencyKey();
  return { wish, key, startedAt: Date.now() };
}
