// The label page: its parts, and how they hang together.

import { button, element } from "../elements.js";
import { count } from "../words.js";
import { Actions } from "./actions.js";
import { BoardState } from "./board_state.js";
import { Camera } from "./camera.js";
import { Chosen } from "./chosen.js";
import { Classes } from "./classes.js";
import { Grid } from "./grid.js";
import { Log } from "./log.js";
import { kept } from "./kept.js";
import { ActionQueue } from "./queue.js";
import { Toolbar } from "./toolbar.js";

const SLOW_MS = 400, RENEW_MS = 700;
const LINK = "open the link that winnow studio printed, in this browser";

export function start(root, { dataset, which }) {
  const page = new LabelPage(root, dataset, which);
  return () => page.stop();
}

// By which the studio knows whose actions Undo takes back.
function clientName() {
  const drawn = () => Array.from(crypto.getRandomValues(new Uint8Array(6)), (one) => one.toString(16).padStart(2, "0")).join("");
  const name = kept.get("winnow-client") || drawn();
  kept.set("winnow-client", name);
  return name;
}

class LabelPage {
  constructor(root, dataset, which) {
    this.which = which;
    this.say = this.say.bind(this);
    const client = clientName();
    const actions = new Actions(this);
    this.board = new BoardState(dataset, client, {
      took: (before, now) => this.take(before, now),
      silent: (isSignedOut) => this.say(isSignedOut ? `This browser is signed out: ${LINK}. What you do here is kept.`
        : "The studio does not answer: is it still running? What you do here is kept in this browser.", true),
      back: () => { if (!this.queue.items.length) this.say("The studio answers again."); },
    });
    this.grid = new Grid({ fetchRows: (rows) => this.fetchRows(rows), changed: () => this.showChosen(), keyed: (event) => actions.onKey(event) });
    this.classes = new Classes({ dataset, use: (name) => actions.give(name), edit: (edits, said) => actions.store(edits, said), tell: this.say });
    this.camera = new Camera({ classes: () => this.classes.names, tell: this.say,
      send: (label, pictures) => this.board.post("capture", { label, pictures, who: this.log.who }) });
    this.toolbar = new Toolbar({ open: (one) => this.open(one), again: () => this.open(this.which), step: (way) => actions.step(way),
      openCamera: () => this.camera.open(this.classes.names[0]), size: (px) => this.grid.size(px),
      picksSeveral: (is) => { this.grid.picksSeveral = is; }, changed: () => this.showChosen() });
    this.chosen = new Chosen({ accept: () => actions.accept(), similar: () => actions.similar(), takeOff: () => actions.takeOff(), remove: () => actions.remove() });
    this.log = new Log({ takeBack: (version) => actions.takeBack(version) });
    this.grid.sidePx = this.toolbar.sidePx;
    this.build(root);
    this.queue = new ActionQueue(this.board.address, client, {
      told: (item, answer) => this.onStored(item, answer),
      refused: (item, sentence) => this.onRefused(item, sentence),
      waiting: (n, why) => this.onWaiting(n, why),
    });
    this.board.poll().then(() => this.open(this.which));
  }

  build(root) {
    this.said = element("p", { class: "label-said", role: "status", "aria-live": "polite" });
    this.whyWaiting = element("span");
    this.waiting = element("div", { class: "label-waiting", role: "alert", hidden: true }, this.whyWaiting,
      element("div", { class: "row" }, button("Try again now", () => this.queue.retry()),
        button("Give this change up", () => this.queue.giveUp(), { class: "quiet" })));
    this.empty = element("p", { class: "label-empty", hidden: true }, "No picture here.");
    const told = element("div", { class: "label-told" }, this.said, this.waiting);
    const pictures = element("section", { class: "label-main", "aria-label": "Pictures" }, this.grid.element, this.empty);
    root.append(this.toolbar.element, told, this.classes.element, pictures, this.chosen.element, this.log.element, this.camera.dialog);
  }

