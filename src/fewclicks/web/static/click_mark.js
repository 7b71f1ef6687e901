// The sign of a click, on the page and in the notebook's widget.

export const POSITIVE = "#23b26d";
export const NEGATIVE = "#e5484d";

/**
 * A disc with a plus or a minus, so that colour alone says nothing; an unanswered one has no rim.
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} place its middle, in the canvas's pixels
 * @param {boolean} isPositive @param {boolean} isWaiting
 * @param {number} [scale] of the canvas's pixels to the screen's
 */
export function drawClick(context, [left, top], isPositive, isWaiting, scale = 1) {
  context.save();
  context.translate(left, top);
  context.scale(scale, scale);
  context.globalAlpha = isWaiting ? 0.75 : 1;
  context.beginPath();
  context.arc(0, 0, 6.5, 0, 2 * Math.PI);
  context.fillStyle = isPositive ? POSITIVE : NEGATIVE;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = isWaiting ? "rgba(255, 255, 255, 0.45)" : "#ffffff";
  context.stroke();
  context.beginPath();
  context.moveTo(-3, 0);
  context.lineTo(3, 0);
  if (isPositive) {
    context.moveTo(0, -3);
    context.lineTo(0, 3);
  }
  context.strokeStyle = "#ffffff";
  context.stroke();
  context.restore();
}
