import { readJpeg } from "./jpeg.js";
import { Refusal } from "./refusal.js";
import { orientationOf, turned } from "./upright.js";
export async function readPicture(bytes, atLeastPx) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) { const p = readJpeg(bytes, atLeastPx); return turned(p, orientationOf(p.exif, p.xmp)); }
  throw new Refusal("no");
}
