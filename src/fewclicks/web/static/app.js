// The page: puts its parts together and begins.

import { Actions } from "./actions.js";
import { Api } from "./api.js";
import { Banner } from "./banner.js";
import { wireArea, wireBar, wireTools, wireView } from "./bar.js";
import { Stage } from "./canvas.js";
import { byId } from "./dom.js";
import { Hover } from "./hover.js";
import { HELP, Keys } from "./keys.js";
import { Labels } from "./labels.js";
import { Leases } from "./leases.js";
import { Levels } from "./levels.js";
import { PictureList } from "./list.js";
import { ExportMenu, Help } from "./menus.js";
import { Model } from "./model.js";
import { Objects } from "./objects.js";
import { Opening } from "./opening.js";
import { Outbox } from "./outbox.js";
import { Project } from "./project.js";
import { Proposals } from "./proposals.js";
import { References } from "./references.js";
import { Remembered, SignIn, wireTheme } from "./session.js";
import { Tools, TOOLS } from "./tools.js";
import { View } from "./view.js";
import { Pulse, wireFoot } from "./work.js";

const KEPT = ["tool", "brush", "opacity", "contour", "hoverWanted", "label"];
const ZOOM = 1.25;
/** Other annotators' work is seen in the list after at most this long. */
const LIST_MS = 60_000;

const model = new Model();
const view = new View();
const banner = new Banner();
const say = (text) => banner.say(text);
const api = new Api({ onConnection });
const signIn = new SignIn(api);
const leases = new Leases(api, onHolder);
const outbox = new Outbox(api, {
  onChange: (items) => model.set({ waiting: items }),
  onAnswer,
  onRefused,
  onDelay,
  mayGo: (item) => leases.ensure(item.picture),
  onUnkept: () => banner.show("unkept", {
    kind: "warning",
    text: "The browser keeps nothing: do not close this page before all is saved.",
  }),
});
const actions = new Actions(model, outbox, banner);
const isIdle = (picture) => !outbox.items.some((item) => item.picture === picture);
const opening = new Opening(api, model, view, leases, isIdle);
const stage = new Stage(
  model, view, /** @type {HTMLCanvasElement} */ (byId("below")),
  /** @type {HTMLCanvasElement} */ (byId("above")),
);
const list = new PictureList(api, model, (id) => open(id));
const objects = new Objects(model, actions.act, (id) => stage.areaOf(id));
const project = new Project(api, model, say, () => opening.refresh());
const proposals = new Proposals(model, actions.act, say);
const references = new References(api, model, actions.act, say);
const levels = new Levels(api, model, actions.act, say);
const labels = new Labels(model, {
  choose: actions.chooseLabel, add: project.addLabel, recolour: project.recolour,
  finish: (label) => {
    model.set({ label });
    actions.finish();
  },
});
actions.askForLabel = () => {
  labels.askToFinish();
  say("Give the object a label.");
};
actions.takeLabel = () => labels.take();
const tools = new Tools(model, view, stage, {
  act: actions.act,
  turnLevel: (by) => levels.turn(by),
  judge: (index, accept) => proposals.judge(index, accept),
  reopen: (object) => objects.reopen(object),
});
const help = new Help(HELP);
const pulse = new Pulse(api, model);
/** @type {Remembered} */
let remembered;

/** @type {import("./keys.js").Commands} */
const commands = {
  ...Object.fromEntries(TOOLS.map((tool) => [`tool-${tool}`, () => model.set({ tool, draft: null })])),
  "zoom-in": () => zoom(ZOOM),
  "zoom-out": () => zoom(1 / ZOOM),
  "zoom-fit": () => {
    view.fit();
    stage.moved();
  },
  "level-up": () => levels.turn(1),
  "level-down": () => levels.turn(-1),
  finish: actions.finish,
  discard: actions.discard,
  undo: actions.undo,
  redo: actions.redo,
  digit: (event) => labels.chooseDigit(Number(event.key)),
  label: () => byId("label-input").focus(),
  "select-next": () => objects.selectNext(),
  reopen: () => model.selected !== null && objects.reopen(model.selected),
  delete: () => model.selected !== null && objects.remove(model.selected),
  "move-up": () => model.selected !== null && objects.move(model.selected, 1),
  "move-down": () => model.selected !== null && objects.move(model.selected, -1),
  others: () => proposals.find(),
  "next-proposal": () => proposals.step(),
  reference: () => references.choose(),
  accept: () => proposals.judge(model.proposal, true),
  refuse: () => proposals.judge(model.proposal, false),
  "accept-all": () => proposals.acceptAll(),
  done: () => actions.toggleDone(),
  "done-next": () => {
    if (model.picture?.state === "done" || actions.toggleDone()) list.stepToDo();
  },
  next: () => list.step(1),
  previous: () => list.step(-1),
  hover: () => model.set({ hoverWanted: !model.hoverWanted }),
  theme: () => byId("theme").click(),
  help: () => help.toggle(),
  escape: () => {
    if (model.draft) tools.cancel();
    else if (model.isSearching) proposals.close();
    else if (model.selected !== null) model.set({ selected: null });
    else model.set({ cursor: null });
  },
};

