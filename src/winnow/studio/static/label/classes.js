// The classes with their keys: which key gives which class is kept in this browser, so that it stays the same.

import { button, element, field } from "../elements.js";
import { count, number } from "../words.js";
import { kept } from "./kept.js";

// "n" asks for the next pictures, so it is no class's key; a class called 7 has the key 7.
const KEYS = "1234567890abcdefghijklmopqrstuvwxyz";

export class Classes {
  // use(name): give it to the chosen pictures; edit(edits, said): rename and merge.
  constructor({ dataset, use, edit, tell }) {
    Object.assign(this, { use, edit, tell });
    this.store = `winnow-classes:${dataset}`;
    const { keys = {}, made = [] } = JSON.parse(kept.get(this.store) || "{}");
    this.keys = new Map(Object.entries(keys));
    this.made = made;
    this.counts = new Map();
    this.list = element("ul", { class: "label-classes" });
    const name = element("input", { maxlength: 200, autocomplete: "off" });
    const form = element("form", { class: "row", onsubmit: (event) => { event.preventDefault(); this.make(name); } },
      field("New class", name), element("button", { type: "submit" }, "Add"));
    this.element = element("section", { class: "card label-side-classes", "aria-label": "Classes" },
      element("h2", {}, "Classes"), this.list, form);
    this.dialog = element("dialog", { class: "label-dialog", "aria-label": "Change a class" });
    this.element.append(this.dialog);
  }

  get names() {
    return [...this.counts.keys()];
  }

  show(counts) {
    const all = new Map(counts);
    this.made = this.made.filter((name) => !all.has(name));
    this.made.forEach((name) => all.set(name, 0));
    const state = JSON.stringify([...all]);
    if (state === this.state) return;
    this.state = state;
    this.counts = all;
    for (const name of [...this.keys.keys()]) if (!all.has(name)) this.keys.delete(name);
    for (const name of all.keys()) {
      const own = name.toLowerCase();
      if (own.length === 1 && KEYS.includes(own) && !this.keys.has(name) && this.ofKey(own) === null) this.keys.set(name, own);
    }
    const free = [...KEYS].filter((key) => ![...this.keys.values()].includes(key));
    for (const name of all.keys()) if (!this.keys.has(name) && free.length) this.keys.set(name, free.shift());
    this.keep();
    // A person may be on one of these buttons: what stays is not made anew.
    const focused = document.activeElement?.closest?.(".label-classes li")?.dataset.name;
    const focusedUse = document.activeElement?.classList?.contains("class-use");
    this.list.replaceChildren(...[...all].map(([name, n]) => this.entry(name, n)));
    if (focused !== undefined) {
      const entry = [...this.list.children].find((one) => one.dataset.name === focused);
      entry?.children[focusedUse ? 0 : 1]?.focus();
    }
  }

  entry(name, n) {
    const key = this.keys.get(name);
    const entry = element("li", {},
      element("button", { type: "button", class: "class-use", "aria-keyshortcuts": key, onclick: () => this.use(name) },
        key ? element("kbd", {}, key) : "", element("span", { class: "class-name" }, name),
        element("span", { class: "class-count" }, number(n))),
      button("Change", () => this.change(name), { class: "quiet", "aria-label": `Change the class ${name}` }));
    entry.dataset.name = name;
    return entry;
  }

  ofKey(key) {
    for (const [name, one] of this.keys) if (one === key) return name;
    return null;
  }

  make(input) {
    const name = input.value.trim();
    if (!name) return this.tell("Give the new class a name.");
    if (this.counts.has(name)) return this.tell(`There is a class ${name} already.`);
    this.made.push(name);
    input.value = "";
    this.show([...this.counts]);
    const key = this.keys.get(name);
    this.tell(`The class ${name} ${key ? `has the key ${key}` : "is in the list"}; its first picture makes it part of the dataset.`);
    return undefined;
  }

  keep() {
    kept.set(this.store, JSON.stringify({ keys: Object.fromEntries(this.keys), made: this.made }));
  }

  change(name) {
    const input = element("input", { value: name, maxlength: 200, autocomplete: "off" });
    const others = this.names.filter((one) => one !== name && this.counts.get(one) > 0);
    const into = element("select", {}, element("option", { value: "" }, "Choose a class"),
      ...others.map((one) => element("option", { value: one }, one)));
    const done = (edits, said) => {
      this.dialog.close();
      if (this.made.includes(name)) return this.forget(name, edits[0].new);
      // The class keeps its key under its new name.
      if (edits[0].kind === "rename" && this.keys.has(name)) this.keys.set(edits[0].new, this.keys.get(name));
      return this.edit(edits, said);
    };
    const rename = () => {
      const wanted = input.value.trim();
      if (!wanted || wanted === name) return this.dialog.close();
      if (this.counts.has(wanted)) {
        note.textContent = `There is a class ${wanted} already: merge the two instead.`;
        return undefined;
      }
      return done([{ kind: "rename", old: name, new: wanted }], `The class ${name} is called ${wanted} now.`);
    };
    const merge = () => {
      if (!into.value) { note.textContent = "Choose the class that these pictures shall have."; return undefined; }
      return done([{ kind: "merge", names: [name], into: into.value }],
        `${count(this.counts.get(name), "picture")} of ${name} ${this.counts.get(name) === 1 ? "is" : "are"} ${into.value} now.`);
    };
    const note = element("p", { role: "status" });
    this.dialog.replaceChildren(
      element("h2", {}, `Change the class ${name}`),
      element("form", { class: "row", onsubmit: (event) => { event.preventDefault(); rename(); } },
        field("New name", input), element("button", { type: "submit" }, "Rename")),
      ...(others.length && this.counts.get(name) ? [element("form", { class: "row", onsubmit: (event) => { event.preventDefault(); merge(); } },
        field("Make its pictures part of", into), element("button", { type: "submit" }, "Merge"))] : []),
      note, button("Close", () => this.dialog.close(), { class: "quiet" }));
    this.dialog.showModal();
    input.select();
  }

  forget(name, renamed) {
    this.made = this.made.filter((one) => one !== name);
    if (renamed) this.made.push(renamed);
    this.counts.delete(name);
    this.show([...this.counts]);
  }
}
