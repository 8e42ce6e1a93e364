// Transparent pictures are shown on white, as on a page; what hides under fully transparent pixels is not seen.

/** (N) RGBA bytes as (N) RGB bytes, rounded as Pillow's `paste` rounds. */
export function onWhite(rgba) {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3];
    const white = 255 * (255 - alpha) + 128;
    for (let i = 0; i < 3; i++) {
      const sum = rgba[from + i] * alpha + white;
      out[to++] = ((sum >> 8) + sum) >> 8;
    }
  }
  return out;
}
