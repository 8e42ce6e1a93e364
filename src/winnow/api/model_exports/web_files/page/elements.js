// Elements with their attributes and children. What comes from files and from the model is always text, never markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Words of a user within a sentence: whatever way they are written, the words around them stay in order. */
export const name = (words) => element("bdi", {}, words);

export const at = (id) => document.getElementById(id);
