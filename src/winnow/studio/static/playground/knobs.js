// What the playground's parts share: finding elements, reading knobs, writing tables.

export const at = (id) => document.getElementById(id);

/** Put every number field at its start. */
export function setStarts(root) {
  for (const field of root.querySelectorAll("input[data-start]")) field.value = field.dataset.start;
}

/** The number in a field, within its bounds; what is no number is put back to the start. */
export function number(id) {
  const field = at(id);
  const given = field.valueAsNumber;
  const sound = Number.isFinite(given) ? given : Number(field.dataset.start);
  const least = field.min === "" ? -Infinity : Number(field.min);
  const most = field.max === "" ? Infinity : Number(field.max);
  const kept = Math.min(most, Math.max(least, sound));
  if (kept !== given) field.value = kept;
  return kept;
}

/** A table row: the first cell names it; numbers stand right. */
export function row(...cells) {
  const made = document.createElement("tr");
  cells.forEach((cell, place) => {
    const one = document.createElement(place ? "td" : "th");
    if (!place) one.scope = "row";
    if (typeof cell === "number" || cell?.isFigure) one.className = "figure";
    one.append(cell?.isFigure ? cell.words : cell);
    made.append(one);
  });
  return made;
}

/** A cell that stands right. */
export const figure = (words) => ({ isFigure: true, words });
