// A question that has to be answered before something is lost. It leaves with its view.

import { button, el } from "./dom.js";
import { t } from "../words/language.js";

/** @param {{ question: string, more: string, yes: string }} words
 *  @param {AbortSignal} signal of the view that asks
 *  @returns {Promise<boolean>} false for Escape too */
export function ask({ question, more, yes }, signal) {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = el("dialog", { "aria-labelledby": "question", "aria-describedby": "more",
      close: () => {
        dialog.remove();
        resolve(answer);
      } },
      el("h2", { id: "question" }, question),
      el("p", { id: "more" }, more),
      el("div", { class: "actions" },
        button(t("ask.no"), () => dialog.close()),
        button(yes, () => {
          answer = true;
          dialog.close();
        }, "firm")));
    signal.addEventListener("abort", () => dialog.close(), { once: true });
    document.body.append(dialog);
    dialog.showModal();
  });
}
