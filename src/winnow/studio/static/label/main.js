// The label page: what there is to see and press, and how it hangs together.

import { Camera } from "./camera.js";
import { Classes } from "./classes.js";
import { button, element, field } from "../elements.js";
import { count, number, percent } from "../words.js";
import { kept } from "./kept.js";
import { Grid, said_of } from "./grid.js";
import { ActionQueue } from "./queue.js";

const POLL_MS = 1500, HIDDEN_MS = 5000;
const NOBODY = "somebody in the studio";
const SIZES = { 96: "Small", 128: "Medium", 192: "Large", 288: "Very large" };

export function start(root, { dataset, which }) {
  const page = new LabelPage(root, dataset, which);
  return () => page.stop();
}

class LabelPage {
  constructor(root, dataset, which) {
    this.dataset = dataset;
    this.which = which;
    this.address = `/label-data/${encodeURIComponent(dataset)}`;
    this.client = kept.get("winnow-client") || Array.from(crypto.getRandomValues(new Uint8Array(6)), (one) => one.toString(16).padStart(2, "0")).join("");
    kept.set("winnow-client", this.client);
    this.state = { epoch: "", version: 0, classes: [], splits: {}, task: "classify", model: { ready: 0 } };
    this.grid = new Grid({ fetchRows: (rows) => this.fetchRows(rows), changed: () => this.showOne(), keyed: (event) => this.onKey(event) });
    this.classes = new Classes({ dataset, use: (name) => this.give(name), edit: (edits, said) => this.store(edits, said), tell: (words) => this.say(words) });
    this.camera = new Camera({ classes: () => this.classes.names, send: (label, pictures) => this.capture(label, pictures), tell: (words) => this.say(words) });
    this.queue = new ActionQueue(this.address, this.client, {
      told: (item, answer) => this.onStored(item, answer),
      refused: (item, sentence) => this.onRefused(item, sentence),
      waiting: (n) => this.say(`${count(n, "change")} ${n === 1 ? "waits" : "wait"} to be stored and ${n === 1 ? "is" : "are"} kept in this browser. If the studio was started again, open the link it printed.`, true),
    });
    this.build(root);
    this.onSight = () => this.poll();
    document.addEventListener("visibilitychange", this.onSight);
    this.poll().then(() => this.open(this.which));
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.grid.stop();
    this.queue.stop();
    this.camera.close();
    document.removeEventListener("visibilitychange", this.onSight);
  }

  build(root) {
    this.filter = element("select", { onchange: () => this.open(this.filter.value) });
    this.undo = button("Undo", () => this.step("undo"), { disabled: true, "aria-keyshortcuts": "Control+Z" });
    this.redo = button("Redo", () => this.step("redo"), { disabled: true, "aria-keyshortcuts": "Control+Y" });
    const sizes = element("select", { onchange: () => { kept.set("winnow-tile", sizes.value); this.grid.size(Number(sizes.value)); } },
      ...Object.entries(SIZES).map(([px, words]) => element("option", { value: px }, words)));
    sizes.value = kept.get("winnow-tile") in SIZES ? kept.get("winnow-tile") : "128";
    this.grid.sidePx = Number(sizes.value);
    const several = element("input", { type: "checkbox", id: "label-picks", onchange: () => { this.grid.picksSeveral = several.checked; } });
    this.many = element("input", { type: "checkbox", id: "label-many", onchange: () => this.showOne() });
    this.bar = element("div", { class: "label-bar", role: "group", "aria-label": "What to show" },
      field("Show", this.filter), button("Ask me next", () => this.open("useful"), { class: "main-action", "aria-keyshortcuts": "n" }),
      button("Show again", () => this.open(this.which)), this.undo, this.redo,
      button("Camera", () => this.camera.open(this.classes.names[0])), field("Size", sizes),
      element("div", { class: "check" }, several, element("label", { for: "label-picks" }, "Select several")),
      element("div", { class: "check" }, this.many, element("label", { for: "label-many" }, "Several classes each")));
    this.said = element("p", { class: "label-said", role: "status", "aria-live": "polite" });
    this.empty = element("p", { class: "label-empty", hidden: true }, "No picture here.");
    this.main = element("section", { class: "label-main", "aria-label": "Pictures" }, this.grid.element, this.empty);
    this.one = element("section", { class: "card label-one", "aria-label": "The chosen picture" });
    const who = element("input", { value: kept.get("winnow-who") || "", placeholder: NOBODY, maxlength: 60, autocomplete: "off",
      oninput: () => kept.set("winnow-who", who.value.trim()) });
    this.who = who;
    this.log = element("ol", { tabindex: "0", "aria-label": "What happened, the newest first" });
    const log = element("section", { class: "card label-log", "aria-label": "What happened" }, element("h2", {}, "What happened"),
      field("Your name, for this list", who), this.log, this.keys());
    root.append(this.bar, this.said, this.classes.element, this.main, this.one, log, this.camera.dialog);
    this.buildOne();
  }

