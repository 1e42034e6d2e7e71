// The five faces, drawn, so that they look the same on every device.

import { svg } from "./dom.js";

const MOUTHS = [
  "M15 35q9 -9 18 0",
  "M16 34q8 -5 16 0",
  "M16 33h16",
  "M16 31q8 6 16 0",
  "M14 29q10 13 20 0z",
];
const BROWS = ["M12 17l6 -3M36 17l-6 -3", "M13 16l5 -1M35 16l-5 -1", "", "", ""];

/** @param {number} mood 1 to 5 */
export function face(mood) {
  const eyes = mood === 5 ? "M13 21q3 -4 6 0M29 21q3 -4 6 0" : "M16.5 21v.01M31.5 21v.01";
  return svg("svg", { viewBox: "0 0 48 48", class: `face mood-${mood}`, "aria-hidden": "true" },
    svg("circle", { class: "skin", cx: 24, cy: 24, r: 22 }),
    svg("path", { class: "eyes", d: eyes }),
    svg("path", { class: "brows", d: BROWS[mood - 1] }),
    svg("path", { class: mood === 5 ? "mouth open" : "mouth", d: MOUTHS[mood - 1] }));
}
