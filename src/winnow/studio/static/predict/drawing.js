// How answers look: bars with their numbers, pictures with their labels.

import { element, name } from "../elements.js";
import { percent } from "../words.js";

/** A table of classes with probabilities, each with a bar: probs is [[name, probability], ...]. */
export function bars(probs, caption) {
  const rows = probs.map(([label, prob]) => {
    const bar = element("div", { class: "bar", "aria-hidden": "true" }, element("div", { style: `width: ${100 * prob}%` }));
    return element("tr", {}, element("th", { scope: "row" }, name(label)), element("td", { class: "track" }, bar),
      element("td", { class: "figure" }, percent(prob)));
  });
  const heads = ["Class", "", "Probability"].map((words) => (words ? element("th", { scope: "col" }, words) : element("td")));
  return element("table", { class: "probs" }, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}

/** Training pictures in a row, each with its label and how near it is. */
export function nearestPictures(found) {
  const items = found.map((one) => element("li", {}, element("img", { src: one.picture, alt: `Training picture ${one.source}` }),
    element("strong", {}, name(one.labels)), element("span", {}, one.similarity)));
  return element("ol", { class: "nearest" }, ...items);
}
