// The keyboard: which key does what, the crosshair, and the same list for the help.

import { isWriting } from "./dom.js";
import { LARGEST_BRUSH, SMALLEST_BRUSH } from "./tools.js";

/** Keys and mouse as the help shows them. */
export const HELP = [
  { group: "On the picture", keys: [
    ["Left", "click: on the object"], ["Right", "click: off the object"],
    ["Wheel", "zoom; also plus and minus"], ["Space drag", "pan; also the middle button"],
    ["F", "fit the picture"], ["Alt Wheel", "part, object, group; also comma and full stop"],
    ["[ ]", "size of brush and eraser"],
  ] },
  { group: "Tools", keys: [
    ["C", "click"], ["B", "box"], ["S", "scribble"], ["P", "brush"], ["E", "eraser"],
    ["V", "select a finished object"], ["Escape", "drop what is being drawn"],
  ] },
  { group: "Objects", keys: [
    ["Enter", "finish; also N"], ["Backspace", "discard the present object"],
    ["1–9", "label of the selected or next object"], ["L", "write a new label"],
    ["G", "select the next object"], ["R", "edit the selected object again"],
    ["Delete", "delete the selected object"], ["Alt ↑ ↓", "move it up or down"],
    ["O", "find the others; G goes on to the next"], ["A R", "accept or refuse it; a click corrects"],
    ["Shift A", "accept all; Escape ends"], ["M", "what the label means: its reference"],
  ] },
  { group: "Without a mouse", keys: [
    ["Shift ← ↑ → ↓", "move the crosshair; with Ctrl pixel by pixel"],
    ["Space", "click on the object, or begin and end a stroke"], ["X", "the same, off the object"],
  ] },
  { group: "Work", keys: [
    ["Ctrl Z", "undo"], ["Ctrl Y", "redo; also Ctrl Shift Z"], ["← →", "picture before, after; also Page Up, Page Down"],
    ["D", "picture done"], ["Shift D", "done, and on to the next"], ["H", "mask under the pointer"],
    ["T", "light or dark"], ["?", "this help"],
  ] },
];

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** How far the crosshair goes at once, in screen units. */
const STRIDE = 12;
const ZOOM = 1.25;

/** @typedef {Record<string, (event?: KeyboardEvent) => void>} Commands */

