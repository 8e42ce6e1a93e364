// Which way is up: the orientation that a camera wrote into the file, and the pixels turned by it.

const ORIENTATION = 0x0112;
const BYTES_OF_TYPE = { 3: 2, 4: 4, 8: 2, 9: 4 };

/**
 * 1 to 8 as EXIF 2.32, section 4.6.4 counts them; 1 where nothing (readable) is said.
 *
 * @param {Uint8Array|null} exif what follows, or begins with, "Exif\0\0"
 * @param {string} xmp asked only where EXIF says nothing
 */
export function orientationOf(exif, xmp) {
  const said = exif === null ? undefined : inExif(exif);
  const orientation = said === undefined ? Number(/tiff:Orientation(?:="|>)([0-9])/.exec(xmp)?.[1] ?? 1) : said;
  return orientation >= 2 && orientation <= 8 ? orientation : 1;
}

/** The number in EXIF; undefined where it has none, 1 where it cannot be read. */
function inExif(exif) {
  let start = 0;
  for (let i = 0; i < 2 && String.fromCharCode(...exif.subarray(start, start + 6)) === "Exif\0\0"; i++) start += 6;
  const view = new DataView(exif.buffer, exif.byteOffset + start, exif.byteLength - start);
  if (view.byteLength === 0) return undefined;
  if (view.byteLength < 8) return 1;
  const isLittle = view.getUint16(0) === 0x4949;
  if ((!isLittle && view.getUint16(0) !== 0x4d4d) || view.getUint16(2, isLittle) !== 42) return 1;
  const at = view.getUint32(4, isLittle);
  if (at + 2 > view.byteLength) return undefined;
  let found;
  const count = view.getUint16(at, isLittle);
  for (let i = 0, entry = at + 2; i < count && entry + 12 <= view.byteLength; i++, entry += 12) {
    if (view.getUint16(entry, isLittle) === ORIENTATION) found = numberAt(view, entry, isLittle) ?? found;
  }
  return found;
}

function numberAt(view, entry, isLittle) {
  const type = view.getUint16(entry + 2, isLittle);
  const bytes = BYTES_OF_TYPE[type];
  const count = view.getUint32(entry + 4, isLittle);
  if (!bytes || count < 1) return undefined;
  // More than one number is too many; the first counts. What does not fit the entry lies elsewhere.
  const at = bytes * count <= 4 ? entry + 8 : view.getUint32(entry + 8, isLittle);
  if (at + bytes * count > view.byteLength) return undefined;
  return bytes === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
}

/** (height, width, 3) pixels as a person sees them, with their new width and height. */
export function turned({ pixels, width, height }, orientation) {
  if (orientation === 1) return { pixels, width, height };
  const isOnItsSide = orientation >= 5;
  const [wide, high] = isOnItsSide ? [height, width] : [width, height];
  const out = new Uint8Array(pixels.length);
  for (let y = 0, to = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [fromX, fromY] = SOURCE[orientation](x, y, width - 1, height - 1);
      const from = 3 * (fromY * width + fromX);
      out[to++] = pixels[from];
      out[to++] = pixels[from + 1];
      out[to++] = pixels[from + 2];
    }
  }
  return { pixels: out, width: wide, height: high };
}

// Where a pixel of the upright picture lies in the file's, whose last column and row are given.
const SOURCE = {
  2: (x, y, right) => [right - x, y],
  3: (x, y, right, bottom) => [right - x, bottom - y],
  4: (x, y, right, bottom) => [x, bottom - y],
  5: (x, y) => [y, x],
  6: (x, y, right, bottom) => [y, bottom - x],
  7: (x, y, right, bottom) => [right - y, bottom - x],
  8: (x, y, right) => [right - y, x],
};
