// From a JPEG's planes of brightness and colour, which may be smaller than the picture, to its RGB pixels.
//
// Smaller planes are enlarged as libjpeg does ("fancy upsampling": three quarters of the nearer sample and one of the
// farther one, where a plane is half as wide or high), with its roundings.

import { Refusal } from "./refusal.js";

/**
 * @param {object[]} components each with its `plane`, its `stride`, and the `width` and `height` of what is real in it
 * @param {string} colours "grey", "ycc", "rgb", "cmyk" or "ycck"
 * @returns {Uint8Array} (height, width, 3)
 */
export function coloured(components, colours, width, height, smallest) {
  const rows = components.map((one) => enlarger(one, smallest > 1));
  const lines = components.map((one) => new Uint8Array(2 * one.width * one.wider + 16));
  const pixels = new Uint8Array(3 * width * height);
  const write = WRITERS[colours];
  for (let y = 0; y < height; y++) {
    rows.forEach((row, i) => row(y, lines[i]));
    write(lines, width, pixels, 3 * width * y);
  }
  return pixels;
}

/** What writes row y of a plane at the picture's full width; `wider` and `higher` say how much smaller the plane is. */
function enlarger(one, isFancy) {
  const { wider, higher, width } = one;
  if (wider === 1 && higher === 1) return (y, line) => line.set(one.plane.subarray(y * one.planeStride, y * one.planeStride + width));
  if (isFancy && wider === 2 && higher === 1 && width > 2) return (y, line) => twiceAsWide(one, y, line);
  if (isFancy && wider === 1 && higher === 2) return (y, line) => twiceAsHigh(one, y, line);
  if (isFancy && wider === 2 && higher === 2 && width > 2) return (y, line) => twiceAsLarge(one, y, line);
  return (y, line) => repeated(one, y, line);
}

function repeated({ plane, planeStride, width, wider, higher }, y, line) {
  const from = Math.floor(y / higher) * planeStride;
  for (let x = 0, at = 0; x < width; x++) for (let i = 0; i < wider; i++) line[at++] = plane[from + x];
}

function twiceAsWide({ plane, planeStride, width }, y, line) {
  const from = y * planeStride;
  const last = width - 1;
  line[0] = plane[from];
  line[1] = (3 * plane[from] + plane[from + 1] + 2) >> 2;
  for (let x = 1; x < last; x++) {
    const three = 3 * plane[from + x];
    line[2 * x] = (three + plane[from + x - 1] + 1) >> 2;
    line[2 * x + 1] = (three + plane[from + x + 1] + 2) >> 2;
  }
  line[2 * last] = (3 * plane[from + last] + plane[from + last - 1] + 1) >> 2;
  line[2 * last + 1] = plane[from + last];
}

/** The row of a plane that is nearer to row y of the picture, and the farther one; there is none beyond the edges. */
function nearAndFar({ planeStride, height }, y) {
  const near = y >> 1;
  const far = Math.min(Math.max(near + (y & 1 ? 1 : -1), 0), height - 1);
  return [near * planeStride, far * planeStride];
}

function twiceAsHigh(one, y, line) {
  const [near, far] = nearAndFar(one, y);
  const { plane, width } = one;
  const rounding = y & 1 ? 2 : 1;
  for (let x = 0; x < width; x++) line[x] = (3 * plane[near + x] + plane[far + x] + rounding) >> 2;
}

function twiceAsLarge(one, y, line) {
  const [near, far] = nearAndFar(one, y);
  const { plane, width } = one;
  const last = width - 1;
  let before = 0;
  let here = 3 * plane[near] + plane[far];
  for (let x = 0; x < width; x++) {
    const after = x < last ? 3 * plane[near + x + 1] + plane[far + x + 1] : 0;
    line[2 * x] = x > 0 ? (3 * here + before + 8) >> 4 : (4 * here + 8) >> 4;
    line[2 * x + 1] = x < last ? (3 * here + after + 7) >> 4 : (4 * here + 7) >> 4;
    before = here;
    here = after;
  }
}

const clamp = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);

// YCbCr to RGB as JFIF defines it, in 16 bits after the point.
const RED = new Int32Array(256);
const BLUE = new Int32Array(256);
const GREEN_OF_RED = new Int32Array(256);
const GREEN_OF_BLUE = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  const x = i - 128;
  RED[i] = (91881 * x + 32768) >> 16;
  BLUE[i] = (116130 * x + 32768) >> 16;
  GREEN_OF_RED[i] = -46802 * x;
  GREEN_OF_BLUE[i] = -22554 * x + 32768;
}

const WRITERS = {
  grey([grey], width, out, at) {
    for (let x = 0; x < width; x++) out[at++] = out[at++] = out[at++] = grey[x];
  },
  rgb([red, green, blue], width, out, at) {
    for (let x = 0; x < width; x++) {
      out[at++] = red[x];
      out[at++] = green[x];
      out[at++] = blue[x];
    }
  },
  ycc([light, blue, red], width, out, at) {
    for (let x = 0; x < width; x++) {
      const y = light[x];
      out[at++] = clamp(y + RED[red[x]]);
      out[at++] = clamp(y + ((GREEN_OF_BLUE[blue[x]] + GREEN_OF_RED[red[x]]) >> 16));
      out[at++] = clamp(y + BLUE[blue[x]]);
    }
  },
  // Files with four inks hold them inverted, as Adobe's programs write them: 255 is no ink.
  cmyk([cyan, magenta, yellow, black], width, out, at) {
    for (let x = 0; x < width; x++) {
      out[at++] = printed(255 - cyan[x], black[x]);
      out[at++] = printed(255 - magenta[x], black[x]);
      out[at++] = printed(255 - yellow[x], black[x]);
    }
  },
  ycck([light, blue, red, black], width, out, at) {
    for (let x = 0; x < width; x++) {
      const y = light[x];
      out[at++] = printed(clamp(y + RED[red[x]]), black[x]);
      out[at++] = printed(clamp(y + ((GREEN_OF_BLUE[blue[x]] + GREEN_OF_RED[red[x]]) >> 16)), black[x]);
      out[at++] = printed(clamp(y + BLUE[blue[x]]), black[x]);
    }
  },
};

/** What is seen of paper (`light`: without black ink) under an ink, as Pillow computes it. */
function printed(ink, light) {
  const product = ink * light + 128;
  return clamp(light - (((product >> 8) + product) >> 8));
}

/** The kind of colours that a file's components hold, as libjpeg decides it. */
export function coloursOf(components, hasJfif, adobe) {
  if (components.length === 1) return "grey";
  if (components.length === 4) return adobe === 2 ? "ycck" : adobe === null || adobe === 0 ? "cmyk" : "ycck";
  if (components.length !== 3) throw new Refusal(`A JPEG with ${components.length} components is not read: save it anew as RGB.`);
  if (hasJfif) return "ycc";
  if (adobe !== null) return adobe === 0 ? "rgb" : "ycc";
  const letters = String.fromCharCode(...components.map((one) => one.id));
  return letters === "RGB" ? "rgb" : "ycc";
}
