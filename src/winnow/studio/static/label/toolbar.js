// Above the pictures: which ones to show, undo and redo, the camera, and how the grid looks and takes clicks.

import { button, element, field } from "../elements.js";
import { number } from "../words.js";
import { kept } from "./kept.js";

const SIZES = { 96: "Small", 128: "Medium", 192: "Large", 288: "Very large" };

export class Toolbar {
  // open(which): show these; step("undo" or "redo"); openCamera(); size(px); picksSeveral(is): what a click does.
  constructor({ open, again, step, openCamera, size, picksSeveral, changed }) {
    this.filter = element("select", { onchange: () => open(this.filter.value) });
    this.undo = button("Undo", () => step("undo"), { disabled: true, "aria-keyshortcuts": "Control+Z" });
    this.redo = button("Redo", () => step("redo"), { disabled: true, "aria-keyshortcuts": "Control+Y" });
    const sizes = element("select", { onchange: () => { kept.set("winnow-tile", sizes.value); size(Number(sizes.value)); } },
      ...Object.entries(SIZES).map(([px, words]) => element("option", { value: px }, words)));
    sizes.value = kept.get("winnow-tile") in SIZES ? kept.get("winnow-tile") : "128";
    this.sidePx = Number(sizes.value);
    const several = element("input", { type: "checkbox", id: "label-picks", onchange: () => picksSeveral(several.checked) });
    this.many = element("input", { type: "checkbox", id: "label-many", onchange: changed });
    this.element = element("div", { class: "label-bar", role: "group", "aria-label": "What to show" },
      field("Show", this.filter), button("Ask me next", () => open("useful"), { class: "main-action", "aria-keyshortcuts": "n" }),
      button("Show again", again), this.undo, this.redo, button("Camera", openCamera), field("Size", sizes),
      element("div", { class: "check" }, several, element("label", { for: "label-picks" }, "Select several")),
      element("div", { class: "check" }, this.many, element("label", { for: "label-many" }, "Several classes each")));
  }

  // Whether a picture may have several classes.
  get hasSeveral() {
    return this.many.checked;
  }

  showSteps({ task, undo, redo }) {
    if (task === "multilabel") this.many.checked = this.many.disabled = true;
    this.undo.disabled = undo === null;
    this.redo.disabled = redo === null;
  }

  showFilters({ n, unlabelled, splits, classes }, which) {
    const groups = [["", [["all", `All (${number(n)})`], ["unlabelled", `Unlabelled (${number(unlabelled)})`]]],
      ["By the model", [["useful", "Ask me next"], ["uncertain", "Most uncertain"], ["wrong", "Likely wrong labels"], ["typical", "Most typical"]]],
      ["By class", classes.map(([name, one]) => [`class:${name}`, `${name} (${number(one)})`])],
      ["By split", Object.entries(splits).map(([split, one]) => [`split:${split}`, `${split} (${number(one)})`])]];
    const known = groups.flatMap(([, entries]) => entries.map(([value]) => value));
    if (!known.includes(which)) groups.push(["Chosen", [[which, inWords(which)]]]);
    this.filter.replaceChildren(...groups.filter(([, entries]) => entries.length).flatMap(([label, entries]) => {
      const options = entries.map(([value, words]) => element("option", { value }, words));
      return label ? [element("optgroup", { label }, ...options)] : options;
    }));
    this.filter.value = which;
  }
}

function inWords(which) {
  const [kind, ...rest] = which.split(":");
  return ({ near: "Similar to ", only: "Finding " }[kind] ?? "") + rest.join(":");
}
