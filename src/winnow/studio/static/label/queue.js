// Actions that wait to be stored: kept in this browser until the studio says that it has them, and sent again if in
// doubt. Each has a name of its own, by which the studio knows one that it has stored before.

import { kept } from "./kept.js";

const PATIENCE_MS = 20000, FIRST_PAUSE_MS = 500;
// Somebody who starts the studio again wants to go on at once; what failed inside it seldom mends itself in seconds.
const LONGEST_PAUSE_MS = { silent: 4000, "signed out": 4000, failed: 60000 };
const INSIDE = "The studio could not store a change: something went wrong inside it, and the terminal that runs it says more.";

export class ActionQueue {
  // told(action, answer): stored; refused(action, sentence): never will be; waiting(n, {kind, sentence}): so many could
  // not be sent yet, as the studio is "silent", this browser is "signed out", or storing "failed", with a sentence.
  constructor(address, client, { told, refused, waiting }) {
    Object.assign(this, { address, client, told, refused, waiting });
    this.prefix = `winnow-action:${address}:`;
    this.count = 0;
    this.idles = [];
    this.isStopped = false;
    this.items = kept.keys(this.prefix).sort().map((key) => JSON.parse(kept.get(key)));
    if (this.items.length) this.send();
  }

  // path: "act" or "take-back"; body: what the route takes, without its name.
  push(path, body, rows = []) {
    const name = `${this.client}:${Date.now().toString(36)}-${(this.count++).toString(36).padStart(4, "0")}`;
    const item = { path, rows, body: { ...body, action: name, client: this.client } };
    this.items.push(item);
    kept.set(this.prefix + name, JSON.stringify(item));
    this.send();
    return item;
  }

  pendingRows() {
    return new Set(this.items.flatMap((item) => item.rows));
  }

  idle() {
    return this.items.length ? new Promise((resolve) => this.idles.push(resolve)) : Promise.resolve();
  }

  // Do not wait any longer.
  retry() {
    this.goOn?.();
  }

  // Forget the action that the others wait behind.
  giveUp() {
    if (!this.goOn) return; // it is being sent: nobody knows yet
    this.refused(this.taken(), "The change was given up; what you see is what is stored.");
    this.goOn();
  }

  stop() {
    this.isStopped = true;
    this.goOn?.();
  }

  taken() {
    const item = this.items.shift();
    kept.remove(this.prefix + item.body.action);
    return item;
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    let pause = FIRST_PAUSE_MS;
    while (this.items.length && !this.isStopped) {
      const { answer, refusal, trouble } = await this.post(this.items[0]);
      if (trouble) {
        this.waiting(this.items.length, trouble);
        await this.rest(pause);
        pause = Math.min(LONGEST_PAUSE_MS[trouble.kind], pause * 2);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      const item = this.taken();
      if (refusal) this.refused(item, refusal);
      else this.told(item, answer);
    }
    this.isSending = false;
    this.idles.splice(0).forEach((resolve) => resolve());
  }

  async rest(pause) {
    await new Promise((resolve) => {
      this.goOn = resolve;
      setTimeout(resolve, pause);
    });
    this.goOn = null;
  }

  // {answer}; or {refusal}, a sentence; or {trouble} where nobody can say whether it was stored.
  async post(item) {
    try {
      const answer = await fetch(`${this.address}/${item.path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(item.body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 401 || answer.status === 421) return { trouble: { kind: "signed out" } };
      if (answer.status >= 500) {
        const { error } = await answer.json().catch(() => ({}));
        return { trouble: { kind: "failed", sentence: error ?? INSIDE } };
      }
      return answer.ok ? { answer: await answer.json() } : { refusal: (await answer.json()).error };
    } catch {
      return { trouble: { kind: "silent" } };
    }
  }
}