  keys() {
    const keys = [["Arrows", "go from picture to picture"], ["Shift + arrows", "select a range"], ["Space", "select this one as well"],
      ["Ctrl + A", "select all"], ["Esc", "select none"], ["1 to 9, letters", "give the class beside the key"], ["Enter", "accept what is suggested"],
      ["Backspace", "take the label off"], ["Delete", "remove from the dataset"], ["n", "ask me next"], ["Ctrl + Z, Ctrl + Y", "undo, redo"]];
    return element("details", {}, element("summary", {}, "Keys, while the pictures have the focus"),
      element("dl", { class: "keys" }, ...keys.flatMap(([key, words]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)])));
  }

  buildOne() {
    this.picture = element("img", { alt: "" });
    this.words = element("p", {});
    this.name = element("p", { class: "hint" });
    this.accept = button("Accept the suggestion", () => this.acceptGuesses(), { "aria-keyshortcuts": "Enter" });
    this.title = element("h2", {}, "No picture is chosen");
    this.one.append(this.title, this.picture, this.words, this.name, element("div", { class: "row" }, this.accept,
      button("Show similar ones", () => this.similar()), button("Take the label off", () => this.takeOff()),
      button("Remove from the dataset", () => this.remove())));
  }

  // What there is

  async poll() {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const { epoch, version } = this.state;
    const state = await this.get(`state?client=${this.client}&epoch=${epoch}&since=${version}`);
    this.hear(state);
    if (state) this.take(state);
    if (!this.isStopped) this.timer = setTimeout(() => this.poll(), document.hidden ? HIDDEN_MS : POLL_MS);
  }

  // One answer may get lost; two are news.
  hear(state) {
    if (state && this.silences > 1 && !this.queue.items.length) this.say("The studio answers again.");
    this.silences = state ? 0 : (this.silences || 0) + 1;
    if (this.silences === 2) this.say("The studio does not answer. If it was started again, open the link it printed; what you do here is kept in this browser.", true);
  }

  take(state) {
    const before = this.state;
    if (state.version < before.version && state.epoch === before.epoch) return;
    this.state = state;
    const pending = this.queue.pendingRows();
    let isNews = false;
    for (const [row, labels, split, isThere] of state.changed) {
      if (pending.has(row) || !this.grid.facts.has(row)) continue;
      this.grid.put({ row, labels, split, isThere });
      isNews = true;
    }
    if (isNews) this.grid.draw();
    this.classes.show(state.classes);
    if (state.task === "multilabel") {
      this.many.checked = true;
      this.many.disabled = true;
    }
    this.undo.disabled = state.undo === null;
    this.redo.disabled = state.redo === null;
    if (before.version !== state.version || before.epoch !== state.epoch) {
      this.showFilters();
      this.showLog();
    }
    if (before.epoch && before.epoch !== state.epoch) {
      this.open(this.which, { keepsPlace: true });
    } else if (before.model.ready !== state.model.ready) this.renewSoon();
    this.showOne();
  }

  // Suggestions in sight follow the model, though not more often than a person can read.
  renewSoon() {
    if (this.isRenewing) return;
    this.isRenewing = true;
    setTimeout(async () => { await this.grid.renew(); this.isRenewing = false; this.showOne(); }, 700);
  }

  showFilters() {
    const { n, unlabelled, splits, classes } = this.state;
    const groups = [["", [["all", `All (${number(n)})`], ["unlabelled", `Unlabelled (${number(unlabelled)})`]]],
      ["By the model", [["useful", "Ask me next"], ["uncertain", "Most uncertain"], ["wrong", "Likely wrong labels"], ["typical", "Most typical"]]],
      ["By class", classes.map(([name, one]) => [`class:${name}`, `${name} (${number(one)})`])],
      ["By split", Object.entries(splits).map(([split, one]) => [`split:${split}`, `${split} (${number(one)})`])]];
    const known = groups.flatMap(([, entries]) => entries.map(([value]) => value));
    if (!known.includes(this.which)) groups.push(["Chosen", [[this.which, this.whichWords()]]]);
    this.filter.replaceChildren(...groups.filter(([, entries]) => entries.length).flatMap(([label, entries]) => {
      const options = entries.map(([value, words]) => element("option", { value }, words));
      return label ? [element("optgroup", { label }, ...options)] : options;
    }));
    this.filter.value = this.which;
  }

  whichWords() {
    const [kind, ...rest] = this.which.split(":");
    return { near: "Similar to ", only: "Finding ", class: "", split: "" }[kind] + rest.join(":");
  }

  async open(which, { keepsPlace = false } = {}) {
    this.which = which;
    this.showFilters();
    const turn = this.turn = (this.turn || 0) + 1;
    const slow = setTimeout(() => this.say("Looking for these pictures."), 400);
    const order = await this.get(`order?which=${encodeURIComponent(which)}`, true);
    clearTimeout(slow);
    if (turn !== this.turn || this.isStopped) return;
    if (order.error) {
      this.say(order.error, true);
      if (which !== "all") this.open("all");
      return;
    }
    this.state.epoch = order.epoch;
    this.grid.forget();
    this.grid.showsDoubt = which === "wrong";
    this.grid.show(order.rows, { keepsPlace });
    this.empty.hidden = order.rows.length > 0;
    if (!keepsPlace) this.say(`${count(order.rows.length, "picture")} shown. ${order.note}`);
  }

  async fetchRows(rows) {
    const found = await this.get(`rows?which=${encodeURIComponent(this.which)}&epoch=${this.state.epoch}&ids=${rows.join(",")}`);
    if (!found || found.epoch !== this.state.epoch) return null;
    const pending = this.queue.pendingRows();
    return found.rows.map(([row, labels, split, isThere, content, source, guess, prob]) => {
      const facts = { row, split, isThere, content, source, guess, prob };
      return pending.has(row) && this.grid.facts.has(row) ? facts : { ...facts, labels };
    });
  }

  async get(path, tells = false) {
    try {
      const answer = await fetch(`${this.address}/${path}`);
      const found = await answer.json();
      return answer.ok || tells ? found : null;
    } catch {
      return tells ? { error: "The studio does not answer: is it still running?" } : null;
    }
  }

  // What is done

  onKey(event) {
    if (event.altKey) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" || key === "y") {
        event.preventDefault();
        this.step(key === "y" || event.shiftKey ? "redo" : "undo");
      }
      return;
    }
    const name = this.classes.ofKey(key);
    if (name !== null) this.give(name);
    else if (event.key === "Enter") this.acceptGuesses();
    else if (event.key === "Backspace") this.takeOff();
    else if (event.key === "Delete") this.remove();
    else if (key === "n") this.open("useful");
    else return;
    event.preventDefault();
  }

  // The names of rows: actions name pictures, so that they mean the same after a restart.
  async named(rows) {
    const unknown = rows.filter((row) => !this.grid.facts.has(row));
    const names = new Map(rows.map((row) => [row, this.grid.facts.get(row)?.source]));
    if (unknown.length) {
      const answer = await fetch(`${this.address}/names`, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ epoch: this.state.epoch, rows: unknown }) }).then((one) => one.json()).catch(() => ({ names: [] }));
      if (answer.names.length !== unknown.length) return null;
      unknown.forEach((row, place) => names.set(row, answer.names[place]));
    }
    return names;
  }

  async chosen() {
    const rows = this.grid.chosen;
    if (!rows.length) return null;
    const names = await this.named(rows);
    if (names === null) this.say("The studio does not say which pictures these are: try again in a moment.", true);
    return names;
  }

  async give(name) {
    const names = await this.chosen();
    if (!names) return;
    const rows = [...names.keys()], pictures = [...names.values()];
    const of = rows.length === 1 ? pictures[0] : count(rows.length, "picture");
    if (!this.many.checked) {
      this.paint(rows, () => [name]);
      this.store([{ kind: "relabel", labels: Object.fromEntries(pictures.map((one) => [one, [name]])) }], `${of} ${rows.length === 1 ? "is" : "are"} now ${name}.`, rows);
    } else {
      const haveAll = rows.every((row) => this.grid.facts.get(row)?.labels?.includes(name));
      const kind = haveAll ? "remove-labels" : "add-labels";
      this.paint(rows, (labels) => haveAll ? (labels || []).filter((one) => one !== name) : [...new Set([...(labels || []), name])]);
      this.store([{ kind, pictures, labels: [name] }], haveAll ? `${name} is off ${of}.` : `${of} ${rows.length === 1 ? "has" : "have"} ${name} as well.`, rows);
      return;
    }
    this.goOn(rows);
  }

  async acceptGuesses() {
    const names = await this.chosen();
    if (!names) return;
    const rows = [...names.keys()].filter((row) => this.grid.facts.get(row)?.guess?.length);
    if (!rows.length) return this.say("Nothing is suggested here yet.");
    const guess = new Map(rows.map((row) => [row, this.grid.facts.get(row).guess]));
    const labels = Object.fromEntries(rows.map((row) => [names.get(row), guess.get(row)]));
    this.paint(rows, (_, row) => guess.get(row));
    this.store([{ kind: "relabel", labels }], rows.length === 1 ? `${names.get(rows[0])} is now ${guess.get(rows[0]).join(", ")}.`
      : `${count(rows.length, "picture")} are now what was suggested.`, rows);
    return this.goOn(rows);
  }

  async takeOff() {
    const names = await this.chosen();
    if (!names) return;
    const rows = [...names.keys()];
    this.paint(rows, () => null);
    this.store([{ kind: "relabel", labels: Object.fromEntries([...names.values()].map((one) => [one, null])) }], `${count(rows.length, "picture")} without a label now.`, rows);
    this.goOn(rows);
  }

  async remove() {
    const names = await this.chosen();
    if (!names) return;
    const rows = [...names.keys()];
    rows.forEach((row) => this.grid.put({ row, isThere: false }));
    this.store([{ kind: "remove", pictures: [...names.values()] }], `${count(rows.length, "picture")} removed from the dataset; Undo brings ${rows.length === 1 ? "it" : "them"} back.`, rows);
    this.goOn(rows);
  }

  paint(rows, labelsOf) {
    for (const row of rows) {
      const facts = this.grid.facts.get(row);
      if (facts) this.grid.put({ row, labels: labelsOf(facts.labels, row) });
    }
    this.grid.draw();
    this.showOne();
  }

  // One picture at a time: the next one waits already.
  goOn(rows) {
    if (rows.length !== 1 || this.grid.order[this.grid.active] !== rows[0]) return;
    if (this.grid.active + 1 < this.grid.order.length) this.grid.select(this.grid.active + 1);
    else if (this.which === "useful") this.queue.idle().then(() => this.open("useful"));
  }

  store(edits, said, rows = []) {
    this.queue.push("act", { edits, who: this.who.value.trim() || NOBODY }, rows);
    this.say(said);
  }

  async step(way) {
    await this.queue.idle();
    await this.poll();
    const version = this.state[way];
    if (version === null || version === undefined) return this.say(way === "undo" ? "There is nothing of yours to undo." : "There is nothing to redo.");
    return this.takeBack(version, way);
  }

  takeBack(version, way) {
    this.queue.push("take-back", { version, who: this.who.value.trim() || NOBODY, way });
  }

  onStored(item, answer) {
    if (item.path === "take-back") this.say(`${{ undo: "Undone", redo: "Done again" }[item.body.way] || `Took version ${item.body.version} back`}: ${answer.what}.`);
    if (answer.gone?.length) this.say(`${count(answer.gone.length, "picture")} had been removed by somebody else; the others are changed.`, true);
    if (!this.queue.items.length) this.poll();
  }

  onRefused(item, sentence) {
    this.say(sentence, true);
    // What was painted is not so: ask again what is.
    item.rows.forEach((row) => this.grid.facts.delete(row));
    this.grid.draw();
    this.poll();
  }

  similar() {
    const facts = this.grid.facts.get(this.grid.order[this.grid.active]);
    if (facts) this.open(`near:${facts.source}`);
  }

  async capture(label, pictures) {
    try {
      const answer = await fetch(`${this.address}/capture`, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ label, pictures, who: this.who.value.trim() || NOBODY }) });
      return await answer.json();
    } catch {
      return { error: "The studio does not answer; the pictures are still here: try again." };
    }
  }

  // What is said

  say(words, isWrong = false) {
    this.said.replaceChildren(isWrong ? element("span", { class: "wrong" }, words) : words);
  }

  showOne() {
    const { grid } = this;
    const row = grid.order[grid.active], facts = grid.facts.get(row), n = grid.selected.size;
    this.title.textContent = n > 1 ? `${count(n, "picture")} selected` : "This picture";
    if (!facts) {
      this.words.textContent = grid.order.length ? "" : "Nothing is shown.";
      return;
    }
    const address = `/picture/${facts.content}?side=512`;
    if (this.shown !== address) {
      this.shown = address;
      clearTimeout(this.showing);
      this.showing = setTimeout(() => this.picture.setAttribute("src", this.shown), 120);
    }
    this.words.textContent = `${said_of(facts)} (${facts.split})`;
    if (facts.labels !== null && facts.guess?.length && facts.guess.join() !== facts.labels.join()) {
      this.words.textContent += `. The model would say ${facts.guess.join(", ")} (${percent(facts.prob)}).`;
    }
    this.name.textContent = facts.source;
    this.accept.disabled = !facts.guess?.length;
    const { model } = this.state;
    this.accept.title = model.reason || (model.learned ? `Learned from ${count(model.learned, "labelled picture")}` : "The model waits for two classes with pictures");
  }

  showLog() {
    const before = this.log.scrollTop;
    this.log.replaceChildren(...this.state.log.map(({ number, who, what, created, can }) => element("li", {},
      element("time", { datetime: created }, new Date(created).toLocaleString("en", { dateStyle: "short", timeStyle: "short" })),
      ` ${who || "unknown"}: ${what} `,
      can ? button("Take back", () => this.takeBack(number), { class: "quiet", "aria-label": `Take back version ${number}: ${what.slice(0, 80)}` }) : "")));
    this.log.scrollTop = before;
  }
}
