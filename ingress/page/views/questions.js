// What comes after the step: questions that are ticked and answered here, and stay on this device.

import { el } from "../elements/dom.js";
import { keepReflections, reflectionsOn } from "../kept.js";
import { t } from "../words/language.js";

const UNTOUCHED = { ticked: false, note: "" };

export function questionList(id, { questions, prompt }) {
  const kept = () => questions.map((_, index) => ({ ...UNTOUCHED, ...reflectionsOn(id)[index] }));
  const items = questions.map((question, index) => {
    const keep = (change) => {
      const all = kept(); // anew: another tab may have written meanwhile
      Object.assign(all[index], change);
      keepReflections(id, all);
    };
    return item(`question-${index}`, question, kept()[index], keep);
  });
  return el("section", { class: "questions" },
    el("h2", {}, t("step.after")),
    el("p", { dir: "auto" }, prompt),
    el("ul", {}, ...items),
    el("p", { class: "small" }, t("step.kept")));
}

function item(name, question, { ticked, note }, keep) {
  const box = el("input", { type: "checkbox", id: name, checked: ticked,
    change: () => keep({ ticked: box.checked }) });
  const area = el("textarea", { rows: 1, placeholder: t("step.write"), autocomplete: "off",
    "aria-label": t("step.note", { question }), input: () => keep({ note: area.value }) });
  area.value = note;
  return el("li", {}, box, el("label", { for: name, dir: "auto" }, question), area);
}
