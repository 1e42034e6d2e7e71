// The page's language: what was chosen here, else the browser's first that we speak, else Swedish.

import { device } from "../kept.js";
import en from "./strings.en.js";
import sv from "./strings.sv.js";

const STRINGS = { sv, en };

function preferred() {
  const spoken = (navigator.languages ?? []).map((tag) => tag.split("-")[0].toLowerCase());
  return spoken.find((name) => Object.hasOwn(STRINGS, name)) ?? "sv";
}

const chosen = device.get("language");
let current = Object.hasOwn(STRINGS, chosen ?? "") ? chosen : preferred();

export const language = () => current;
export const other = () => (current === "sv" ? "en" : "sv");

export function choose(name) {
  current = name;
  device.set("language", name);
}

/** The words for a key, with values in their places: "{count}". A missing key is a bug of ours. */
export function t(key, values = {}) {
  const words = STRINGS[current][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The words for a key that comes from the server; a newer server may say one we don't know. */
export function word(kind, name) {
  return STRINGS[current][`${kind}.${name}`] ?? name.replaceAll("_", " ");
}

/** "in 40 seconds", "in 12 minutes", "in 2 hours" */
export function inTime(seconds) {
  const [amount, unit] = seconds < 90 ? [seconds, "second"]
    : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.RelativeTimeFormat(current).format(Math.ceil(amount), unit);
}

export function clockTime(date) {
  return new Intl.DateTimeFormat(current, { hour: "2-digit", minute: "2-digit" }).format(date);
}

export function dayAndTime(text) {
  const shape = { weekday: "short", day: "numeric", month: "short", hour: "2-digit",
    minute: "2-digit" };
  return new Intl.DateTimeFormat(current, shape).format(new Date(text));
}
