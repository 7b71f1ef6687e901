// Outlines of a mask: closed rings along the edges of its pixels.

/**
 * Rings around a mask's pixels, the mask on the right hand, holes included.
 *
 * Rings and not single edges: a dash along a staircase of edges would never be seen. Pixels that
 * touch only at a corner get rings of their own.
 * @param {Uint8Array} bits (height + 2) x (width + 2), rows one after another, zeros around;
 *   left as they are
 * @param {number} width without the frame
 * @param {number} height without the frame
 * @returns {number[][]} for each ring x, y, x, y, ... of its corners, in pixels of the mask
 */
export function trace(bits, width, height) {
  const stride = width + 2;
  const seen = new Uint8Array(bits.length);
  const rings = [];
  for (let y = 0; y < height; y++) {
    const row = (y + 1) * stride + 1;
    for (let x = 0; x < width; x++) {
      const at = row + x;
      // Every ring runs east along the upper edge of some pixel.
      if (bits[at] && !bits[at - stride] && !seen[at]) {
        rings.push(follow(bits, seen, stride, x, y));
      }
    }
  }
  return rings;
}

/** Steps east, south, west, north. */
const EAST_WEST = [1, 0, -1, 0];
const NORTH_SOUTH = [0, 1, 0, -1];

function follow(bits, seen, stride, startX, startY) {
  // For each direction, the two pixels ahead of a corner: left hand, right hand.
  const left = [-stride, 0, -1, -stride - 1];
  const right = [0, -1, -stride - 1, -stride];
  const ring = [];
  let x = startX;
  let y = startY;
  let direction = 0;
  do {
    if (direction === 0) seen[(y + 1) * stride + x + 1] = 1;
    x += EAST_WEST[direction];
    y += NORTH_SOUTH[direction];
    const corner = (y + 1) * stride + x + 1;
    if (!bits[corner + right[direction]]) {
      direction = (direction + 1) & 3;
      ring.push(x, y);
    } else if (bits[corner + left[direction]]) {
      direction = (direction + 3) & 3;
      ring.push(x, y);
    }
  } while (x !== startX || y !== startY || direction !== 0);
  return ring;
}

/**
 * The rings as a path to stroke.
 * @param {number[][]} rings
 */
export function asPath(rings) {
  const path = new Path2D();
  for (const ring of rings) {
    path.moveTo(ring[0], ring[1]);
    for (let at = 2; at < ring.length; at += 2) path.lineTo(ring[at], ring[at + 1]);
    path.closePath();
  }
  return path;
}
