// PNG files, decoded to the very pixels that Winnow (Pillow) sees (PNG specification, third edition).
//
// A browser would apply gamma and profiles, and a canvas loses what is under half-transparent pixels; so the pixels are
// unpacked here. Only inflating is the browser's. Of an animation the first picture counts.

import { onWhite } from "./on_white.js";
import { Animation, checkCrc, inflate, inflatedText } from "./png_parts.js";
import { checkSize, damaged } from "./refusal.js";

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
// Chunks that Pillow does not forgive for being shorter than this.
const LEAST_BYTES = { gAMA: 4, cHRM: 32, sRGB: 1, pHYs: 9, iCCP: 2 };
// Section 8.1: where each of the seven passes begins, and its steps.
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/**
 * @param {Uint8Array} bytes the whole file
 * @returns {Promise<{width: number, height: number, pixels: Uint8Array, exif: Uint8Array|null, xmp: string}>}
 */
export async function readPng(bytes) {
  const file = await chunksOf(bytes);
  const { header, palette, transparent, exif, xmp } = file;
  const { width, height } = header;
  const values = samples(await pixelData(file.data, header), header);
  return { width, height, pixels: coloured(values, header, palette, transparent), exif: exif ?? file.rawExif, xmp };
}

async function chunksOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata = { animation: new Animation(), exif: null, rawExif: null, xmp: "", textBytes: 0 };
  const file = { header: null, palette: null, transparent: null, data: [], ...metadata };
  let previous = "";
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw damaged("PNG");
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw damaged("PNG");
    checkCrc(bytes, at + 4, length + 4, view.getUint32(at + 8 + length));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if ((file.header === null) !== (kind === "IHDR")) throw damaged("PNG");
    if (kind === "IDAT" && file.data.length > 0 && previous !== "IDAT") throw damaged("PNG");
    // Of an animation the first picture counts: what follows it is not looked at.
    if (kind === "IEND" || (kind === "fcTL" && file.data.length > 0 && file.animation.isOne)) break;
    await readChunk(kind, body, file);
    previous = kind;
    at += 12 + length;
  }
  if (file.data.length === 0) throw damaged("PNG");
  return file;
}

async function readChunk(kind, body, file) {
  if (body.length < (LEAST_BYTES[kind] ?? 0)) throw damaged("PNG");
  if (kind === "IHDR") file.header = headerOf(body);
  else if (kind === "IDAT") file.data.push(body);
  else if (kind === "PLTE" && file.data.length === 0) file.palette = body;
  else if (kind === "tRNS" && file.data.length === 0) file.transparent = body;
  else if (kind === "eXIf") file.exif = body;
  else if (["acTL", "fcTL", "fdAT"].includes(kind)) file.animation.read(kind, body, file);
  else if (["tEXt", "zTXt", "iTXt", "iCCP"].includes(kind)) await readText(kind, body, file);
  else if (kind.charCodeAt(0) < 0x60 && kind !== "PLTE") throw damaged("PNG"); // upper case: nobody may look past it
}

async function readText(kind, body, file) {
  const { key, text } = await inflatedText(kind, body, file);
  if (key === "XML:com.adobe.xmp" && kind === "iTXt") file.xmp = text;
  if (key === "Raw profile type exif") file.rawExif = fromHex(text.split("\n").slice(3).join(""));
}

function fromHex(text) {
  const digits = text.replace(/\s/g, "");
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function headerOf(body) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 13) throw damaged("PNG");
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, packing, filter, interlace] = body.subarray(8, 13);
  if (!DEPTHS[colour]?.includes(depth) || packing !== 0 || filter !== 0 || interlace > 1) throw damaged("PNG");
  checkSize(width, height, "PNG");
  return { width, height, depth, colour, channels: CHANNELS[colour], isInterlaced: interlace === 1 };
}

/** The passes of a picture: its only one, or Adam7's that hold at least one pixel. */
function passesOf({ width, height, isInterlaced }) {
  const starts = isInterlaced ? ADAM7 : [[0, 0, 1, 1]];
  const passes = starts.map(([x, y, acrossStep, downStep]) => {
    return { x, y, acrossStep, downStep, width: Math.ceil((width - x) / acrossStep), height: Math.ceil((height - y) / downStep) };
  });
  return passes.filter((pass) => pass.width > 0 && pass.height > 0);
}

const rowBytes = ({ depth, channels }, width) => Math.ceil((depth * channels * width) / 8);

async function pixelData(parts, header) {
  const size = passesOf(header).reduce((sum, pass) => sum + pass.height * (1 + rowBytes(header, pass.width)), 0);
  const { bytes, isWhole } = await inflate(parts, size);
  if (!isWhole || bytes.length !== size) throw damaged("PNG");
  return bytes;
}

