// Builds elements. Text only ever becomes text nodes, so nothing that is shown can be markup.

const SVG = "http://www.w3.org/2000/svg";

/** An attribute that is a function listens, true is bare, and null, undefined or false is left out.
 *  @param {string} tag @param {Record<string, any>} [attributes]
 *  @param {...(Node | string | null | false)} children */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, for drawings. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** A card, the frame of most views. */
export function card(attributes, ...children) {
  return el("section", { ...attributes, class: `card ${attributes.class ?? ""}`.trim() },
    ...children);
}

export function button(label, click, look = "quiet") {
  return el("button", { type: "button", class: look, click }, label);
}

/** The heading of a view: it gets the focus when the view changes, so that it is read out. A step's
 *  title may be in a language that is read from right to left. */
export function heading(text) {
  return el("h1", { tabindex: "-1", dir: "auto" }, text);
}