export class Keys {
  /**
   * @param {import("./model.js").Model} model
   * @param {import("./view.js").View} view
   * @param {import("./canvas.js").Stage} stage
   * @param {import("./tools.js").Tools} tools
   * @param {Commands} commands by name; see `#named`
   */
  constructor(model, view, stage, tools, commands) {
    this.model = model;
    this.view = view;
    this.stage = stage;
    this.tools = tools;
    this.commands = commands;
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => {
      if (event.code === "Space") this.tools.holdSpace(false);
    });
    window.addEventListener("blur", () => this.tools.holdSpace(false));
  }

  #down(event) {
    if (document.querySelector("dialog[open]")) {
      if (event.key === "?" && document.querySelector("#help-dialog[open]")) this.#run("help", event);
      return;
    }
    if (isWriting(event.target) || event.isComposing) return;
    if (ARROWS[event.key]) return this.#arrow(event);
    // AltGr writes brackets on many keyboards, and comes as Ctrl with Alt.
    const isPlain = event.getModifierState("AltGraph") || (!event.ctrlKey && !event.metaKey && !event.altKey);
    if (!isPlain) return this.#withControl(event);
    const onButton = event.target instanceof HTMLElement && event.target.matches("button, summary, [type=checkbox]");
    if (onButton && (event.key === " " || event.key === "Enter")) return undefined;
    if (event.code === "Space") return this.#space(event);
    if (/^[1-9]$/.test(event.key)) return this.#run("digit", event);
    return this.#run(this.#named(event), event);
  }

  #withControl(event) {
    if (event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key === "z") this.#run(event.shiftKey ? "redo" : "undo", event);
    if (key === "y") this.#run("redo", event);
  }

  /** Name of the command of a key without modifiers, by its letter whatever the case. */
  #named(event) {
    const { key } = event;
    const proposing = this.model.proposals.length > 0;
    switch (key.length === 1 ? key.toLowerCase() : key) {
      case "c": return "tool-click";
      case "b": return "tool-box";
      case "s": return "tool-scribble";
      case "p": return "tool-brush";
      case "e": return "tool-eraser";
      case "v": return "tool-select";
      case "+": case "=": return "zoom-in";
      case "-": return "zoom-out";
      case "f": return "zoom-fit";
      case ",": return "level-down";
      case ".": return "level-up";
      case "[": return "brush-smaller";
      case "]": return "brush-larger";
      case "n": return "finish";
      case "Enter": return proposing ? "accept" : "finish";
      case "a": return proposing ? (event.shiftKey ? "accept-all" : "accept") : "";
      case "r": return proposing ? "refuse" : "reopen";
      case "Backspace": return "discard";
      case "Delete": return "delete";
      case "l": return "label";
      case "g": return proposing ? "next-proposal" : "select-next";
      case "m": return "reference";
      case "o": return "others";
      case "x": return "press-negative";
      case "d": return event.shiftKey ? "done-next" : "done";
      case "h": return "hover";
      case "t": return "theme";
      case "?": return "help";
      case "PageDown": return "next";
      case "PageUp": return "previous";
      case "Escape": return "escape";
      default: return "";
    }
  }

  #run(name, event) {
    if (name === "press-negative") return this.#press(event, false);
    if (name === "brush-smaller" || name === "brush-larger") {
      event.preventDefault();
      return this.#resize(name === "brush-larger" ? ZOOM : 1 / ZOOM);
    }
    const command = this.commands[name];
    if (!command) return undefined;
    event.preventDefault();
    return command(event);
  }

  #arrow(event) {
    const inWidget = event.target instanceof HTMLElement
      && event.target.matches("[type=range], [role=radio], [role=menuitem], [role=option]");
    const [right, down] = ARROWS[event.key];
    if (event.shiftKey && !event.altKey) {
      event.preventDefault();
      return this.#steer(right, down, event.ctrlKey || event.metaKey);
    }
    if (inWidget || event.ctrlKey || event.metaKey) return undefined;
    if (event.altKey) return down ? this.#run(down < 0 ? "move-up" : "move-down", event) : undefined;
    return this.#run(right + down > 0 ? "next" : "previous", event);
  }

  /** Moves the crosshair, which begins in the middle of what is seen. */
  #steer(right, down, isFine) {
    const { model, view } = this;
    if (!model.picture) return;
    const from = model.cursor ?? view.nearestPixel(view.width / 2, view.height / 2);
    const far = isFine ? 1 : Math.max(1, Math.round(STRIDE / view.scale));
    const cursor = {
      x: Math.min(view.pictureWidth - 1, Math.max(0, from.x + right * far)),
      y: Math.min(view.pictureHeight - 1, Math.max(0, from.y + down * far)),
    };
    if (model.draft) this.tools.drag(cursor);
    model.set({ cursor: model.cursor || model.draft ? cursor : from, hover: null });
    this.#bringIntoSight(cursor);
    this.commands.steered?.();
  }

  #bringIntoSight({ x, y }) {
    const { view } = this;
    const [left, top] = view.toScreen(x, y);
    const edge = 30;
    const right = Math.max(0, edge - left) + Math.min(0, view.width - edge - left);
    const down = Math.max(0, edge - top) + Math.min(0, view.height - edge - top);
    if (view.fitted || (!right && !down)) return;
    view.panBy(right, down);
    this.stage.moved();
  }

  /** Space clicks where the crosshair is; without one it is held to pan with the pointer. */
  #space(event) {
    event.preventDefault();
    if (this.model.cursor) this.#press(event, true);
    else if (!event.repeat) this.tools.holdSpace(true);
  }

  #press(event, isPositive) {
    const { cursor, draft } = this.model;
    if (!cursor || event.repeat) return;
    event.preventDefault();
    performance.mark("click");
    if (draft) this.tools.release();
    else this.tools.press(cursor, isPositive);
  }

  #resize(factor) {
    const { brush } = this.model;
    const step = factor > 1 ? Math.max(brush + 1, brush * factor) : Math.min(brush - 1, brush * factor);
    const size = Math.min(LARGEST_BRUSH, Math.max(SMALLEST_BRUSH, Math.round(step)));
    this.model.set({ brush: size });
  }
}
