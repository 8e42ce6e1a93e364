// A grid of pictures of which only those in sight are in the page: a listbox for keyboards and screen readers.

import { element } from "../elements.js";
import { percent } from "../words.js";

const GAP_PX = 8, CAPTION_PX = 26, SPARE_ROWS = 2, PAGE = 200, SETTLED_MS = 40;

export class Grid {
  // fetchRows(ids) gives facts {row, labels, split, isThere, content, source, guess, prob} of rows;
  // changed() hears of every new selection or active picture; keyed(event) of keys that are not for moving.
  constructor({ fetchRows, changed, keyed }) {
    Object.assign(this, { fetchRows, changed, keyed });
    this.order = [];
    this.facts = new Map();
    this.asked = new Set();
    this.selected = new Set();
    this.tiles = new Map();
    this.active = 0;
    this.anchor = 0;
    this.sidePx = 128;
    this.picksSeveral = false;
    this.sizer = element("div", { role: "presentation", class: "label-sizer" });
    this.element = element("div", {
      class: "label-grid", role: "listbox", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Pictures",
      onscroll: () => this.drawSoon(), onkeydown: (event) => this.onKey(event),
      onclick: (event) => this.onClick(event), onfocus: () => this.draw(),
    }, this.sizer);
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.element);
  }

  stop() {
    this.observer.disconnect();
    clearTimeout(this.settling);
  }

  show(order, { keepsPlace = false } = {}) {
    // Rows may have other numbers now: the place in the order is what stays.
    this.order = order;
    this.active = this.anchor = keepsPlace ? Math.max(0, Math.min(this.active, order.length - 1)) : 0;
    this.selected.clear();
    if (!keepsPlace) this.element.scrollTop = 0;
    this.layOut();
    this.changed();
  }

  size(sidePx) {
    this.sidePx = sidePx;
    this.layOut();
    this.reveal();
  }

  forget() {
    this.facts.clear();
    this.asked.clear();
  }

  layOut() {
    const width = this.element.clientWidth - GAP_PX;
    if (width <= 0) return;
    this.columns = Math.max(1, Math.floor(width / (this.sidePx + GAP_PX)));
    this.tilePx = Math.floor(width / this.columns) - GAP_PX;
    this.linePx = this.tilePx + CAPTION_PX + GAP_PX;
    const lines = Math.ceil(this.order.length / this.columns);
    this.sizer.style.height = `${lines * this.linePx + GAP_PX}px`;
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.draw();
  }

  drawSoon() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => { this.isDue = false; this.draw(); });
  }

  draw() {
    if (!this.linePx) return;
    const top = this.element.scrollTop, height = this.element.clientHeight;
    const first = Math.max(0, Math.floor(top / this.linePx) - SPARE_ROWS) * this.columns;
    const last = Math.min(this.order.length, (Math.ceil((top + height) / this.linePx) + SPARE_ROWS) * this.columns);
    for (const [place, tile] of this.tiles) {
      // The active one stays in the page, wherever it is: the listbox points to it.
      if ((place < first || place >= last) && place !== this.active) {
        tile.remove();
        this.tiles.delete(place);
      }
    }
    for (let place = first; place < last; place++) this.tile(place);
    if (this.order.length) this.tile(this.active);
    this.element.setAttribute("aria-activedescendant", this.order.length ? `tile-${this.active}` : "");
    this.range = [first, last];
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.fetch(), SETTLED_MS);
  }

  tile(place) {
    let tile = this.tiles.get(place);
    if (!tile) {
      tile = element("div", { role: "option", class: "tile", id: `tile-${place}`, "aria-posinset": place + 1,
        "aria-setsize": this.order.length },
        element("img", { alt: "", draggable: "false", decoding: "async" }), element("span", { class: "tile-words" }));
      const line = Math.floor(place / this.columns), column = place % this.columns;
      tile.style.cssText = `width:${this.tilePx}px;height:${this.linePx - GAP_PX}px;` +
        `left:${GAP_PX + column * (this.tilePx + GAP_PX)}px;top:${GAP_PX + line * this.linePx}px`;
      this.tiles.set(place, tile);
      this.sizer.append(tile);
    }
    this.fill(tile, place);
  }

  fill(tile, place) {
    const row = this.order[place], facts = this.facts.get(row);
    const isSelected = this.selected.has(row);
    const state = `${row} ${isSelected} ${place === this.active} ${facts?.stamp}`;
    if (tile.state === state) return;
    tile.state = state;
    tile.setAttribute("aria-selected", isSelected);
    tile.classList.toggle("active", place === this.active);
    if (!facts) {
      tile.setAttribute("aria-label", `Picture ${place + 1}, loading`);
      return;
    }
    const [picture, words] = tile.children;
    const address = `/picture/${facts.content}?side=192`;
    if (picture.getAttribute("src") !== address) picture.setAttribute("src", address);
    tile.classList.toggle("gone", !facts.isThere);
    tile.classList.toggle("guessed", facts.labels === null && Boolean(facts.guess));
    const said = saidOf(facts, this.showsDoubt);
    words.textContent = said;
    tile.setAttribute("aria-label", `${facts.source}: ${said}`);
  }

  async fetch() {
    const [first, last] = this.range || [0, 0];
    const wanted = [];
    for (let place = first; place < last; place++) wanted.push(this.order[place]);
    if (this.order.length) wanted.push(this.order[this.active]);
    const missing = wanted.filter((row) => !this.facts.has(row) && !this.asked.has(row)).slice(0, PAGE);
    if (!missing.length) return;
    // Rows nearby come along: scrolling on finds them here.
    for (let place = last; missing.length < PAGE && place < Math.min(this.order.length, last + PAGE); place++) {
      const row = this.order[place];
      if (!this.facts.has(row) && !this.asked.has(row)) missing.push(row);
    }
    missing.forEach((row) => this.asked.add(row));
    const found = await this.fetchRows(missing);
    missing.forEach((row) => this.asked.delete(row));
    if (found === null) return;
    found.forEach((facts) => this.put(facts));
    this.draw();
    this.changed();
  }

  put(facts) {
    this.facts.set(facts.row, { ...this.facts.get(facts.row), ...facts, stamp: ++stamps });
  }

  // What is asked of again: suggestions that are out of date.
  async renew() {
    const [first, last] = this.range || [0, 0];
    const rows = this.order.slice(first, last).slice(0, PAGE * 2);
    const inSight = new Set(rows);
    for (const row of [...this.facts.keys()]) if (!inSight.has(row)) this.facts.delete(row);
    const found = rows.length ? await this.fetchRows(rows) : null;
    if (found) found.forEach((facts) => this.put(facts));
    this.draw();
  }

  // Selecting

  get chosen() {
    if (this.selected.size) return this.order.filter((row) => this.selected.has(row));
    return this.order.length ? [this.order[this.active]] : [];
  }

  select(place, { adds = false, extends_ = false } = {}) {
    if (place < 0 || place >= this.order.length) return;
    if (extends_) {
      if (!adds) this.selected.clear();
      const [from, to] = [Math.min(this.anchor, place), Math.max(this.anchor, place)];
      for (let one = from; one <= to; one++) this.selected.add(this.order[one]);
    } else if (adds) {
      const row = this.order[place];
      if (!this.selected.delete(row)) this.selected.add(row);
      this.anchor = place;
    } else {
      this.selected.clear();
      this.selected.add(this.order[place]);
      this.anchor = place;
    }
    this.move(place);
  }

  move(place) {
    this.active = Math.min(this.order.length - 1, Math.max(0, place));
    this.reveal();
    this.draw();
    this.changed();
  }

  reveal() {
    if (!this.linePx || !this.order.length) return;
    const top = Math.floor(this.active / this.columns) * this.linePx;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.linePx + GAP_PX > scrollTop + clientHeight) {
      this.element.scrollTop = top + this.linePx + GAP_PX - clientHeight;
    }
  }

  clear() {
    this.selected.clear();
    this.draw();
    this.changed();
  }

  all() {
    this.order.forEach((row) => this.selected.add(row));
    this.draw();
    this.changed();
  }

  onClick(event) {
    const tile = event.target.closest("[role=option]");
    if (!tile) return;
    const place = Number(tile.id.slice("tile-".length));
    this.select(place, { adds: event.ctrlKey || event.metaKey || this.picksSeveral, extends_: event.shiftKey });
  }

  onKey(event) {
    const isCommand = event.ctrlKey || event.metaKey;
    const lines = Math.max(1, Math.floor(this.element.clientHeight / this.linePx));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns,
      PageDown: lines * this.columns, PageUp: -lines * this.columns, Home: -Infinity, End: Infinity };
    if (event.key in steps && !event.altKey) {
      let place = this.active + steps[event.key];
      // A line that is not full: down from above its end goes nowhere.
      if (Math.abs(steps[event.key]) !== Infinity && (place < 0 || place >= this.order.length)) {
        place = event.key.startsWith("Page") ? Math.min(this.order.length - 1, Math.max(0, place)) : this.active;
      }
      place = Math.min(this.order.length - 1, Math.max(0, place));
      if (isCommand) this.move(place);
      else this.select(place, { extends_: event.shiftKey });
    } else if (event.key === " ") this.select(this.active, { adds: true });
    else if (isCommand && event.key.toLowerCase() === "a") this.all();
    else if (event.key === "Escape") this.clear();
    else return this.keyed(event);
    event.preventDefault();
    return undefined;
  }
}
let stamps = 0;

// What a picture is; showsDoubt: also what the model would say where that is something else.
export function saidOf(facts, showsDoubt = false) {
  if (!facts.isThere) return "removed";
  if (facts.labels !== null) {
    const given = facts.labels.length ? facts.labels.join(", ") : "none of the classes";
    const isDoubted = showsDoubt && facts.guess?.length && facts.guess.join() !== facts.labels.join();
    return isDoubted ? `${given}, or ${facts.guess.join(", ")}? ${percent(facts.prob)}` : given;
  }
  if (facts.guess?.length) return `${facts.guess.join(", ")}? ${percent(facts.prob)}`;
  return "no label";
}
