// What happened to the dataset, by whom, with a way back; and who is at work here.

import { button, element, field } from "../elements.js";
import { kept } from "./kept.js";

const NOBODY = "somebody in the studio";
const KEYS = [["Arrows", "go from picture to picture"], ["Shift + arrows", "select a range"], ["Space", "select this one as well"],
  ["Ctrl + A", "select all"], ["Esc", "select none"], ["1 to 9, letters", "give the class beside the key"], ["Enter", "accept what is suggested"],
  ["Backspace", "take the label off"], ["Delete", "remove from the dataset"], ["n", "ask me next"], ["Ctrl + Z, Ctrl + Y", "undo, redo"]];

export class Log {
  // takeBack(version): undo what made this version.
  constructor({ takeBack }) {
    this.takeBack = takeBack;
    this.name = element("input", { value: kept.get("winnow-who") || "", placeholder: NOBODY, maxlength: 60, autocomplete: "off",
      oninput: () => kept.set("winnow-who", this.name.value.trim()) });
    this.list = element("ol", { tabindex: "0", "aria-label": "What happened, the newest first" });
    this.element = element("section", { class: "card label-log", "aria-label": "What happened" }, element("h2", {}, "What happened"),
      field("Your name, for this list", this.name), this.list, keys());
  }

  // Under which name changes are made here.
  get who() {
    return this.name.value.trim() || NOBODY;
  }

  show(log) {
    const before = this.list.scrollTop;
    this.list.replaceChildren(...log.map(({ number, who, what, created, can }) => element("li", {},
      element("time", { datetime: created }, new Date(created).toLocaleString("en", { dateStyle: "short", timeStyle: "short" })),
      ` ${who || "unknown"}: ${what} `,
      can ? button("Take back", () => this.takeBack(number), { class: "quiet", "aria-label": `Take back version ${number}: ${what.slice(0, 80)}` }) : "")));
    this.list.scrollTop = before;
  }
}

function keys() {
  const told = KEYS.flatMap(([key, words]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)]);
  return element("details", {}, element("summary", {}, "Keys, while the pictures have the focus"), element("dl", { class: "keys" }, ...told));
}
