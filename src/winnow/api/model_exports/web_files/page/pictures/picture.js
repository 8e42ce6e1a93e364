// A picture file as the upright RGB pixels that Winnow sees, or a refusal; the first bytes say what it is.

import { readBmp } from "./bmp.js";
import { readGif } from "./gif.js";
import { readJpeg } from "./jpeg.js";
import { readPng } from "./png.js";
import { Refusal } from "./refusal.js";
import { orientationOf, turned } from "./upright.js";
import { readWebp } from "./webp.js";

const FORMATS = [
  ["\xff\xd8\xff", readJpeg],
  ["\x89PNG\r\n\x1a\n", readPng],
  ["GIF87a", readGif],
  ["GIF89a", readGif],
  ["BM", readBmp],
];
const NOT_READ = [
  [/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/, "TIFF files"],
  [/^....ftyp/s, "HEIC and AVIF files"],
  [/^(\xff\x0a|\0\0\0\x0cJXL)/, "JPEG XL files"],
  [/^\s*<(svg|\?xml|!doctype svg)/i, "Drawings (SVG)"],
  [/^%PDF/, "PDF files"],
];

/**
 * @param {Uint8Array} bytes the whole file
 * @param {number} atLeastPx a JPEG may be reduced while it is decoded as long as its shorter side keeps this many pixels
 * @returns {Promise<{width: number, height: number, pixels: Uint8Array}>} pixels: (height, width, 3)
 */
export async function readPicture(bytes, atLeastPx) {
  if (bytes.length === 0) throw new Refusal("The file is empty: copy it again from where it came.");
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const picture = await readerOf(start)(bytes, atLeastPx);
  return turned(picture, orientationOf(picture.exif, picture.xmp));
}

function readerOf(start) {
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return readWebp;
  const found = FORMATS.find(([prefix]) => start.startsWith(latin(prefix)));
  if (found) return found[1];
  const known = NOT_READ.find(([pattern]) => pattern.test(start));
  throw new Refusal(
    known
      ? `${known[1]} are not read in this page: save the picture as JPEG or PNG.`
      : "This is no picture that is read here: choose a JPEG, PNG, WebP, GIF or BMP file.",
  );
}

// "latin1" is Windows-1252 to a TextDecoder, so prefixes are read with the same eyes.
const latin = (prefix) => new TextDecoder("latin1").decode(Uint8Array.from(prefix, (letter) => letter.charCodeAt(0)));
