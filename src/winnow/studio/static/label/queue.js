// Actions that wait to be stored: kept in this browser until the studio says that it has them, and sent again if in
// doubt. Each has a name of its own, by which the studio knows one that it has stored before.

import { kept } from "./kept.js";

const PATIENCE_MS = 20000, FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 4000;

export class ActionQueue {
  // told(action, answer): stored; refused(action, sentence): never will be; waiting(n): so many could not be sent yet.
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

  stop() {
    this.isStopped = true;
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    let pause = FIRST_PAUSE_MS;
    while (this.items.length && !this.isStopped) {
      const item = this.items[0];
      const outcome = await this.post(item);
      if (outcome === null) {
        this.waiting(this.items.length);
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      this.items.shift();
      kept.remove(this.prefix + item.body.action);
      if (outcome.error) this.refused(item, outcome.error);
      else this.told(item, outcome);
    }
    this.isSending = false;
    this.idles.splice(0).forEach((resolve) => resolve());
  }

  // What the studio says; null where nobody can say whether it was stored.
  async post(item) {
    try {
      const answer = await fetch(`${this.address}/${item.path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(item.body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.ok) return await answer.json();
      if (answer.status >= 500 || answer.status === 401 || answer.status === 421) return null;
      return await answer.json();
    } catch {
      return null;
    }
  }
}
