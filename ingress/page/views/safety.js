// The caring answer: people to call come first, in quiet colours, and nothing asks for more.

import { card, el, heading } from "../elements/dom.js";
import { t } from "../words/language.js";

const NUMBERS = ["112", "90101", "1177"];
const ELSEWHERE = "https://findahelpline.com";

export function safetyCard(step, actions) {
  const numbers = NUMBERS.map((number) => el("li", {},
    el("a", { href: `tel:${number}`, class: "call" },
      el("span", { class: "number" }, t("safety.call", { number })),
      el("span", {}, t(`safety.${number}`)))));
  return card({ class: "safety" },
    el("p", { class: "introduction", dir: "auto" }, step.introduction_message),
    heading(step.title),
    el("h2", {}, t("safety.help")),
    el("ul", { class: "numbers" }, ...numbers),
    el("p", { class: "small" },
      el("a", { href: ELSEWHERE, target: "_blank", rel: "noopener noreferrer" },
        t("safety.elsewhere"))),
    el("p", { class: "description", dir: "auto" }, step.description),
    el("p", { dir: "auto" }, step.preparation_message),
    el("ul", { class: "thoughts" },
      ...step.questions.map((question) => el("li", { dir: "auto" }, question))),
    el("p", { dir: "auto" }, step.prompt),
    actions);
}
