// In a thread of its own: from a picture's bytes to probabilities, one picture after the other.

import { Model } from "./model.js";
import { readPicture } from "./pictures/picture.js";
import { Refusal } from "./pictures/refusal.js";
import { toSquare } from "./pictures/resize.js";
import { opaque } from "./pictures/webp.js";

let model = null;
let last = Promise.resolve();

addEventListener("message", ({ data }) => {
  last = last.then(() => answered(data));
});

async function answered({ id, ...question }) {
  try {
    postMessage({ id, answer: await answer(question) });
  } catch (error) {
    postMessage({ id, refusal: error instanceof Refusal ? error.message : `This went wrong here (${error.message}): load the page again.` });
  }
}

async function answer({ facts, bytes, frame }) {
  if (facts) {
    model = await Model.open(facts);
    return null;
  }
  const { side_px: side, fit } = model.facts.input;
  const picture = bytes
    ? await readPicture(new Uint8Array(bytes), side)
    : { pixels: opaque(frame.rgba), width: frame.width, height: frame.height };
  return model.probabilities(toSquare(picture.pixels, picture.width, picture.height, side, fit));
}
