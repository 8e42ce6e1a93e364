// What the chunks of a PNG need beside their pixels: checksums, inflating with a limit, texts, and what says that it moves.

import { damaged, Refusal } from "./refusal.js";

// As in Pillow: a text that grows beyond this is a trap.
const MOST_TEXT = 1 << 20;
const MOST_TEXTS = 64 << 20;

const CRC = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  CRC[i] = crc;
}

/** Refuses a chunk whose checksum (annex D) is not the one that is written behind it. */
export function checkCrc(bytes, from, length, written) {
  let crc = 0xffffffff;
  for (let at = from; at < from + length; at++) crc = CRC[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  if (((crc ^ 0xffffffff) >>> 0) !== written) throw damaged("PNG");
}

/**
 * Inflate, but never to more than `most` bytes.
 *
 * @returns {Promise<{bytes: Uint8Array, isWhole: boolean, isTooLarge: boolean}>} what could be read, and whether that was
 *   all and without an error
 */
export async function inflate(parts, most) {
  const reader = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const bytes = new Uint8Array(most);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { bytes: bytes.subarray(0, length), isWhole: true, isTooLarge: false };
      if (length + value.length > most) {
        await reader.cancel();
        return { bytes: bytes.subarray(0, length), isWhole: false, isTooLarge: true };
      }
      bytes.set(value, length);
      length += value.length;
    }
  } catch {
    return { bytes: bytes.subarray(0, length), isWhole: false, isTooLarge: false };
  }
}

/** A text chunk's key and text (sections 11.3.3 and, for the limit only, 11.3.2.3); "" where it is packed wrongly. */
export async function inflatedText(kind, body, file) {
  const end = body.indexOf(0);
  const key = latin(body.subarray(0, end < 0 ? body.length : end));
  let rest = end < 0 ? body.subarray(body.length) : body.subarray(end + 1);
  let isPacked = kind === "zTXt" || kind === "iCCP";
  if (kind === "iTXt") {
    if (rest.length < 2) return { key, text: "" };
    isPacked = rest[0] !== 0;
    const language = rest.indexOf(0, 2);
    const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
    if (translated < 0 || (isPacked && rest[1] !== 0)) return { key, text: "" };
    rest = rest.subarray(translated + 1);
  } else if (isPacked && rest.length > 0) {
    if (rest[0] !== 0) throw damaged("PNG");
    rest = rest.subarray(1);
  }
  const bytes = isPacked ? await unpacked(rest) : rest;
  if ((file.textBytes += bytes.length) > MOST_TEXTS) throw tooMuchText();
  return { key, text: kind === "iCCP" ? "" : latin(bytes) };
}

async function unpacked(bytes) {
  const found = await inflate([bytes], MOST_TEXT);
  if (found.isTooLarge) throw tooMuchText();
  return found.bytes;
}

const latin = (bytes) => new TextDecoder("latin1").decode(bytes);

const tooMuchText = () => new Refusal("The PNG carries more hidden text than a picture needs: save it anew without its metadata.");

/** Whether a PNG is an animation (section 11.3.6), looked at as closely as Pillow does: it refuses chunks out of order. */
export class Animation {
  #pictures = 0;
  #isFirstApart = true;
  #next = 0;

  /** Several pictures, the first of which may stand outside of the animation. */
  get isOne() {
    return this.#pictures > 0 && this.#pictures + this.#isFirstApart > 1;
  }

  read(kind, body, { header, data }) {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (body.length < { acTL: 8, fcTL: 26, fdAT: 4 }[kind]) throw damaged("PNG");
    if (kind === "acTL") {
      this.#pictures = this.#pictures > 0 || view.getUint32(0) > 0x80000000 ? 0 : view.getUint32(0);
      return;
    }
    const isFirst = this.#next === 0;
    if (view.getUint32(0) !== this.#next++ || (isFirst && kind === "fdAT")) throw damaged("PNG");
    if (kind !== "fcTL" || data.length > 0) return;
    const isWhole = view.getUint32(4) === header.width && view.getUint32(8) === header.height && !view.getUint32(12) && !view.getUint32(16);
    if (!isWhole) throw damaged("PNG");
    this.#isFirstApart = false;
  }
}