function zoom(factor) {
  const [x, y] = model.cursor ? view.toScreen(model.cursor.x, model.cursor.y)
    : [view.width / 2, view.height / 2];
  view.zoomAt(factor, x, y);
  stage.moved();
}

/** @param {number} id @param {?{scale: number, x: number, y: number}} [seen] */
async function open(id, seen) {
  byId("picture-list").setAttribute("aria-busy", "true");
  try {
    await opening.open(id, seen);
    banner.hide("opening");
    remembered.keep({ picture: id, view: view.remember() });
    showZoom();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    banner.show("opening", {
      kind: "problem", text: `The picture does not open: ${problem.message}`,
      actions: [{ name: "Try again", run: () => open(id, seen), testid: "banner-retry" }],
    });
  }
  byId("picture-list").setAttribute("aria-busy", "false");
}

function onAnswer(item, state) {
  banner.hide("delayed");
  if (item.picture === model.picture?.id) model.set({ lastKind: item.body.action?.kind ?? null });
  actions.took(state);
  if (item.body.action?.kind === "click") performance.mark("mask");
  // A picture that was left while actions waited is given back when the last has gone.
  if (item.picture !== leases.shown && isIdle(item.picture)) leases.release(item.picture);
}

function onRefused(item, problem) {
  if (problem.status === 409) {
    leases.again(item.picture);
    return;
  }
  banner.show("refused", {
    kind: "problem", text: problem.message,
    actions: [{ name: "Close", run: () => banner.hide("refused"), testid: "banner-close" }],
  });
  // What the page foresaw did not happen.
  opening.refresh().catch(() => {});
}

function onDelay(item, problem, tries) {
  if (!api.connected) return;
  const skip = { name: "Skip this action", run: () => outbox.drop(item), testid: "banner-skip" };
  banner.show("delayed", {
    kind: "problem", text: `${problem.message} Nothing is lost: it is sent again.`,
    actions: tries > 2 ? [skip] : [],
  });
}

function onConnection(connected) {
  model.set({ connected });
  if (!connected) {
    pulse.beat();
    return;
  }
  banner.hide("away");
  banner.hide("delayed");
  comeBack();
}

/** After the server was away: our lease first, then what waits, then what others did meanwhile. */
async function comeBack() {
  outbox.flush();
  if (!model.picture) return;
  await leases.again(model.picture.id);
  if (isIdle(model.picture.id)) await opening.refresh().catch(() => {});
  project.loadRows().catch(() => {});
}

function showAway() {
  if (model.connected) return;
  const count = model.waiting.length;
  const kept = count ? ` ${count} action${count > 1 ? "s are" : " is"} kept here and sent when it is back.`
    : " What you do is kept here and sent when it is back.";
  banner.show("away", { kind: "warning", text: `The server is away.${kept}` });
}

/** @param {number} picture @param {?string} other */
function onHolder(picture, other) {
  if (!other) freed(picture);
  else if (picture === model.picture?.id || picture === leases.shown) held(other);
}

function held(other) {
  const wasFree = model.otherHolder === null;
  if (wasFree) model.set({ otherHolder: other, draft: null, hover: null });
  banner.show("held", { kind: "news", text: `${other} is working on this picture: you can look, not change it.` });
  if (!wasFree) opening.refresh().catch(() => {});
}

function freed(picture) {
  if (picture === leases.shown && model.otherHolder !== null) {
    model.set({ otherHolder: null });
    banner.hide("held");
    opening.refresh().catch(() => {});
  }
  if (!outbox.parked.has(picture)) return;
  const count = outbox.items.filter((item) => item.picture === picture).length;
  // Somebody else may have changed the picture since: only the annotator knows what still fits.
  const settle = (run) => () => {
    banner.hide("parked");
    run();
  };
  banner.show("parked", {
    kind: "warning",
    text: `${count} of your actions waited while another annotator had the picture.`,
    actions: [
      { name: "Send them", run: settle(() => outbox.unpark(picture)), testid: "banner-send" },
      { name: "Drop them", run: settle(() => {
        outbox.dropPicture(picture);
        opening.refresh().catch(() => {});
      }), testid: "banner-drop" },
    ],
  });
}

