// The model: its graph, run by ONNX Runtime as WebAssembly in one thread.

import * as ort from "../onnxruntime/ort.js";
import { Refusal } from "./pictures/refusal.js";

const MOST_DIFFERENCE = 1e-4;

export class Model {
  /**
   * Open the graph, and let it prove itself on made-up pictures whose probabilities were computed when it was exported:
   * a browser that computes something else shall not answer at all.
   */
  static async open(facts) {
    ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
    ort.env.wasm.wasmBinary = await fetched("../onnxruntime/ort.wasm");
    const session = await ort.InferenceSession.create(new Uint8Array(await fetched(`../${facts.graph}`)), { executionProviders: ["wasm"] });
    const model = new Model(facts, session);
    for (const [i, pixels] of madeUp(3 * facts.input.side_px ** 2).entries()) {
      const here = await model.probabilities(pixels);
      if (!facts.check[i].every((prob, c) => Math.abs(prob - here[c]) <= MOST_DIFFERENCE)) {
        throw new Refusal("This browser computes other probabilities than the model was measured with, so it gets no answers: try another browser.");
      }
    }
    return model;
  }

  constructor(facts, session) {
    this.facts = facts;
    this.session = session;
  }

  /** The probabilities of (side, side, 3) pixels, in the order of the classes. */
  async probabilities(pixels) {
    const side = this.facts.input.side_px;
    const input = new ort.Tensor("uint8", pixels, [1, side, side, 3]);
    const outputs = await this.session.run({ [this.session.inputNames[0]]: input });
    return Array.from(outputs[this.session.outputNames[0]].data);
  }
}

async function fetched(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Refusal(`A file of this page is missing (${path.slice(3)}): copy the whole folder again.`);
  return response.arrayBuffer();
}

/** The pixels of the check: noise (the upper bits of multiples of 2^32 divided by the golden ratio), faint noise, a ramp. */
function madeUp(count) {
  const noise = Uint8Array.from({ length: count }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  return [noise, noise.map((value) => value >> 2), Uint8Array.from({ length: count }, (_, i) => Math.floor((i * 256) / count))];
}
