// The caller's own, newest first.

import { api, erase } from "../api.js";
import { ask } from "../elements/ask.js";
import { button, card, el, heading } from "../elements/dom.js";
import { forgetAllActivations } from "../kept.js";
import { dayAndTime, t, word } from "../words/language.js";
import { inWords } from "../problems.js";

const PAGE = 10;

export async function historyView(stage) {
  stage.show("", el("p", { class: "loading", role: "status" }, t("page.loading")));
  const first = await api.list({ limit: PAGE, signal: stage.signal });
  const said = el("p", { class: "problem", role: "status", hidden: true });
  const list = el("ul", { class: "own" });
  const none = el("p", { class: "lead" }, t("history.none"));
  const more = button(t("history.more"), () => attempt(showMore));
  const eraseAll = button(t("history.eraseAll"), () => attempt(eraseEverything));
  let cursor = null;
  let loading = null;

  function add({ items, next_cursor: next }) {
    list.append(...items.map((activation) => row(activation, (item) => attempt(eraseOne, activation, item))));
    cursor = next;
    refresh();
  }

  function refresh() {
    const isEmpty = !list.children.length && !cursor;
    none.hidden = !isEmpty;
    eraseAll.hidden = isEmpty;
    list.hidden = !list.children.length;
    more.hidden = !cursor;
  }

  /** Says what goes wrong, instead of losing the list. */
  async function attempt(work, ...given) {
    say("");
    try {
      await work(...given);
    } catch (error) {
      if (stage.signal.aborted) return;
      if (error.status === 401) stage.failed(error);
      else say(inWords(error));
    }
  }

  function say(text) {
    said.textContent = text;
    said.hidden = !text;
  }

  async function showMore() {
    if (loading) return; // a second click
    const mine = (loading = {});
    try {
      const found = await api.list({ limit: PAGE, cursor, signal: stage.signal });
      if (loading !== mine) return; // all were erased meanwhile
      const before = list.children.length;
      add(found);
      list.children[before]?.querySelector("a").focus();
    } finally {
      if (loading === mine) loading = null;
    }
  }

  async function eraseOne({ activation_id: id }, item) {
    if (!(await ask({ question: t("ask.one"), more: t("ask.oneMore"), yes: t("ask.yes") }, stage.signal))) return;
    await erase(id);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    refresh();
    say(t("history.erased"));
    (next?.querySelector("a") ?? title).focus();
  }

  async function eraseEverything() {
    if (!(await ask({ question: t("ask.all"), more: t("ask.allMore"), yes: t("ask.yes") }, stage.signal))) return;
    await api.eraseAll();
    forgetAllActivations();
    loading = null;
    list.replaceChildren();
    cursor = null;
    refresh();
    say(t("history.erased"));
    title.focus();
  }

  const title = heading(t("history.title"));
  add(first);
  stage.show(t("history.title"), card({ class: "history" },
    title, none, list, said,
    el("div", { class: "actions" },
      el("a", { class: "warm", href: "#/" }, t("step.new")), more, eraseAll)));
}

function row(activation, onErase) {
  const { activation_id: id, created_at: at, status, step, source } = activation;
  const title = step?.title ?? t(status === "cancelled" ? "history.stopped" : "history.untitled");
  const about = step ? word("source", source) : word("status", status);
  const item = el("li", { class: source ?? status },
    el("a", { href: `#/activation/${id}` },
      el("span", { class: "own-title" }, title),
      el("span", { class: "small" }, `${dayAndTime(at)} · ${about}`)),
    el("button", { type: "button", class: "erase", "aria-label": t("history.erase", { title }),
      click: () => onErase(item) }, "×"));
  return item;
}