/** Each pixel's samples as they are stored, 16 bits or fewer: (height, width, channels). */
function samples(data, header) {
  const { width, height, depth, channels } = header;
  const values = depth === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  let at = 0;
  for (const pass of passesOf(header)) {
    const length = rowBytes(header, pass.width);
    unfilter(data, at, length, pass.height, Math.max(1, (depth * channels) >> 3));
    for (let y = 0; y < pass.height; y++) {
      const row = at + y * (length + 1) + 1;
      const to = (pass.y + y * pass.downStep) * width;
      for (let x = 0; x < pass.width; x++) {
        const pixel = (to + pass.x + x * pass.acrossStep) * channels;
        for (let i = 0; i < channels; i++) values[pixel + i] = sample(data, row, x * channels + i, depth);
      }
    }
    at += pass.height * (length + 1);
  }
  return values;
}

function sample(data, row, index, depth) {
  if (depth === 8) return data[row + index];
  if (depth === 16) return (data[row + 2 * index] << 8) | data[row + 2 * index + 1];
  const bit = index * depth;
  return (data[row + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Undo the filters of section 9.2 in place; `step` is how many bytes the pixel to the left is away. */
function unfilter(data, at, length, height, step) {
  for (let y = 0; y < height; y++, at += length + 1) {
    const kind = data[at];
    if (kind > 4) throw damaged("PNG");
    for (let i = 0; i < length; i++) {
      const here = at + 1 + i;
      const left = i >= step ? data[here - step] : 0;
      const above = y > 0 ? data[here - length - 1] : 0;
      if (kind === 1) data[here] += left;
      else if (kind === 2) data[here] += above;
      else if (kind === 3) data[here] += (left + above) >> 1;
      else if (kind === 4) data[here] += nearest(left, above, i >= step && y > 0 ? data[here - length - 1 - step] : 0);
    }
  }
}

function nearest(left, above, corner) {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function coloured(values, header, palette, transparent) {
  const { colour, depth } = header;
  if (colour === 3) return lookedUp(values, palette, transparent);
  if (colour === 0) return grey(values, depth, transparent);
  // Of 16 bits the upper 8 count.
  const bytes = depth === 16 ? Uint8Array.from(values, (value) => value >> 8) : values;
  if (colour === 6) return onWhite(bytes);
  if (colour === 4) return onWhite(greyWithAlpha(bytes));
  return transparent === null ? bytes : onWhite(withoutColour(bytes, depth, transparent));
}

function lookedUp(values, palette, transparent) {
  if (palette === null || palette.length % 3 !== 0) throw damaged("PNG");
  const colours = palette.length / 3;
  const out = new Uint8Array(4 * values.length);
  for (let i = 0; i < values.length; i++) {
    const index = values[i];
    if (index >= colours) throw damaged("PNG");
    out.set(palette.subarray(3 * index, 3 * index + 3), 4 * i);
    out[4 * i + 3] = transparent?.[index] ?? 255;
  }
  return onWhite(out);
}

function grey(values, depth, transparent) {
  const times = { 1: 255, 2: 85, 4: 17, 8: 1 }[depth];
  const out = new Uint8Array(3 * values.length);
  const raw = transparent === null ? -1 : twoBytes(transparent, 0);
  // Of 1 bit, Pillow takes any number but 0 for white.
  const clear = raw < 0 ? -1 : depth === 1 ? Number(raw > 0) : raw & ((1 << depth) - 1);
  for (let i = 0; i < values.length; i++) {
    const value = depth === 16 ? Math.floor((values[i] + 128) / 257) : values[i] * times;
    out.fill(values[i] === clear ? 255 : value, 3 * i, 3 * i + 3);
  }
  return out;
}

function twoBytes(transparent, at) {
  if (transparent.length < at + 2) throw damaged("PNG");
  return (transparent[at] << 8) | transparent[at + 1];
}

function greyWithAlpha(bytes) {
  const out = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i += 2) {
    out.fill(bytes[i], 2 * i, 2 * i + 3);
    out[2 * i + 3] = bytes[i + 1];
  }
  return out;
}

function withoutColour(bytes, depth, transparent) {
  const clear = [0, 2, 4].map((at) => (depth === 16 ? twoBytes(transparent, at) >> 8 : twoBytes(transparent, at) & 0xff));
  const out = new Uint8Array((bytes.length / 3) * 4);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const isClear = bytes[from] === clear[0] && bytes[from + 1] === clear[1] && bytes[from + 2] === clear[2];
    out.set(bytes.subarray(from, from + 3), to);
    out[to + 3] = isClear ? 0 : 255;
  }
  return out;
}
