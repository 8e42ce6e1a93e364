// GIF files: the first picture, as Winnow (Pillow) sees it (GIF89a specification).

import { onWhite } from "./on_white.js";
import { checkSize, damaged, Refusal } from "./refusal.js";

/**
 * @param {Uint8Array} bytes the whole file
 * @returns {{width: number, height: number, pixels: Uint8Array, exif: null, xmp: string}}
 */
export function readGif(bytes) {
  const cursor = { bytes, at: 6 };
  const width = number(cursor);
  const height = number(cursor);
  checkSize(width, height, "GIF");
  const flags = byte(cursor);
  cursor.at += 2;
  let palette = flags & 0x80 ? table(cursor, flags) : null;
  let clear = -1;
  for (;;) {
    const kind = byte(cursor);
    if (kind === 0x2c) break;
    if (kind !== 0x21) throw damaged("GIF");
    const label = byte(cursor);
    const [block] = blocks(cursor);
    if (label === 0xf9 && block?.length >= 4 && block[0] & 1) clear = block[3];
  }
  const [left, top, wide, high] = [number(cursor), number(cursor), number(cursor), number(cursor)];
  // Pillow fills what the first picture leaves free in ways of its own.
  if (left !== 0 || top !== 0 || wide !== width || high !== height) {
    throw new Refusal("The GIF's first picture does not fill its frame: save that picture as PNG.");
  }
  const local = byte(cursor);
  if (local & 0x80) palette = table(cursor, local);
  const smallest = byte(cursor);
  const indices = unpacked(blocks(cursor), smallest, width * height);
  const pixels = coloured(indices, palette, clear, width, height, (local & 0x40) !== 0);
  return { width, height, pixels, exif: null, xmp: "" };
}

function byte(cursor) {
  if (cursor.at >= cursor.bytes.length) throw damaged("GIF");
  return cursor.bytes[cursor.at++];
}

const number = (cursor) => byte(cursor) | (byte(cursor) << 8);

function table(cursor, flags) {
  const from = cursor.at;
  cursor.at += 3 << ((flags & 7) + 1);
  if (cursor.at > cursor.bytes.length) throw damaged("GIF");
  return cursor.bytes.subarray(from, cursor.at);
}

function blocks(cursor) {
  const found = [];
  for (let length = byte(cursor); length > 0; length = byte(cursor)) {
    found.push(cursor.bytes.subarray(cursor.at, cursor.at + length));
    cursor.at += length;
  }
  return found;
}

/** `count` indices from LZW codes (appendix F). */
function unpacked(parts, smallest, count) {
  if (smallest < 1 || smallest > 8) throw damaged("GIF");
  const clear = 1 << smallest;
  const prefixes = new Uint16Array(4096);
  const suffixes = new Uint8Array(4096);
  const stack = new Uint8Array(4097);
  const out = new Uint8Array(count);
  let [size, next, previous, first, bits, held, at] = [smallest + 1, clear + 2, -1, 0, 0, 0, 0];
  for (const part of parts) {
    for (const value of part) {
      bits |= value << held;
      held += 8;
      while (held >= size) {
        let code = bits & ((1 << size) - 1);
        bits >>= size;
        held -= size;
        if (code === clear) {
          [size, next, previous] = [smallest + 1, clear + 2, -1];
          continue;
        }
        if (code === clear + 1) throw damaged("GIF"); // the end, before the last pixel
        let depth = 0;
        const whole = code;
        if (previous < 0 ? code >= clear : code > next) throw damaged("GIF");
        if (previous >= 0 && code === next) {
          stack[depth++] = first;
          code = previous;
        }
        for (; code > clear; code = prefixes[code]) stack[depth++] = suffixes[code];
        first = stack[depth++] = code;
        if (previous >= 0 && next < 4096) {
          prefixes[next] = previous;
          suffixes[next++] = first;
          if (next === 1 << size && size < 12) size++;
        }
        while (depth > 0 && at < count) out[at++] = stack[--depth];
        if (at === count) return out;
        previous = whole;
      }
    }
  }
  throw damaged("GIF");
}

// Appendix E: rows of an interlaced picture come in four passes.
const PASSES = [[0, 8], [4, 8], [2, 4], [1, 2]];

function coloured(indices, palette, clear, width, height, isInterlaced) {
  const order = [];
  for (const [from, step] of isInterlaced ? PASSES : [[0, 1]]) for (let y = from; y < height; y += step) order.push(y);
  const rgba = new Uint8Array(4 * indices.length);
  for (let row = 0, from = 0; row < height; row++) {
    for (let x = 0, to = 4 * width * order[row]; x < width; x++, to += 4) {
      const index = indices[from++];
      if (palette !== null && 3 * index >= palette.length) throw damaged("GIF");
      for (let i = 0; i < 3; i++) rgba[to + i] = palette === null ? index : palette[3 * index + i];
      rgba[to + 3] = index === clear ? 0 : 255;
    }
  }
  return onWhite(rgba);
}
