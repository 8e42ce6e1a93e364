// The Evaluate page: one slider moves precision, recall, both curves' points and the matrix; numbers open their pictures.
// Everything is computed here from every picture's probabilities, so moving is instant and exact.

import { button, element, name } from "../elements.js";
import { count, number, percent } from "../words.js";
import { cellPictures, classesWithCurve, curvesOfAll, figures, mistakes, startCounting } from "./counts.js";
import { card, openPictures } from "./pictures.js";

const SHADES = 9;
const AT_ONCE = 24;

class Evaluation extends HTMLElement {
  connectedCallback() {
    if (this.isStarted) return;
    this.isStarted = true;
    startSorting(this);
    if (this.dataset.answers) start(this).catch((error) => this.tell(error));
  }

  tell(error) {
    console.error(error);
    this.prepend(element("p", { class: "notice wrong", role: "alert" },
      "What the model answered picture by picture could not be read, so nothing moves here: reload the page."));
  }
}

async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(await response.text());
  return response;
}

async function start(root) {
  const [pictures, answers] = await Promise.all([
    fetched(root.dataset.pictures).then((response) => response.json()),
    fetched(root.dataset.answers).then((response) => response.arrayBuffer()),
  ]);
  const data = startCounting(pictures, answers);
  const state = { chosen: null, threshold: 0.5, isOwn: true };
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const curved = classesWithCurve(data); // the list of classes to choose from holds these, in this order
  const curves = startCurves(root, data);
  const matrix = data.isMultilabel ? startMisses(root, data) : startMatrix(root, data);
  const own = button("As the model answers", () => { rest(); later(); }, { "data-part": "own" });
  part("slider").closest(".controls").lastElementChild.before(own);
  const status = element("p", { class: "unseen", role: "status" });
  root.append(status);
  part("reading").removeAttribute("role"); // it moves with the slider; the quiet one speaks when the slider rests

  const asking = part("threshold").parentElement; // the words above the slider

  /** The model's own answers; with one answer a picture and no class chosen that is a threshold of 0. */
  function rest() {
    state.isOwn = true;
    part("slider").value = data.isMultilabel || state.chosen !== null ? 50 : 0;
  }

  let asked = 0;
  let resting = 0;
  function draw() {
    asked = 0;
    const found = figures(data, state);
    const said = reading(data, state, found);
    part("reading").textContent = said;
    const shown = state.isOwn ? "as the model answers" : `${+(100 * state.threshold).toFixed(1)}\u00a0%`;
    asking.textContent = state.isOwn ? "Move to choose a threshold" : `${asks(data, state)} at least ${shown} sure`;
    const briefly = `precision ${percent(found.precision)}, recall ${percent(found.recall)}`;
    part("slider").setAttribute("aria-valuetext", `${shown}: ${briefly}`);
    own.setAttribute("aria-pressed", String(state.isOwn));
    curves.move(state, found);
    matrix.show(state.chosen === null, found);
    showTwo(part("two"), state.chosen, found, data);
    clearTimeout(resting);
    resting = setTimeout(() => { status.textContent = said; }, 600);
  }
  const later = () => { asked ||= requestAnimationFrame(draw); };

  part("slider").addEventListener("input", () => {
    state.threshold = part("slider").value / 100;
    state.isOwn = false;
    later();
  });
  part("class").addEventListener("change", () => {
    const { value } = part("class");
    state.chosen = value === "" ? null : curved[value];
    if (state.isOwn) rest();
    curves.draw(value);
    later();
  });
  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-cell]");
    if (!pressed) return;
    const { places, what } = cellPictures(data, state, pressed.dataset.cell);
    openPictures(root.querySelector("dialog"), data, root.dataset.label, places, what);
  });
  root.querySelector(".controls").hidden = false;
  curves.draw("");
  rest();
  draw();
  startMistakes(root, data);
  root.dataset.ready = "true";
}

function asks(data, state) {
  if (state.chosen !== null) return `Call it “${data.classes[state.chosen]}” if`;
  return data.isMultilabel ? "Call a class if" : "Answer only if";
}

function reading(data, state, found) {
  const { precision, recall } = found;
  const how = state.isOwn ? "As the model answers, it" : "It";
  if (state.chosen !== null) {
    return `${how} says “${data.classes[state.chosen]}” for ${count(found.called, "picture")}; right in ` +
      `${percent(precision)} of them (precision), and finds ${percent(recall)} of this class (recall). F1 ${percent(found.f1)}.`;
  }
  if (data.isMultilabel) {
    return `${how} calls something in ${percent(found.answered / data.n)} of the pictures. ${percent(precision)} of all ` +
      `calls are right (precision), and ${percent(recall)} of all that is there is found (recall). F1 ${percent(found.f1)}.`;
  }
  if (state.isOwn) return `As the model answers, every picture gets an answer: ${percent(precision)} of them are right.`;
  if (!found.answered) return "It answers no picture at all at this threshold.";
  return `It answers ${percent(found.answered / data.n)} of the pictures and is right on ${percent(precision)} of ` +
    `those (precision); of all pictures ${percent(recall)} are answered right (recall).`;
}

// --- Curves -----------------------------------------------------------------------------------------------

