// The notebook's widget: one picture, its clicks and its mask. A notebook loads one module and no
// neighbours, so widget.py puts what is imported in the place of the import.

import { drawClick } from "./click_mark.js";

const OPACITY = 0.45;
const LONGEST = 1600;

/** @param {DataView | undefined} bytes */
function decode(bytes) {
  return bytes?.byteLength ? createImageBitmap(new Blob([bytes])) : Promise.resolve(null);
}

function make(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

export function render({ model, el }) {
  const [width, height] = model.get("size");
  const root = make("div", "fewclicks");
  const canvas = make("canvas", "fewclicks-picture");
  const shrink = Math.min(1, LONGEST / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * shrink));
  canvas.height = Math.max(1, Math.round(height * shrink));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Picture: left click on the object, right click off it");
  const bar = make("div", "fewclicks-bar");
  const undo = make("button", "fewclicks-undo", "Undo");
  const redo = make("button", "fewclicks-redo", "Redo");
  const notice = make("span", "fewclicks-notice");
  notice.setAttribute("role", "status");
  bar.append(undo, redo, notice);
  root.append(canvas, bar);
  el.append(root);

  let picture = null;
  let overlay = null;
  let waiting = [];
  let newest = 0;

  function draw() {
    const context = canvas.getContext("2d");
    const { width: wide, height: high } = canvas;
    context.clearRect(0, 0, wide, high);
    if (picture) context.drawImage(picture, 0, 0, wide, high);
    context.globalAlpha = OPACITY;
    context.imageSmoothingEnabled = false;
    if (overlay) context.drawImage(overlay, 0, 0, wide, high);
    context.globalAlpha = 1;
    const onScreen = wide / (canvas.getBoundingClientRect().width || wide);
    for (const mark of [...(model.get("state").marks ?? []), ...waiting]) {
      const place = [((mark.x + 0.5) * wide) / width, ((mark.y + 0.5) * high) / height];
      drawClick(context, place, mark.is_positive, mark.isWaiting ?? false, onScreen);
    }
  }

  async function showAnswer() {
    const state = model.get("state");
    const number = ++newest;
    const drawn = await decode(model.get("overlay"));
    if (number !== newest) return; // a newer answer came while this one was decoded
    overlay = drawn;
    waiting = [];
    undo.disabled = !state.can_undo;
    redo.disabled = !state.can_redo;
    notice.textContent = state.notice ?? "";
    root.dataset.answer = state.answer;
    draw();
  }

  async function showPicture() {
    picture = await decode(model.get("picture"));
    draw();
  }

  function send(message) {
    model.send(message);
    canvas.focus({ preventScroll: true });
  }

  function press(event) {
    if (event.button !== 0 && event.button !== 2) return;
    event.preventDefault();
    const { left, top, width: wide, height: high } = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - left) * width) / wide);
    const y = Math.floor(((event.clientY - top) * height) / high);
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const isPositive = event.button === 0 && !event.shiftKey;
    waiting.push({ x, y, is_positive: isPositive, isWaiting: true });
    draw();
    send({ kind: "click", x, y, is_positive: isPositive });
  }

  function key(event) {
    const letter = event.key.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has the same keys
    const isRedo = letter === "y" || event.shiftKey;
    if (!(isRedo ? redo : undo).disabled) send({ kind: isRedo ? "redo" : "undo" });
  }

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("keydown", key);
  undo.addEventListener("click", () => send({ kind: "undo" }));
  redo.addEventListener("click", () => send({ kind: "redo" }));
  model.on("change:state", showAnswer);
  model.on("change:picture", showPicture);
  showPicture();
  showAnswer();
  return () => {
    model.off("change:state", showAnswer);
    model.off("change:picture", showPicture);
  };
}

export default { render };
