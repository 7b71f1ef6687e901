// References: a finished object shows what a label means, and guides its clicks in every picture.

import { byId } from "./dom.js";
import { Layer } from "./layer.js";
import { View } from "./view.js";

const MEANT = "#23b26d";
const NOT_MEANT = "#e5484d";
/** Longest side of the picture in the dialog, in pixels. */
const SHOWN = 640;

/** @typedef {import("./model.js").Finished} Finished */

export class References {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(action: object) => void} act
   * @param {(text: string) => void} say
   */
  constructor(api, model, act, say) {
    this.api = api;
    this.model = model;
    this.act = act;
    this.say = say;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("reference-dialog"));
    this.pictures = /** @type {HTMLSelectElement} */ (byId("reference-picture"));
    this.objects = /** @type {HTMLSelectElement} */ (byId("reference-object"));
    this.negatives = /** @type {HTMLSelectElement} */ (byId("reference-negative"));
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("reference-shown"));
    /** Label that the dialog is about. */
    this.label = "";
    /** Of the picture chosen in the dialog. @type {?{id: number, objects: Finished[], bitmap: ImageBitmap}} */
    this.shown = null;
    this.notice = null;
    this.#listen();
  }

  #listen() {
    const { model } = this;
    byId("reference-choose").addEventListener("click", () => this.choose());
    byId("reference-drop").addEventListener("click", () => this.#drop(this.#chosenLabel));
    byId("reference-forget").addEventListener("click", () => {
      this.dialog.close();
      this.#drop(this.label);
    });
    byId("reference-close").addEventListener("click", () => this.dialog.close());
    this.pictures.addEventListener("change", () => this.#take(Number(this.pictures.value), null));
    this.objects.addEventListener("change", () => this.#offerNegatives(null));
    this.negatives.addEventListener("change", () => this.#paint());
    byId("reference-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use();
    });
    model.later(["picture", "project", "label", "selected", "rows", "otherHolder"], () => this.#draw());
  }

  /** The selected object's label, else that of the next object. */
  get #chosenLabel() {
    const { picture, selected, label } = this.model;
    return picture?.objects.find(({ id }) => id === selected)?.label ?? label;
  }

  /** @param {?string} label @returns {?import("./model.js").Reference} */
  #of(label) {
    return this.model.picture?.references.find((each) => each.label === label) ?? null;
  }

  /** Opens the dialog for the chosen label. */
  async choose() {
    const { model } = this;
    const label = this.#chosenLabel;
    if (model.isReadOnly || !model.picture) return this.act(null);
    if (!label) return this.say("Choose a label first: a reference shows what it means.");
    const known = this.#of(label);
    const here = model.picture.objects.find(({ id }) => id === model.selected)
      ?? model.picture.objects.findLast((each) => each.label === label);
    const ids = this.#offerPictures();
    if (!ids.length) return this.say("Finish an object first: it can show what a label means.");
    this.label = label;
    byId("reference-label").textContent = label;
    /** @type {HTMLButtonElement} */ (byId("reference-forget")).disabled = known === null;
    byId("reference-hint").textContent = this.#hint();
    const chosen = here ? { picture: model.picture.id, object: here.id, negative: null } : known;
    const picture = chosen && ids.includes(chosen.picture) ? chosen.picture : ids[0];
    this.pictures.value = String(picture);
    if (!this.dialog.open) this.dialog.showModal();
    await this.#take(picture, chosen);
    return byId("reference-use").focus();
  }

  /** @returns {number[]} pictures with a finished object, this one first */
  #offerPictures() {
    const { rows, picture } = this.model;
    const offered = rows.filter(({ id, objects }) => objects > 0 || id === picture.id);
    const here = offered.filter(({ id }) => id === picture.id && picture.objects.length);
    const all = [...here, ...offered.filter(({ id }) => id !== picture.id)];
    this.pictures.replaceChildren(...all.map(({ id, name }) => new Option(name, String(id))));
    return all.map(({ id }) => id);
  }

  /** @param {number} id of a picture @param {?{object: number, negative: ?number}} chosen */
  async #take(id, chosen) {
    this.shown = null;
    this.#problem("");
    try {
      const [{ objects }, blob] = await Promise.all([
        this.api.json("GET", `/api/pictures/${id}/objects`),
        this.api.blob(`/api/pictures/${id}/image?longest=${SHOWN}`),
      ]);
      const bitmap = await createImageBitmap(blob);
      if (this.pictures.value !== String(id)) return;
      this.shown = { id, objects, bitmap };
    } catch (problem) {
      this.#problem(problem.message);
    }
    const found = this.shown?.objects ?? [];
    const names = found.map((object) => [object.id, nameOf(object, found)]);
    this.objects.replaceChildren(...names.map(([value, name]) => new Option(name, String(value))));
    const ofLabel = found.findLast(({ label }) => label === this.label);
    const wanted = found.find(({ id: object }) => object === chosen?.object) ?? ofLabel ?? found.at(-1);
    if (wanted) this.objects.value = String(wanted.id);
    this.#offerNegatives(chosen?.negative ?? null);
  }

  /** Any other object of the picture can show what is not meant. */
  #offerNegatives(chosen) {
    const found = this.shown?.objects ?? [];
    const others = found.filter(({ id }) => String(id) !== this.objects.value);
    this.negatives.replaceChildren(
      new Option("nothing", ""), ...others.map((each) => new Option(nameOf(each, found), String(each.id))),
    );
    this.negatives.value = others.some(({ id }) => id === chosen) ? String(chosen) : "";
    /** @type {HTMLButtonElement} */ (byId("reference-use")).disabled = !this.objects.value;
    this.#paint();
  }

  #paint() {
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.shown) return;
    const { bitmap, objects } = this.shown;
    this.canvas.width = bitmap.width;
    this.canvas.height = bitmap.height;
    context.drawImage(bitmap, 0, 0);
    for (const [select, colour] of [[this.objects, MEANT], [this.negatives, NOT_MEANT]]) {
      const rle = objects.find(({ id }) => String(id) === select.value)?.rle;
      if (rle) new Layer(rle, colour).draw(context, filling(this.canvas, rle.size), { opacity: 0.5, contour: true });
    }
  }

  #use() {
    if (!this.shown || !this.objects.value) return;
    this.dialog.close();
    this.act({
      kind: "reference", label: this.label, picture: this.shown.id, object: Number(this.objects.value),
      ...(this.negatives.value ? { negative: Number(this.negatives.value) } : {}),
    });
  }

  #drop(label) {
    if (this.#of(label)) this.act({ kind: "unreference", label });
  }

  #problem(text) {
    byId("reference-problem").textContent = text;
  }

  #hint() {
    const { project } = this.model;
    return project?.takes_references ? "It guides the clicks of this label in every picture."
      : `${project?.method} takes no references: it is kept, and clicks go on plainly.`;
  }

  #draw() {
    const { picture, rows, isReadOnly, project } = this.model;
    const label = this.#chosenLabel;
    const known = this.#of(label);
    byId("reference").hidden = !label || !picture;
    const name = rows.find(({ id }) => id === known?.picture)?.name;
    const isIdle = known && !project?.takes_references;
    const text = byId("reference-text");
    const file = name?.split("/").pop() ?? "another picture";
    text.textContent = !known ? "No reference" : isIdle ? `${project?.method} takes none` : `Guided by ${file}`;
    text.title = known ? [name, picture?.active.notice].filter(Boolean).join("\n") : "";
    byId("reference").dataset.idle = String(Boolean(isIdle || (known && picture?.active.notice)));
    byId("reference-drop").hidden = !known;
    byId("reference-choose").textContent = known ? "Change" : "Choose";
    for (const id of ["reference-drop", "reference-choose"]) {
      /** @type {HTMLButtonElement} */ (byId(id)).disabled = isReadOnly;
    }
    const notice = picture?.active.notice ?? null;
    if (notice && notice !== this.notice) this.say(notice);
    this.notice = notice;
  }
}

/** An object's label, with a number where the picture has several of it. */
function nameOf({ id, label }, all) {
  const alike = all.filter((each) => each.label === label);
  return alike.length > 1 ? `${label} ${alike.findIndex((each) => each.id === id) + 1}` : label;
}

/** A view in which the whole picture fills a canvas. */
function filling(canvas, [height, width]) {
  const view = new View();
  view.resize(canvas.width, canvas.height, 1);
  view.take(width, height);
  Object.assign(view, { scale: canvas.width / width, left: 0, top: 0 });
  return view;
}
