// What is done with the chosen pictures: shown at once, stored as soon as the studio takes it.

import { count } from "../words.js";

export class Actions {
  // page: what the label page is made of (board, grid, classes, toolbar, log, queue), with say, open and showChosen.
  constructor(page) {
    this.page = page;
  }

  // Keys on the pictures that are not for moving about.
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
    const name = this.page.classes.ofKey(key);
    if (name !== null) this.give(name);
    else if (event.key === "Enter") this.accept();
    else if (event.key === "Backspace") this.takeOff();
    else if (event.key === "Delete") this.remove();
    else if (key === "n") this.page.open("useful");
    else return;
    event.preventDefault();
  }

  // The chosen rows with their names: actions name pictures, so that they mean the same after a restart.
  async chosen() {
    const { board, grid, say } = this.page;
    const rows = grid.chosen;
    if (!rows.length) return null;
    const names = new Map(rows.map((row) => [row, grid.facts.get(row)?.source]));
    const unknown = rows.filter((row) => !grid.facts.has(row));
    const found = unknown.length ? await board.names(unknown) : [];
    if (found === null) {
      say("The studio does not say which pictures these are: try again in a moment.", true);
      return null;
    }
    unknown.forEach((row, place) => names.set(row, found[place]));
    return names;
  }

  async give(name) {
    const names = await this.chosen();
    if (!names) return;
    const rows = [...names.keys()], pictures = [...names.values()];
    const isOne = rows.length === 1;
    const of = isOne ? pictures[0] : count(rows.length, "picture");
    if (!this.page.toolbar.hasSeveral) {
      this.paint(rows, () => [name]);
      this.store([{ kind: "relabel", labels: Object.fromEntries(pictures.map((one) => [one, [name]])) }], `${of} ${isOne ? "is" : "are"} now ${name}.`, rows);
      this.goOn(rows);
      return;
    }
    const haveAll = rows.every((row) => this.page.grid.facts.get(row)?.labels?.includes(name));
    const kind = haveAll ? "remove-labels" : "add-labels";
    this.paint(rows, (labels) => haveAll ? (labels || []).filter((one) => one !== name) : [...new Set([...(labels || []), name])]);
    this.store([{ kind, pictures, labels: [name] }], haveAll ? `${name} is off ${of}.` : `${of} ${isOne ? "has" : "have"} ${name} as well.`, rows);
  }

  async accept() {
    const names = await this.chosen();
    if (!names) return;
    const { grid, say } = this.page;
    const rows = [...names.keys()].filter((row) => grid.facts.get(row)?.guess?.length);
    if (!rows.length) {
      say("Nothing is suggested here yet.");
      return;
    }
    const guess = new Map(rows.map((row) => [row, grid.facts.get(row).guess]));
    const labels = Object.fromEntries(rows.map((row) => [names.get(row), guess.get(row)]));
    this.paint(rows, (_, row) => guess.get(row));
    this.store([{ kind: "relabel", labels }], rows.length === 1 ? `${names.get(rows[0])} is now ${guess.get(rows[0]).join(", ")}.`
      : `${count(rows.length, "picture")} are now what was suggested.`, rows);
    this.goOn(rows);
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
    rows.forEach((row) => this.page.grid.put({ row, isThere: false }));
    this.store([{ kind: "remove", pictures: [...names.values()] }], `${count(rows.length, "picture")} removed from the dataset; Undo brings ${rows.length === 1 ? "it" : "them"} back.`, rows);
    this.goOn(rows);
  }

  paint(rows, labelsOf) {
    const { grid } = this.page;
    for (const row of rows) {
      const facts = grid.facts.get(row);
      if (facts) grid.put({ row, labels: labelsOf(facts.labels, row) });
    }
    grid.draw();
    this.page.showChosen();
  }

  // One picture at a time: the next one waits already.
  goOn(rows) {
    const { grid, queue } = this.page;
    if (rows.length !== 1 || grid.order[grid.active] !== rows[0]) return;
    if (grid.active + 1 < grid.order.length) grid.select(grid.active + 1);
    else if (this.page.which === "useful") queue.idle().then(() => this.page.open("useful"));
  }

  store(edits, said, rows = []) {
    this.page.queue.push("act", { edits, who: this.page.log.who }, rows);
    this.page.say(said);
  }

  async step(way) {
    const { board, queue, say } = this.page;
    await queue.idle();
    await board.poll();
    const version = board.now[way];
    if (version === null || version === undefined) say(way === "undo" ? "There is nothing of yours to undo." : "There is nothing to redo.");
    else this.takeBack(version, way);
  }

  takeBack(version, way) {
    this.page.queue.push("take-back", { version, who: this.page.log.who, way });
  }

  similar() {
    const { grid } = this.page;
    const facts = grid.facts.get(grid.order[grid.active]);
    if (facts) this.page.open(`near:${facts.source}`);
  }
}