  stop() {
    this.isStopped = true;
    this.board.stop();
    this.grid.stop();
    this.queue.stop();
    this.camera.close();
  }

  // What there is

  take(before, now) {
    const pending = this.queue.pendingRows();
    const news = now.changed.filter(([row]) => !pending.has(row) && this.grid.facts.has(row));
    for (const [row, labels, split, isThere] of news) this.grid.put({ row, labels, split, isThere });
    if (news.length) this.grid.draw();
    this.classes.show(now.classes);
    this.toolbar.showSteps(now);
    if (before.version !== now.version || before.epoch !== now.epoch) {
      this.toolbar.showFilters(now, this.which);
      this.log.show(now.log);
    }
    if (this.turn && before.epoch !== now.epoch) this.open(this.which, { keepsPlace: true });
    else if (before.model.ready !== now.model.ready) this.renewSoon();
    this.showChosen();
  }

  // Suggestions in sight follow the model, though not more often than a person can read.
  renewSoon() {
    if (this.isRenewing) return;
    this.isRenewing = true;
    setTimeout(async () => { await this.grid.renew(); this.isRenewing = false; this.showChosen(); }, RENEW_MS);
  }

  async open(which, { keepsPlace = false } = {}) {
    this.which = which;
    this.toolbar.showFilters(this.board.now, which);
    const turn = this.turn = (this.turn || 0) + 1;
    const slow = setTimeout(() => this.say("Looking for these pictures."), SLOW_MS);
    const order = await this.board.order(which);
    clearTimeout(slow);
    if (turn !== this.turn || this.isStopped) return;
    if (order.error) {
      this.say(order.error, true);
      if (which !== "all") this.open("all");
      return;
    }
    this.board.now.epoch = order.epoch;
    this.grid.forget();
    this.grid.showsDoubt = which === "wrong";
    this.grid.show(order.rows, { keepsPlace });
    this.empty.hidden = order.rows.length > 0;
    if (!keepsPlace) this.say(`${count(order.rows.length, "picture")} shown. ${order.note}`);
  }

  async fetchRows(rows) {
    const found = await this.board.rows(this.which, rows);
    if (found === null) return null;
    const pending = this.queue.pendingRows();
    return found.map(({ labels, ...facts }) => pending.has(facts.row) && this.grid.facts.has(facts.row) ? facts : { ...facts, labels });
  }

  // What became of actions

  onStored(item, answer) {
    this.waiting.hidden = true;
    if (item.path === "take-back") this.say(`${{ undo: "Undone", redo: "Done again" }[item.body.way] || `Took version ${item.body.version} back`}: ${answer.what}.`);
    if (answer.gone?.length) this.say(`${count(answer.gone.length, "picture")} had been removed by somebody else; the others are changed.`, true);
    if (!this.queue.items.length) this.board.poll();
  }

  onRefused(item, sentence) {
    this.waiting.hidden = true;
    this.say(sentence, true);
    // What was painted is not so: ask again what is.
    item.rows.forEach((row) => this.grid.facts.delete(row));
    this.grid.draw();
    this.board.poll();
  }

  onWaiting(n, { kind, sentence }) {
    const waits = `${count(n, "change")} ${n === 1 ? "waits" : "wait"} to be stored and ${n === 1 ? "is" : "are"} kept in this browser.`;
    if (kind === "failed") {
      this.waiting.hidden = false;
      this.whyWaiting.textContent = `${sentence} ${waits} It is tried again by itself, more and more slowly.`;
    } else this.say(`${waits} ${kind === "signed out" ? `This browser is signed out: ${LINK}.` : "The studio does not answer: is it still running?"}`, true);
  }

  // What is said

  say(words, isWrong = false) {
    this.said.replaceChildren(isWrong ? element("span", { class: "wrong" }, words) : words);
  }

  showChosen() {
    this.chosen.show(this.grid, this.board.now.model);
  }
}
