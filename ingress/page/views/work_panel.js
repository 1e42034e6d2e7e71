// What is shown while one waits: the states that the server tells of, the time, and a way out.

import { button, card, el, heading, svg } from "../elements/dom.js";
import { t } from "../words/language.js";

const PASSED = ["accepted", "queued", "processing"];
const TICK_MS = 250;
const USUAL_SECONDS = 8;
const LONG_SECONDS = 25;
const AROUND = 2 * Math.PI * 52;

/** What is shown while one waits. `startedAt` is this browser's clock in ms, where it is known. */
export function workPanel(stage, { startedAt, state: firstState, onCancel }) {
  let since = startedAt ?? null;
  const { ring, turn } = progressRing();
  const seconds = el("span", { class: "seconds" }, "0");
  const state = el("p", { class: "state", role: "status" }, firstState);
  const notice = el("p", { class: "notice", role: "status", hidden: true });
  const trouble = el("p", { class: "problem", role: "alert", hidden: true });
  const lead = el("p", { class: "lead" }, t("work.lead"));
  const steps = PASSED.map((name) => el("li", {}, t(`work.${name}`)));
  const tick = () => {
    const elapsed = Math.max(0, (Date.now() - (since ?? Date.now())) / 1000);
    seconds.textContent = String(Math.floor(elapsed));
    turn(elapsed);
    if (elapsed > LONG_SECONDS) lead.textContent = t("work.long");
  };
  const timer = setInterval(tick, TICK_MS);
  // Either may be lost without the other: the browser's own connection, and the server.
  let isServerLost = false;
  addEventListener("offline", showConnection, { signal: stage.signal });
  addEventListener("online", showConnection, { signal: stage.signal });
  stage.signal.addEventListener("abort", () => clearInterval(timer));

  function showConnection() {
    const isLost = isServerLost || !navigator.onLine;
    notice.textContent = isLost ? t("lost.connection") : "";
    notice.hidden = !isLost;
  }

  tick();
  showConnection();
  return {
    element: card({ class: "work" },
      heading(t("work.title")), lead,
      el("div", { class: "clock" }, ring,
        el("p", { class: "elapsed" }, seconds, el("span", {}, t("work.seconds")))),
      el("ol", { class: "steps" }, ...steps), state, notice, trouble,
      el("div", { class: "actions" }, button(t("work.cancel"), onCancel))),
    connection(how) {
      isServerLost = how === "lost";
      showConnection();
    },
    stop: () => clearInterval(timer),
    complain(text) {
      trouble.textContent = text;
      trouble.hidden = !text;
    },
    update(activation) {
      since ??= Math.min(Date.parse(activation.created_at), Date.now());
      state.textContent = inWords(activation);
      const reached = activation.status === "processing" ? 2 : 1;
      steps.forEach((step, index) => {
        step.className = index < reached ? "passed" : "";
        step.toggleAttribute("aria-current", false);
        if (index === reached) step.setAttribute("aria-current", "step");
      });
      tick();
    },
  };
}

function inWords({ status, attempt, usage }) {
  if (status === "processing") return t(attempt > 1 ? "state.retry" : "state.processing", { attempt });
  return t(attempt > 0 || usage.gemini_calls > 0 ? "state.again" : "state.queued");
}

/** Nobody knows how long it takes: the ring slows down as it fills, and is never quite full. */
function progressRing() {
  const filled = svg("circle", { class: "filled", cx: 60, cy: 60, r: 52,
    stroke: "url(#warm)", "stroke-dasharray": AROUND, "stroke-dashoffset": AROUND });
  const warm = svg("linearGradient", { id: "warm", x1: 1, y1: 1, x2: 0, y2: 0 },
    svg("stop", { offset: 0, "stop-color": "#FF6F61" }),
    svg("stop", { offset: 1, "stop-color": "#FF9F43" }));
  const ring = svg("svg", { viewBox: "0 0 120 120", class: "ring", "aria-hidden": "true" },
    svg("defs", {}, warm), svg("circle", { class: "empty", cx: 60, cy: 60, r: 52 }), filled);
  const turn = (elapsed) => {
    const part = 0.06 + 0.9 * (1 - Math.exp(-elapsed / USUAL_SECONDS));
    filled.setAttribute("stroke-dashoffset", String(AROUND * (1 - part)));
  };
  return { ring, turn };
}
