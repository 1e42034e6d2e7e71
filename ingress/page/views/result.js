// How an activation has ended: a step, a step of our own library, help, or nothing any more.

import { erase } from "../api.js";
import { ask } from "../elements/ask.js";
import { card, el, button, heading } from "../elements/dom.js";
import { tab, wishOf } from "../kept.js";
import { t, word } from "../words/language.js";
import { inWords } from "../problems.js";
import { questionList } from "./questions.js";
import { safetyCard } from "./safety.js";

export function resultView(stage, activation) {
  const { step, source } = activation;
  if (!step) return stage.show(t("cancelled.title"), cancelledCard(stage, activation));
  const actions = actionsOn(stage, activation);
  const shown = source === "safety" ? safetyCard(step, actions) : stepCard(activation, actions, stage);
  return stage.show(step.title, shown);
}

function cancelledCard(stage, activation) {
  return card({ class: "narrow" },
    heading(t("cancelled.title")),
    el("p", { class: "lead" }, t("cancelled.lead")),
    el("div", { class: "actions" },
      button(t("fallback.again"), () => startAgain(stage, activation), "warm")));
}

function stepCard(activation, actions, stage) {
  const { step, source, activation_id: id } = activation;
  return card({ class: "step" },
    source === "fallback" && fallbackNote(stage, activation),
    el("p", { class: "introduction", dir: "auto" }, step.introduction_message),
    heading(step.title),
    factsOf(step),
    el("p", { class: "description", dir: "auto" }, step.description),
    el("div", { class: "asides" },
      aside("step.prepare", step.preparation_message),
      step.prerequisite && aside("step.need", step.prerequisite)),
    questionList(id, step),
    actions);
}

function factsOf(step) {
  const facts = [
    t("step.minutes", { count: step.duration }),
    word("type", step.activation_type),
    word("category", step.category_id),
    step.repetitions > 1 && t("step.times", { count: step.repetitions }),
  ];
  return el("ul", { class: "facts", "aria-label": t("step.facts") },
    ...facts.filter(Boolean).map((fact) => el("li", {}, fact)));
}

function aside(title, text) {
  return el("section", { class: "aside" }, el("h2", {}, t(title)), el("p", { dir: "auto" }, text));
}

function fallbackNote(stage, activation) {
  const reason = activation.fallback_reason;
  const words = ["blocked", "no_api_key"].includes(reason) ? reason : "passing";
  return el("div", { class: "note" },
    el("div", {},
      el("p", { class: "note-title" }, t("fallback.title")),
      el("p", {}, t(`fallback.${words}`))),
    button(t("fallback.again"), () => startAgain(stage, activation)));
}

/** With what was wished for, where this tab still knows it. */
function startAgain(stage, { activation_id: id }) {
  const wish = wishOf(id);
  if (wish) tab.set("draft", { mood: wish.mood, goal: wish.goal });
  stage.go("#/");
}

function actionsOn(stage, { activation_id: id }) {
  const trouble = el("p", { class: "problem", role: "alert", hidden: true });
  const askAndErase = async () => {
    const words = { question: t("ask.one"), more: t("ask.oneMore"), yes: t("ask.yes") };
    if (!(await ask(words, stage.signal))) return;
    try {
      await erase(id);
      if (!stage.signal.aborted) stage.replace("#/history");
    } catch (error) {
      if (stage.signal.aborted) return; // one has gone on to something else
      if (error.status === 401) return stage.failed(error);
      trouble.textContent = inWords(error);
      trouble.hidden = false;
    }
  };
  return el("div", {}, trouble,
    el("div", { class: "actions" },
      el("a", { class: "warm", href: "#/" }, t("step.new")), button(t("step.erase"), askAndErase)));
}
