// Signs drawn over the picture: clicks, boxes, strokes, the crosshair. Their size is the screen's.

import { NEGATIVE, POSITIVE, drawClick } from "./click_mark.js";

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {import("./view.js").View} View */

/** @param {Context} context @param {View} view @param {import("./model.js").Click} click */
export function click(context, view, { x, y, is_positive: isPositive }, isWaiting) {
  drawClick(context, view.toScreen(x + 0.5, y + 0.5), isPositive, isWaiting);
}

/** @param {number[]} corners x0, y0, x1, y1, both ends inside */
export function box(context, view, [x0, y0, x1, y1], colour) {
  const [left, top] = view.toScreen(Math.min(x0, x1), Math.min(y0, y1));
  const [right, bottom] = view.toScreen(Math.max(x0, x1) + 1, Math.max(y0, y1) + 1);
  context.save();
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0, 0, 0, 0.5)";
  context.strokeRect(left, top, right - left, bottom - top);
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  context.setLineDash([6, 4]);
  context.strokeRect(left, top, right - left, bottom - top);
  context.restore();
}

/**
 * A scribble or a stroke of the brush that the server has not answered.
 * @param {{kind: string, points: number[][], radius?: number, is_positive: boolean}} stroke
 */
export function stroke(context, view, { kind, points, radius, is_positive: isPositive }, colour, opacity) {
  if (points.length === 0) return;
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  points.forEach(([x, y], at) => {
    const [left, top] = view.toScreen(x + 0.5, y + 0.5);
    if (at === 0) context.moveTo(left, top);
    context.lineTo(left, top);
  });
  if (kind === "brush") {
    context.lineWidth = Math.max(1, 2 * radius * view.scale);
    context.globalAlpha = Math.max(0.35, opacity);
    context.strokeStyle = isPositive ? colour : "#16181b";
  } else {
    context.lineWidth = 4.5;
    context.strokeStyle = "rgba(255, 255, 255, 0.85)";
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = isPositive ? POSITIVE : NEGATIVE;
  }
  context.stroke();
  context.restore();
}

/** @param {import("./tools.js").Draft} draft */
export function draft(context, view, draft, colour, opacity) {
  if (draft.kind !== "box") return stroke(context, view, draft, colour, opacity);
  const [first, last] = [draft.points[0], draft.points[draft.points.length - 1]];
  return box(context, view, [...first, ...last], colour);
}

/** The brush's size under the pointer. */
export function ring(context, [left, top], radius) {
  context.save();
  context.beginPath();
  context.arc(left, top, Math.max(1.5, radius), 0, 2 * Math.PI);
  context.lineWidth = 2.5;
  context.strokeStyle = "rgba(0, 0, 0, 0.5)";
  context.stroke();
  context.lineWidth = 1;
  context.strokeStyle = "#ffffff";
  context.stroke();
  context.restore();
}

/** The keyboard's place: lines over the whole stage, free in the middle. */
export function crosshair(context, view, { x, y }) {
  const [left, top] = view.toScreen(x + 0.5, y + 0.5);
  const free = 7;
  context.save();
  for (const [width, colour] of [[3, "rgba(0, 0, 0, 0.45)"], [1, "rgba(255, 255, 255, 0.95)"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(0, top);
    context.lineTo(left - free, top);
    context.moveTo(left + free, top);
    context.lineTo(view.width, top);
    context.moveTo(left, 0);
    context.lineTo(left, top - free);
    context.moveTo(left, top + free);
    context.lineTo(left, view.height);
    context.stroke();
  }
  context.restore();
}
