// What the probabilities of a picture mean, and how that looks.

import { element, name } from "./elements.js";

const SHOWN = 5;

/**
 * The answer to one picture, by the rules of Winnow's `Model.predict` and `Model.is_sure`.
 *
 * @param {number[]} probs in the order of `facts.classes`
 * @returns {{ranked: Array<[string, number]>, labels: string[], isSure: boolean, said: string}} ranked: most probable first
 */
export function answerOf(probs, facts) {
  const ranked = facts.classes.map((label, i) => [label, probs[i], i]).sort((a, b) => b[1] - a[1] || a[2] - b[2]);
  const { thresholds, sure_from: sureFrom } = facts;
  if (thresholds !== null) {
    const found = ranked.filter(([, prob, i]) => prob >= thresholds[i]);
    const said = found.map(([label, prob]) => `${label} (${percent(prob)})`).join(", ") || "None of the classes reaches its threshold.";
    return { ranked, labels: found.map(([label]) => label), isSure: found.length > 0, said };
  }
  const [label, prob] = ranked[0];
  const isSure = sureFrom !== null && prob >= sureFrom;
  const best = `${label} (${percent(prob)})`;
  return { ranked, labels: [label], isSure, said: isSure ? best : `I am not sure. The likeliest is ${best}.` };
}

/** The likeliest classes with their bars, the others one click deeper. */
export function drawn(answer) {
  const words = element("p", { class: answer.isSure ? "lead" : "lead unsure" }, name(answer.said));
  const parts = [words, bars(answer.ranked.slice(0, SHOWN), "The likeliest classes")];
  if (answer.ranked.length > SHOWN) {
    const more = element("details", {}, element("summary", {}, "All classes"));
    more.append(bars(answer.ranked, "All classes, most probable first"));
    parts.push(more);
  }
  return element("div", {}, ...parts);
}

function bars(ranked, caption) {
  const rows = ranked.map(([label, prob]) => {
    const fill = element("div");
    fill.style.width = `${100 * prob}%`; // a style attribute is what the page's security policy forbids
    const bar = element("div", { class: "bar", "aria-hidden": "true" }, fill);
    return element("tr", {}, element("th", { scope: "row" }, name(label)), element("td", { class: "track" }, bar),
      element("td", { class: "figure" }, percent(prob)));
  });
  const heads = element("tr", {}, element("th", { scope: "col" }, "Class"), element("td"),
    element("th", { scope: "col", class: "figure" }, "Probability"));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, heads), element("tbody", {}, ...rows));
}

/** A share in per cent; further digits appear only where "0 %" or "100 %" would be untrue. */
export function percent(share) {
  if (share <= 0 || share >= 1) return `${Math.round(100 * share)} %`;
  const digits = [1, 2, 3].find((some) => ![0, 100].includes(Number((100 * share).toFixed(some))));
  return digits === undefined ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(digits)} %`;
}
