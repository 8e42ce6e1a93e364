// How answers look: elements, bars with their numbers, pictures with their labels. Text is set as text only.

/** An element with attributes and children; strings become text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== "") made.setAttribute(name, value);
  if (tag === "img" && attributes.alt === "") made.alt = "";
  made.append(...children.filter((child) => child !== ""));
  return made;
}

/** Probabilities in per cent, with a second digit only where the first would hide the last few. */
export function percent(share) {
  const written = (100 * share).toFixed(1);
  if ((written === "100.0" && share < 1) || (written === "0.0" && share > 0)) return `${(100 * share).toPrecision(share < 0.5 ? 1 : 4)} %`;
  return `${written} %`;
}

/** A table of classes with probabilities, each with a bar: probs is [[name, probability], ...]. */
export function bars(probs, caption) {
  const rows = probs.map(([name, prob]) => {
    const bar = element("div", { class: "bar", "aria-hidden": "true" }, element("div", { style: `width: ${100 * prob}%` }));
    return element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, name)), element("td", { class: "track" }, bar),
      element("td", { class: "figure" }, percent(prob)));
  });
  const heads = ["Class", "", "Probability"].map((words) => (words ? element("th", { scope: "col" }, words) : element("td")));
  return element("table", { class: "probs" }, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}

/** Training pictures in a row, each with its label and how near it is. */
export function nearestPictures(found) {
  const items = found.map((one) => element("li", {}, element("img", { src: one.picture, alt: `Training picture ${one.source}` }),
    element("strong", {}, element("bdi", {}, one.labels)), element("span", {}, one.similarity)));
  return element("ol", { class: "nearest" }, ...items);
}
