// While it works: send, follow, cancel; and a reload or a lost connection changes nothing.

import { ProblemError } from "../client/activations.js";
import { api } from "../api.js";
import { el } from "../elements/dom.js";
import { keepWish, tab, wishOf } from "../kept.js";
import { t } from "../words/language.js";
import { resultView } from "./result.js";
import { workPanel } from "./work_panel.js";

/** Sends what the form left; a reload in the middle sends it again, under the same key. */
export async function sendingView(stage) {
  const sending = tab.get("sending");
  if (!sending) return stage.replace("#/");
  const panel = workPanel(stage, {
    startedAt: sending.startedAt,
    state: t("state.sending"),
    onCancel: () => {
      tab.forget("sending");
      cancelWhateverWasAccepted(sending);
      stage.replace("#/");
    },
  });
  stage.show(t("work.title"), panel.element);
  const { signal } = stage;
  try {
    const activation = await submitted(sending, { signal, onConnection: panel.connection });
    keepWish(activation.activation_id, { ...sending.wish, startedAt: sending.startedAt });
    tab.forget("sending");
    tab.forget("draft");
    return stage.replace(`#/activation/${activation.activation_id}`, { activation });
  } catch (problem) {
    if (signal.aborted || problem.status === 401) throw problem;
    return stage.replace("#/", { problem });
  }
}

/** The answer may be lost and the wish accepted: under its key it is asked for again, and ended. */
async function cancelWhateverWasAccepted({ wish, key }) {
  try {
    await api.cancel(await api.submit(wish, { idempotencyKey: key }));
  } catch {
    // Done already, or never accepted: it is in the history, or nowhere.
  }
}

async function submitted({ wish, key }, options) {
  for (;;) {
    try {
      return await api.submit(wish, { ...options, idempotencyKey: key });
    } catch (error) {
      if (error.status !== 0 || navigator.onLine) throw error;
      await online(options.signal);
    }
  }
}

function online(signal) {
  return new Promise((resolve, reject) => {
    addEventListener("online", resolve, { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** One activation, from whatever state it is in; `activation` is what a submit has just answered. */
export async function activationView(stage) {
  const { id, signal, activation: submittedNow } = stage;
  if (!/^[\w-]+$/.test(id ?? "")) throw new ProblemError(404); // a mistyped address
  const panel = workPanel(stage, {
    startedAt: wishOf(id)?.startedAt,
    state: t("page.loading"),
    onCancel: () => cancel(id, panel, finished),
  });
  let isOver = false;
  const finished = (activation) => {
    if (isOver || signal.aborted) return;
    isOver = true;
    panel.stop();
    resultView(stage, activation);
  };
  const show = (activation) => {
    if (isOver || activation.done) return;
    panel.update(activation);
    if (!panel.element.isConnected) stage.show(t("work.title"), panel.element);
  };
  const onConnection = (state) => {
    if (isOver) return;
    if (!panel.element.isConnected) stage.show(t("work.title"), panel.element);
    panel.connection(state);
  };
  if (submittedNow) show(submittedNow);
  else stage.show("", el("p", { class: "loading", role: "status" }, t("page.loading")));
  try {
    finished(await api.waitUntilDone(submittedNow ?? id, { signal, onChange: show, onConnection }));
  } catch (error) {
    if (!isOver) throw error; // a cancel has answered already
  }
}

async function cancel(id, panel, finished) {
  panel.complain("");
  try {
    finished(await api.cancel(id));
  } catch (error) {
    // Completed meanwhile: its step is on its way to us.
    if (error.status !== 409) panel.complain(t("work.uncancelled"));
  }
}