function startCurves(root, data) {
  const section = root.querySelector("[data-curves]");
  const known = data.curves;
  const plots = [...section.querySelectorAll("[data-plot]")];
  // With one answer a picture, all classes together are what the matrix counts: only the likeliest class is answered.
  const ofAll = data.isMultilabel ? { pr: known.all[0], roc: known.all[1] } : curvesOfAll(data);

  const place = (plot, x, y) => {
    const [left, top, width, height] = plot.dataset.box.split(" ").map(Number);
    return [left + x * width, top + (1 - y) * height];
  };
  const set = (element, [x, y]) => { element.setAttribute("cx", x); element.setAttribute("cy", y); };

  return {
    draw(chosen) {
      const curves = chosen === "" ? ofAll : known.classes[chosen];
      for (const plot of plots) {
        const steps = (curves[plot.dataset.plot] ?? []).map(([x, y]) => place(plot, x, y).map((v) => v.toFixed(2)).join(" "));
        plot.querySelector(".curve").setAttribute("d", steps.length ? `M${steps.join(" L")}` : "M0 0");
      }
    },
    move(_, found) {
      for (const plot of plots) {
        const [x, y] = plot.dataset.plot === "pr" ? [found.recall, found.precision] : [found.falseAlarms, found.recall];
        set(plot.querySelector(".here"), x === null || y === null ? [-20, -20] : place(plot, x, y));
      }
    },
  };
}

// --- The matrix, or what is missed and falsely called -----------------------------------------------------

function setNumber(cell, n, id, said) {
  if (!n) {
    cell.textContent = id.includes("found") || id.includes("missed") || id.includes("false") ? "0" : "";
    return;
  }
  if (!cell.querySelector("button")) cell.replaceChildren(element("button", { type: "button", "data-cell": id }));
  const [shown, words] = [cell.querySelector("button"), number(n)];
  if (shown.textContent !== words) {
    shown.textContent = words;
    shown.setAttribute("aria-label", `${words}: ${said}`);
  }
}

function startMatrix(root, data) {
  const { classes } = data;
  const C = classes.length;
  const table = root.querySelector(".matrix table");
  const around = root.querySelector('[data-part="all"]');
  table.tHead.rows[0].append(element("th", { scope: "col" }, name("no answer")));
  const rows = [...table.tBodies[0].rows];
  rows.forEach((row) => row.insertCell());
  const cells = rows.flatMap((row) => [...row.cells].slice(1));
  const before = new Int32Array(cells.length).fill(-1);
  const totals = classes.map((_, i) => data.truths.reduce((sum, truth) => sum + (truth === i), 0));

  return {
    show(isShown, found) {
      around.hidden = !isShown;
      if (!isShown) return;
      found.cells.forEach((n, k) => {
        if (before[k] === n) return;
        before[k] = n;
        const [i, j] = [Math.floor(k / (C + 1)), k % (C + 1)];
        const answer = j === C ? "not answered" : `answered “${classes[j]}”`;
        setNumber(cells[k], n, `${i},${j === C ? "none" : j}`, `“${classes[i]}” ${answer}`);
        const shade = n ? ` s${Math.max(1, Math.round(SHADES * Math.sqrt(n / totals[i])))}` : "";
        cells[k].className = j === C ? "none" : i === j ? `right${shade}` : n ? `wrong${shade}` : "";
      });
    },
  };
}

function startMisses(root, data) {
  const around = root.querySelector('[data-part="all"]');
  const rows = [...around.querySelector("table").tBodies[0].rows]; // by class, whatever order a reader sorts them in
  const kinds = ["found", "missed", "false"];
  return {
    show(isShown, found) {
      around.hidden = !isShown;
      if (!isShown) return;
      rows.forEach((row, c) => kinds.forEach((kind, k) => {
        const cell = row.cells[2 + k];
        const n = found[kind][c];
        cell.dataset.value = n;
        setNumber(cell, n, `${c},${kind}`, `“${data.classes[c]}” ${kind}`);
      }));
    },
  };
}

function showTwo(table, chosen, found, data) {
  table.hidden = chosen === null;
  if (chosen === null) return;
  const label = data.classes[chosen];
  table.querySelectorAll("[data-name]").forEach((place) => { place.textContent = label; });
  const said = {
    tp: `“${label}”, called so`, fn: `“${label}”, not called`, fp: `not “${label}”, but called so`, tn: `not “${label}”, not called`,
  };
  for (const [kind, words] of Object.entries(said)) {
    const cell = table.querySelector(`[data-two="${kind}"]`);
    setNumber(cell, found[kind], kind, words);
    if (!found[kind]) cell.textContent = "0";
  }
}

// --- Mistakes, and tables that sort -----------------------------------------------------------------------

function startMistakes(root, data) {
  const list = root.querySelector(".mistakes");
  const more = root.querySelector('[data-part="more"]');
  const found = mistakes(data);
  let shown = 0;
  const grow = () => {
    const first = list.children.length;
    list.append(...found.slice(shown, shown + AT_ONCE).map((place) => card(data, root.dataset.label, place)));
    shown += AT_ONCE;
    more.hidden = shown >= found.length;
    more.textContent = `Show more of ${number(found.length)}`;
    if (first) list.children[first]?.querySelector("a")?.focus();
  };
  root.querySelector('[data-part="mistakes-said"]').textContent = found.length
    ? `${count(found.length, "picture")} of ${number(data.n)}, those first that the model was most sure of. ` +
      "Look closely: often it is the label that is wrong."
    : "Not one mistake among these pictures.";
  more.addEventListener("click", grow);
  grow();
}

function startSorting(root) {
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  for (const sorter of root.querySelectorAll("table.sortable thead button")) {
    sorter.addEventListener("click", () => {
      const [head, table] = [sorter.closest("th"), sorter.closest("table")];
      const column = head.cellIndex;
      const isRising = head.getAttribute("aria-sort") !== "ascending";
      const rows = [...table.tBodies[0].rows].sort((a, b) => compare(valueOf(a, column), valueOf(b, column)));
      table.tBodies[0].append(...(isRising ? rows : rows.reverse()));
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
    });
  }
}

customElements.define("winnow-evaluation", Evaluation);
