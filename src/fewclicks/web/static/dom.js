// Small helps for building elements. Text always goes in as text, never as HTML.

/** @param {string} id */
export const byId = (id) => {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element;
};

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `text`, `class`, functions as listeners, the rest
 *   as attributes; false and null leave one out
 * @param {(Node | string)[]} [children]
 */
export function make(tag, attributes = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "text") element.textContent = String(value);
    else if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the sheet in index.html. @param {string} name */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  drawing.append(use);
  return drawing;
}

/** A coloured square, on an element that has none. @param {string} colour */
export function swatch(colour) {
  const square = make("span", { class: "swatch", "aria-hidden": "true" });
  square.style.backgroundColor = colour;
  return square;
}

/** Whether keys belong to what has the focus: a text is being written, a list being chosen from. */
export function isWriting(element) {
  return element instanceof HTMLElement
    && (element.isContentEditable || element.matches("textarea, select")
      || (element.matches("input") && !element.matches("[type=range], [type=checkbox], [type=button]")));
}

/** Sets an attribute only where it changes, so that drawing a panel again moves nothing. */
export function put(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** A whole number as people read it. */
export const counted = (number) => number.toLocaleString("en");
