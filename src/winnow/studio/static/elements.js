// Elements with their attributes and children. What comes from files, people and models is always text, never markup.

/** An element; an attribute that begins with "on" is a listener, one that is false, null or undefined is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== "" && child !== null));
  return made;
}

/** A button with words. */
export const button = (words, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, words);

/** An input or list with its label above it. */
export function field(label, input) {
  input.id = input.id || `field-${++fields}`;
  return element("div", { class: "field" }, element("label", { for: input.id }, label), input);
}
let fields = 0;

/** A user's words within a sentence: whatever way they are written, the words around them stay in order. */
export const name = (words) => element("bdi", {}, words);
