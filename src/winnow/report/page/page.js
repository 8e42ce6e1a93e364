// The report without this script is complete; with it, thresholds move, tables sort and cells open.
"use strict";

const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(share > 0.999 && share < 1 ? 2 : 1)} %`);

// --- Thresholds: one slider, two curves -------------------------------------------------------------------

function startCurves(section) {
  const data = json(section.dataset.curves);
  const part = (name) => section.querySelector(`[data-part="${name}"]`);
  const plots = all("[data-plot]", section);

  const place = (plot, [x, y]) => {
    const [left, top, width, height] = plot.dataset.box.split(" ").map(Number);
    return [left + x * width, top + (1 - y) * height];
  };
  const pointsOf = (plot, chosen) => (chosen ? chosen[plot.dataset.plot] : data.all[plot.dataset.plot === "pr" ? 0 : 1]);
  const nearest = (items, threshold, of) => items.reduce((best, item) =>
    Math.abs(of(item) - threshold) < Math.abs(of(best) - threshold) ? item : best);
  // A curve keeps only the points that make its shape: show one of those, and say which, instead of guessing
  // what lies between. The first point stands for "never".
  const pointAt = (points, threshold) => nearest(points.slice(1), threshold, (point) => point[2]);
  const rowAt = (threshold) => nearest(data.rows, threshold, (row) => row[0]);

  function drawCurves(chosen) {
    for (const plot of plots) {
      const steps = pointsOf(plot, chosen).map((point) => place(plot, point).join(" "));
      plot.querySelector(".curve").setAttribute("d", steps.length ? `M${steps.join(" L")}` : "M0 0");
    }
  }

  function readClass(chosen, threshold) {
    const [recall, precision, at] = pointAt(chosen.pr, threshold);
    const said = precision > 0 ? (recall * chosen.n) / precision / data.n : null;
    const where = Math.abs(at - threshold) > 0.005 ? `Nearest point of the curve, at ${percent(at)}: says` : "Says";
    return `${where} “${chosen.name}” for ${percent(said)} of the pictures; right in ${percent(precision)} of them ` +
      `(precision), and finds ${percent(recall)} of this class (recall).`;
  }

  function readAll(threshold) {
    const [, coverage, accuracy, precision, recall] = rowAt(threshold);
    if (!coverage) return "Answers no picture at all at this threshold.";
    if (data.is_multilabel) {
      return `Calls something in ${percent(coverage)} of the pictures. ${percent(precision)} of all calls are right ` +
        `(precision), and ${percent(recall)} of all that is there is found (recall).`;
    }
    return `Answers ${percent(coverage)} of the pictures and is right on ${percent(accuracy)} of those. ` +
      `Precision ${percent(precision)}, recall ${percent(recall)}.`;
  }

  function placeOf(plot, chosen, threshold) {
    const points = pointsOf(plot, chosen);
    if (points.length < 2) return [-20, -20]; // no such curve: the point waits outside the drawing
    if (chosen) return place(plot, pointAt(points, threshold));
    const [, , , precision, recall] = rowAt(threshold);
    if (precision === null) return [-20, -20];
    if (plot.dataset.plot === "pr") return place(plot, [recall, precision]);
    return place(plot, [recall * (1 / precision - 1) * data.true_to_false, recall]);
  }

  function move() {
    const chosen = data.classes[part("class").value];
    const threshold = part("slider").value / 100;
    part("threshold").textContent = `${+part("slider").value} %`;
    part("reading").textContent = chosen ? readClass(chosen, threshold) : readAll(threshold);
    for (const plot of plots) {
      const [x, y] = placeOf(plot, chosen, threshold);
      const here = plot.querySelector(".here");
      here.setAttribute("cx", x);
      here.setAttribute("cy", y);
    }
  }

  part("slider").addEventListener("input", move);
  part("class").addEventListener("change", () => {
    drawCurves(data.classes[part("class").value]);
    move();
  });
  section.querySelector(".controls").hidden = false;
  move();
}

// --- Tables of mistakes: a number opens its pictures ------------------------------------------------------

function startCells(section, pictures) {
  const { cells } = json(section.dataset.cells);
  const dialog = document.querySelector("dialog");
  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-cell]");
    if (!button) return;
    const { n, shown, what } = cells[button.dataset.cell];
    dialog.querySelector("h2").textContent = `${n} ${n === 1 ? "picture" : "pictures"} of ${what}` +
      (shown.length < n ? `, ${shown.length} shown` : "");
    dialog.querySelector(".gallery").replaceChildren(...shown.map((content) => {
      const image = new Image();
      image.src = pictures[content];
      image.alt = what;
      return image;
    }));
    dialog.showModal();
  });
}

// --- Tables that sort -------------------------------------------------------------------------------------

function startSorting(table) {
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };
  all("thead button", table).forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const column = head.cellIndex;
    const isRising = head.getAttribute("aria-sort") !== "ascending";
    const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(valueOf(a, column), valueOf(b, column)));
    table.tBodies[0].append(...(isRising ? rows : rows.reverse()));
    all("th", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
  }));
}

// --- The switch between judged pictures and the test split ------------------------------------------------

function startSwitch(group) {
  const buttons = all("button", group);
  const show = (chosen) => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button === chosen));
      document.getElementById(button.dataset.panel).classList.toggle("away", button !== chosen);
    }
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button)));
  group.hidden = false;
  show(buttons[0]);
}

const pictures = json("pictures");
all("[data-curves]").forEach(startCurves);
all("[data-cells]").forEach((section) => startCells(section, pictures));
all("table.sortable").forEach(startSorting);
all(".switch").forEach(startSwitch);
document.querySelector("dialog").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) event.target.close(); // a click beside the pictures
});
