// BMP files of the plain kinds: not packed, with a palette of 16 or 256 colours, or with 24 or 32 bits a pixel.

import { checkSize, damaged, Refusal } from "./refusal.js";

/**
 * @param {Uint8Array} bytes the whole file
 * @returns {{width: number, height: number, pixels: Uint8Array, exif: null, xmp: string}}
 */
export function readBmp(bytes) {
  if (bytes.length < 54) throw damaged("BMP");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offset = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  if (![40, 108, 124].includes(headerBytes)) throw rare();
  const width = view.getInt32(18, true);
  const signed = view.getInt32(22, true);
  const height = Math.abs(signed);
  checkSize(width, height, "BMP");
  const bits = view.getUint16(28, true);
  if (![4, 8, 24, 32].includes(bits) || view.getUint32(30, true) !== 0) throw rare();
  const stride = ((width * bits + 31) >> 5) << 2;
  const colours = bits <= 8 ? view.getUint32(46, true) || 1 << bits : 0;
  const palette = 14 + headerBytes;
  // A gap between palette and pixels is read in several ways.
  if (colours > 256 || (bits <= 8 && offset !== palette + 4 * colours) || offset < palette) throw rare();
  if (offset + stride * height > bytes.length) throw damaged("BMP");
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const row = offset + stride * (signed < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++, to += 3) {
      const at = bits <= 8 ? palette + 4 * colourOf(bytes, row, x, bits, colours) : row + (x * bits) / 8;
      pixels[to] = bytes[at + 2];
      pixels[to + 1] = bytes[at + 1];
      pixels[to + 2] = bytes[at];
    }
  }
  return { width, height, pixels, exif: null, xmp: "" };
}

function colourOf(bytes, row, x, bits, colours) {
  const index = bits === 8 ? bytes[row + x] : (bytes[row + (x >> 1)] >> (x & 1 ? 0 : 4)) & 15;
  if (index >= colours) throw damaged("BMP");
  return index;
}

const rare = () => new Refusal("The BMP is of a rare kind: save it as PNG or JPEG.");