function showZoom() {
  byId("zoom-value").textContent = model.picture ? `${Math.round(view.scale * 100)}%` : "";
  clearTimeout(showZoom.timer);
  showZoom.timer = setTimeout(() => remembered?.keep({ view: view.remember() }), 300);
  opening.sharpen();
}

function wire() {
  wireTheme();
  wireBar(model, commands);
  wireTools(model);
  wireArea(model, () => stage.activeArea);
  wireView(model, project.chooseMethod);
  wireFoot(model, view);
  new Keys(model, view, stage, tools, commands);
  new ExportMenu(api, model, say);
  new Hover(api, model, view);
  stage.onView = showZoom;
  model.later(["connected", "waiting"], showAway);
  model.on(KEPT, () => remembered?.keep(Object.fromEntries(KEPT.map((name) => [name, model[name]]))));
  new MutationObserver(() => stage.ask(true))
    .observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => stage.ask(true));
  window.addEventListener("pagehide", () => leases.releaseAll());
  window.addEventListener("pageshow", (event) => event.persisted && comeBack());
}

/** Tries until the server is there: a page opened too early only waits. */
async function begin() {
  for (;;) {
    try {
      if (!api.session) await api.signIn();
      await Promise.all([project.load(), project.loadRows()]);
      model.set({ me: signIn.name });
      return;
    } catch (problem) {
      if (api.connected) banner.show("opening", { kind: "problem", text: problem.message });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function start() {
  wire();
  await begin();
  banner.hide("opening");
  const { rows, project: { id: key, labels: known } } = model;
  remembered = new Remembered(key);
  const kept = Object.fromEntries(KEPT.map((name) => [name, remembered.get(name, model[name])]));
  if (!known.some(({ name }) => name === kept.label)) kept.label = known[0]?.name ?? null;
  if (!TOOLS.includes(kept.tool)) kept.tool = "click";
  model.set(kept);
  outbox.open(`${key}/${model.me}`, new Map(rows.map(({ id, name }) => [id, name])));
  pulse.beat();
  setInterval(() => model.connected && !document.hidden && project.loadRows().catch(() => {}), LIST_MS);
  const last = rows.find(({ id }) => id === remembered.get("picture", null)) ?? rows[0];
  if (last) await open(last.id, remembered.get("view", null));
  byId("empty").hidden = rows.length > 0;
  byId("empty").textContent = rows.length ? "" : "There are no pictures in this folder.";
  byId("above").focus({ preventScroll: true });
}

// For tests and for the curious: reads only.
window.fewclicks = Object.freeze({
  state: () => ({
    picture: model.picture?.id ?? null,
    name: model.picture?.name ?? null,
    version: model.picture?.version ?? null,
    state: model.picture?.state ?? null,
    tool: model.tool,
    zoom: view.scale,
    pending: model.waiting.length,
    area: stage.activeArea,
    clicks: model.foreseen().clicks.length,
    objects: (model.picture?.objects ?? []).map(({ id, label }) => ({ id, label, area: stage.areaOf(id) })),
    label: model.label,
    selected: model.selected,
    proposals: model.proposals.length,
    searching: model.isSearching,
    notice: model.picture?.active.notice ?? null,
    references: (model.picture?.references ?? []).map(({ label, picture, object }) => ({ label, picture, object })),
    levels: model.levels ? { count: model.levels.levels.length, chosen: model.levels.chosen } : null,
    cursor: model.cursor,
    hover: stage.hovered?.mask.area ?? null,
    connected: model.connected,
    readOnly: model.isReadOnly,
  }),
  /** The masks on the screen, as they were drawn: finished ones by object, the active one, and what
   * is proposed. */
  masks: () => ({
    objects: [...stage.finished].map(([id, layer]) => ({ id, rle: layer.mask.rle })),
    active: stage.active?.mask.rle ?? null,
    proposed: stage.proposed.map((layer) => layer.mask.rle),
  }),
  /** Where in the window a pixel of the picture is: its middle, to be clicked at. */
  clientPoint: (x, y) => {
    const box = stage.above.getBoundingClientRect();
    const [left, top] = view.toScreen(x + 0.5, y + 0.5);
    return { x: box.left + left, y: box.top + top };
  },
});

start();
