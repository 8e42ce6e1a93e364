// Beside the pictures: the active one, larger and in words, with what can be done with it.

import { button, element } from "../elements.js";
import { count, percent } from "../words.js";
import { saidOf } from "./grid.js";

const SETTLED_MS = 120;

export class Chosen {
  // accept(), similar(), takeOff(), remove(): the buttons.
  constructor({ accept, similar, takeOff, remove }) {
    this.picture = element("img", { alt: "" });
    this.words = element("p");
    this.name = element("p", { class: "hint" });
    this.accept = button("Accept the suggestion", accept, { "aria-keyshortcuts": "Enter" });
    this.title = element("h2", {}, "No picture is chosen");
    this.element = element("section", { class: "card label-one", "aria-label": "The chosen picture" },
      this.title, this.picture, this.words, this.name,
      element("div", { class: "row" }, this.accept, button("Show similar ones", similar),
        button("Take the label off", takeOff), button("Remove from the dataset", remove)));
  }

  // model: where it stands, as the studio says.
  show(grid, model) {
    const row = grid.order[grid.active], facts = grid.facts.get(row), n = grid.selected.size;
    this.title.textContent = n > 1 ? `${count(n, "picture")} selected` : "This picture";
    if (!facts) {
      this.words.textContent = grid.order.length ? "" : "Nothing is shown.";
      return;
    }
    this.load(`/picture/${facts.content}?side=512`);
    this.words.textContent = `${saidOf(facts)} (${facts.split})`;
    if (facts.labels !== null && facts.guess?.length && facts.guess.join() !== facts.labels.join()) {
      this.words.textContent += `. The model would say ${facts.guess.join(", ")} (${percent(facts.prob)}).`;
    }
    this.name.textContent = facts.source;
    this.accept.disabled = !facts.guess?.length;
    this.accept.title = model.reason || (model.learned ? `Learned from ${count(model.learned, "labelled picture")}` : "The model waits for two classes with pictures");
  }

  // Not at once: who holds an arrow key passes many pictures.
  load(address) {
    if (this.shown === address) return;
    this.shown = address;
    clearTimeout(this.showing);
    this.showing = setTimeout(() => this.picture.setAttribute("src", this.shown), SETTLED_MS);
  }
}
