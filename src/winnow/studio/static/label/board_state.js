// What the studio knows of the dataset: asked for again and again, and rows, their order and names on demand.

const POLL_MS = 1500, HIDDEN_MS = 5000;

export class BoardState {
  // client: this browser's name; took(before, now): heard of every answer; silent(isSignedOut): the studio has not
  // answered twice; back(): it answers again.
  constructor(dataset, client, { took, silent, back }) {
    Object.assign(this, { client, took, silent, back });
    this.address = `/label-data/${encodeURIComponent(dataset)}`;
    this.now = { epoch: "", version: 0, n: 0, unlabelled: 0, classes: [], splits: {}, task: "classify", model: { ready: 0 }, log: [] };
    this.silences = 0;
    this.onSight = () => this.poll();
    document.addEventListener("visibilitychange", this.onSight);
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onSight);
  }

  async poll() {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const { epoch, version } = this.now;
    const state = await this.get(`state?client=${this.client}&epoch=${epoch}&since=${version}`);
    this.hear(state !== null);
    if (state) this.take(state);
    if (!this.isStopped) this.timer = setTimeout(() => this.poll(), document.hidden ? HIDDEN_MS : POLL_MS);
  }

  // One answer may get lost; two are news.
  hear(isAnswer) {
    if (isAnswer && this.silences > 1) this.back();
    this.silences = isAnswer ? 0 : this.silences + 1;
    if (this.silences === 2) this.silent(this.isSignedOut);
  }

  take(state) {
    const before = this.now;
    if (state.version < before.version && state.epoch === before.epoch) return;
    this.now = state;
    this.took(before, state);
  }

  // {epoch, rows, note} or {error}.
  order(which) {
    return this.get(`order?which=${encodeURIComponent(which)}`, true);
  }

  // Facts of rows; null where they cannot be had, or the rows have other numbers now.
  async rows(which, rows) {
    const { epoch } = this.now;
    const found = await this.get(`rows?which=${encodeURIComponent(which)}&epoch=${epoch}&ids=${rows.join(",")}`);
    if (!found || found.epoch !== this.now.epoch) return null;
    return found.rows.map(([row, labels, split, isThere, content, source, guess, prob]) => ({ row, labels, split, isThere, content, source, guess, prob }));
  }

  // The names of rows, in their order; null where they cannot be had.
  async names(rows) {
    const { names } = await this.post("names", { epoch: this.now.epoch, rows });
    return names?.length === rows.length ? names : null;
  }

  // What the studio makes of it, or {error}.
  async post(path, body) {
    try {
      const answer = await fetch(`${this.address}/${path}`,
        { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      return await answer.json();
    } catch {
      return { error: "The studio does not answer: try again in a moment." };
    }
  }

  async get(path, tells = false) {
    try {
      const answer = await fetch(`${this.address}/${path}`);
      this.isSignedOut = answer.status === 401;
      const found = await answer.json();
      return answer.ok || tells ? found : null;
    } catch {
      return tells ? { error: "The studio does not answer: is it still running?" } : null;
    }
  }
}
