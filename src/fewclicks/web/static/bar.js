// The bar, the tools and the panel's controls: buttons that show the model and change it.

import { byId, counted, put } from "./dom.js";
import { LARGEST_BRUSH, SMALLEST_BRUSH, TOOLS } from "./tools.js";

const WORDS = { new: "new", open: "in work", done: "done" };

/**
 * @param {import("./model.js").Model} model
 * @param {import("./keys.js").Commands} commands the same that the keys run
 */
export function wireBar(model, commands) {
  for (const name of ["previous", "next", "done", "undo", "redo", "hover", "finish", "discard",
    "zoom-in", "zoom-out", "zoom-fit"]) {
    byId(name).addEventListener("click", () => commands[name]());
  }
  model.later(["picture", "waiting", "otherHolder"], () => {
    const { picture, isReadOnly, waiting } = model;
    disable("undo", isReadOnly || !(picture?.can_undo || waiting.length));
    disable("redo", isReadOnly || !picture?.can_redo);
    disable("done", isReadOnly || !picture);
    disable("finish", isReadOnly || !model.hasActive);
    disable("discard", isReadOnly || !model.hasActive);
    byId("picture-name").textContent = picture?.name ?? "";
    byId("picture-name").title = picture ? `${picture.name}, ${picture.width} × ${picture.height}` : "";
    put(byId("picture-state"), "data-state", picture?.state ?? "new");
    byId("picture-state").textContent = WORDS[picture?.state] ?? "";
    put(byId("done"), "aria-pressed", picture?.state === "done");
    document.title = picture ? `${picture.name} · fewclicks` : "fewclicks";
    showActive(model);
  });
  model.later(["project"], () => {
    byId("project-name").textContent = model.project?.name ?? "fewclicks";
    byId("project-name").title = model.project?.name ?? "";
  });
  model.later(["hoverWanted"], () => put(byId("hover"), "aria-pressed", model.hoverWanted));
}

function disable(id, disabled) {
  /** @type {HTMLButtonElement} */ (byId(id)).disabled = disabled;
}

function showActive(model) {
  const { picture } = model;
  const reopened = picture?.objects.find(({ id }) => id === picture.active.reopened);
  const label = reopened?.label ?? picture?.active.label;
  if (model.isSearching) {
    byId("active-name").textContent = `Others like ${model.exemplar?.label}`;
    return;
  }
  byId("active-name").textContent = picture?.active.reopened != null
    ? `Editing ${label ?? "an object"}` : "New object";
}

/** @param {import("./model.js").Model} model @param {() => number} area of the active mask */
export function wireArea(model, area) {
  model.later(["picture", "waiting"], () => {
    const { clicks } = model.foreseen();
    const pixels = area();
    const text = pixels ? `${counted(pixels)} px` : "";
    byId("active-area").textContent = text;
    const words = clicks.length ? `${clicks.length} click${clicks.length > 1 ? "s" : ""}` : "";
    byId("spoken").textContent = [words, pixels ? `mask of ${text}` : ""].filter(Boolean).join(", ");
  });
}

/** @param {import("./model.js").Model} model */
export function wireTools(model) {
  const holder = byId("tools");
  const buttons = /** @type {HTMLButtonElement[]} */ ([...holder.querySelectorAll("[data-tool]")]);
  for (const button of buttons) {
    button.addEventListener("click", () => model.set({ tool: button.dataset.tool, draft: null }));
  }
  holder.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by || event.shiftKey) return;
    event.preventDefault();
    const at = TOOLS.indexOf(model.tool);
    model.set({ tool: TOOLS[(at + by + TOOLS.length) % TOOLS.length], draft: null });
    buttons.find((button) => button.dataset.tool === model.tool).focus();
  });
  const size = /** @type {HTMLInputElement} */ (byId("size"));
  size.min = String(SMALLEST_BRUSH);
  size.max = String(LARGEST_BRUSH);
  size.addEventListener("input", () => model.set({ brush: Number(size.value) }));
  const show = () => {
    for (const button of buttons) {
      const isChosen = button.dataset.tool === model.tool;
      put(button, "aria-checked", isChosen);
      button.tabIndex = isChosen ? 0 : -1;
    }
    byId("size-holder").hidden = model.tool !== "brush" && model.tool !== "eraser";
    size.value = String(model.brush);
    byId("size-value").textContent = `${model.brush} px`;
  };
  model.on(["tool", "brush"], show);
  show();
}

/**
 * @param {import("./model.js").Model} model
 * @param {(method: string) => void} choose
 */
export function wireView(model, choose) {
  const opacity = /** @type {HTMLInputElement} */ (byId("opacity"));
  const contour = /** @type {HTMLInputElement} */ (byId("contour"));
  const method = /** @type {HTMLSelectElement} */ (byId("method"));
  opacity.addEventListener("input", () => model.set({ opacity: Number(opacity.value) / 100 }));
  contour.addEventListener("change", () => model.set({ contour: contour.checked }));
  method.addEventListener("change", () => choose(method.value));
  const show = () => {
    opacity.value = String(Math.round(model.opacity * 100));
    contour.checked = model.contour;
  };
  model.on(["opacity", "contour"], show);
  show();
  model.later(["project"], () => {
    const names = model.project?.methods ?? [];
    if ([...method.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
      method.replaceChildren(...names.map((name) => new Option(name, name)));
    }
    method.value = model.project?.method ?? "";
  });
}
