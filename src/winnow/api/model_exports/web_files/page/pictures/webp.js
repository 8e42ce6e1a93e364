// WebP files, decoded by the browser: all of them use the library that Winnow's Pillow uses (libwebp).
//
// What browsers do beyond decoding is kept from them: the parts of the file that hold a colour profile and the
// orientation are renamed first. Transparent and animated ones are refused: a canvas gives their pixels inexactly.

import { checkSize, damaged, Refusal } from "./refusal.js";

const HAS_ALPHA = 0x10;
const IS_ANIMATED = 0x02;

/**
 * @param {Uint8Array} bytes the whole file
 * @returns {Promise<{width: number, height: number, pixels: Uint8Array, exif: Uint8Array|null, xmp: string}>}
 */
export async function readWebp(bytes) {
  const { plain, exif, xmp } = plainWebp(bytes);
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([plain], { type: "image/webp" }), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw damaged("WebP");
  }
  const { width, height } = bitmap;
  checkSize(width, height, "WebP");
  checkCanvas();
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, pixels: opaque(context.getImageData(0, 0, width, height).data), exif, xmp };
}

/** Some browsers change what pages read from a canvas, a little and at random, so that nobody is known again by it. */
function checkCanvas() {
  const context = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  const put = Uint8ClampedArray.from({ length: 4 * 64 * 64 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) & 255));
  context.putImageData(new ImageData(put, 64, 64), 0, 0);
  const got = context.getImageData(0, 0, 64, 64).data;
  if (!got.every((value, i) => value === put[i])) {
    throw new Refusal("This browser gives pages changed pixels of WebP files: save the picture as JPEG or PNG.");
  }
}

/** The file without what a browser would act on, and what those parts say (WebP container specification). */
function plainWebp(bytes) {
  const plain = bytes.slice();
  const view = new DataView(plain.buffer);
  let [exif, xmp] = [null, ""];
  for (let at = 12; at + 8 <= plain.length; ) {
    const kind = String.fromCharCode(...plain.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (body.length < length) throw damaged("WebP");
    if (kind === "VP8X") {
      if (body[0] & IS_ANIMATED) throw new Refusal("Animated WebP files are not read here: save one picture of it as PNG.");
      if (body[0] & HAS_ALPHA) throw transparentWebp();
      plain[at + 8] = 0;
    } else if (kind === "VP8L" && body.length > 4 && body[4] & 0x10) throw transparentWebp();
    else if (kind === "EXIF") exif = body;
    else if (kind === "XMP ") xmp = new TextDecoder("latin1").decode(body);
    if (["EXIF", "ICCP", "XMP "].includes(kind)) plain.set([0x6a, 0x75, 0x6e, 0x6b], at); // "junk"
    at += 8 + length + (length % 2);
  }
  return { plain, exif, xmp };
}

const transparentWebp = () => new Refusal("WebP files with transparency are not read here: save it as PNG.");

/** (N) RGBA bytes without transparency as (N) RGB bytes. */
export function opaque(rgba) {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    out[to++] = rgba[from];
    out[to++] = rgba[from + 1];
    out[to++] = rgba[from + 2];
  }
  return out;
}
