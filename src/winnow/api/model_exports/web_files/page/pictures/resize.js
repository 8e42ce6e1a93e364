// To the square that the model sees: Pillow's antialiased bilinear resize, in its fixed-point numbers and two passes.

const BITS = 22; // of each weight after the point: 32 less 8 for the pixel and 2 for the sum
const HALF = 1 << (BITS - 1);

/**
 * @param {Uint8Array} pixels (height, width, 3)
 * @param {string} fit "squash" takes the whole picture, "crop" its middle square
 * @returns {Uint8Array} (side, side, 3)
 */
export function toSquare(pixels, width, height, side, fit) {
  if (width === side && height === side) return pixels;
  const edge = Math.min(width, height);
  const [left, top] = fit === "crop" ? [(width - edge) / 2, (height - edge) / 2] : [0, 0];
  const [right, bottom] = fit === "crop" ? [left + edge, top + edge] : [width, height];
  // A pass is left out where it would change nothing; its rounding would not either, but this is Pillow's way.
  const across = width === side && left === 0 && right === side ? null : weights(width, left, right, side);
  const down = height === side && top === 0 && bottom === side ? null : weights(height, top, bottom, side);
  // Pillow (from version 13 on) begins with the height where far more of it goes; each pass rounds, so the order matters.
  if (height > side && height - side > 2 * (width - side)) {
    const low = down ? resizedDown(pixels, width, side, down) : pixels;
    return across ? resizedAcross(low, width, side, side, across) : low;
  }
  const narrow = across ? resizedAcross(pixels, width, height, side, across) : pixels;
  return down ? resizedDown(narrow, side, side, down) : narrow;
}

/** For each output pixel the first input pixel under its filter, how many there are, and their weights. */
function weights(size, from, to, side) {
  const scale = (to - from) / side;
  const reach = Math.max(scale, 1);
  const most = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(side);
  const counts = new Int32Array(side);
  const values = new Int32Array(side * most);
  for (let i = 0; i < side; i++) {
    const centre = from + (i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const count = Math.min(Math.trunc(centre + reach + 0.5), size) - start;
    const shares = Array.from({ length: count }, (_, k) => Math.max(1 - Math.abs((k + start - centre + 0.5) * (1 / reach)), 0));
    const sum = shares.reduce((a, b) => a + b, 0);
    shares.forEach((share, k) => (values[i * most + k] = Math.trunc(0.5 + (sum === 0 ? share : share / sum) * (1 << BITS))));
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, values, most };
}

const clamp = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);

function resizedAcross(pixels, width, height, side, { starts, counts, values, most }) {
  const out = new Uint8Array(3 * side * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < side; x++) {
      let red = HALF, green = HALF, blue = HALF;
      let at = 3 * (y * width + starts[x]);
      for (let k = x * most, end = k + counts[x]; k < end; k++) {
        red += pixels[at++] * values[k];
        green += pixels[at++] * values[k];
        blue += pixels[at++] * values[k];
      }
      out[to++] = clamp(red >> BITS);
      out[to++] = clamp(green >> BITS);
      out[to++] = clamp(blue >> BITS);
    }
  }
  return out;
}

function resizedDown(pixels, width, side, { starts, counts, values, most }) {
  const out = new Uint8Array(3 * width * side);
  const row = 3 * width;
  for (let y = 0, to = 0; y < side; y++) {
    for (let x = 0; x < row; x++) {
      let sum = HALF;
      let at = row * starts[y] + x;
      for (let k = y * most, end = k + counts[y]; k < end; k++, at += row) sum += pixels[at] * values[k];
      out[to++] = clamp(sum >> BITS);
    }
  }
  return out;
}
