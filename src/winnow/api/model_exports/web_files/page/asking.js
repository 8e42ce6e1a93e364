// Questions to the worker, which decodes pictures and runs the model: the page itself never stands still.

export class Asking {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #asked = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { id, answer, refusal } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (refusal === undefined) resolve(answer);
      else reject(new Error(refusal));
    });
    this.#worker.addEventListener("error", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The model stopped: load the page again."));
      this.#waiting.clear();
    });
  }

  /** Open the model; the first question must be this one. Fails with a sentence. */
  open = (facts) => this.#ask({ facts });

  /** The probabilities of a picture file, in the order of the classes; fails with a sentence. */
  file = async (file) => this.#ask({ bytes: await bytesOf(file) });

  /** The probabilities of a frame {rgba, width, height}. */
  frame = (frame) => this.#ask({ frame });

  #ask(question) {
    const id = ++this.#asked;
    const buffers = [question.bytes ?? question.frame?.rgba.buffer].filter(Boolean);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...question }, buffers);
    });
  }
}

async function bytesOf(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Error("The browser cannot read it: give pictures, not folders, and files that are still there.");
  }
}
