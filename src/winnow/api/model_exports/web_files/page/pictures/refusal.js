// What is thrown for a picture that gets no answer; its message is one sentence for whoever looks at the page.

export class Refusal extends Error {}

export function damaged(kind) {
  return new Refusal(`The ${kind} file is damaged or was cut off: copy it again, or save it anew.`);
}

// As in Winnow: a larger picture is more likely a trap than a photograph.
const MOST_PIXELS = 64 * 1024 * 1024;

export function checkSize(width, height, kind) {
  if (width < 1 || height < 1) throw damaged(kind);
  if (width * height > MOST_PIXELS) {
    throw new Refusal(`The picture has ${width} x ${height} pixels, more than the 64 million that are read: save it smaller.`);
  }
}
