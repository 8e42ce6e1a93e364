// The race's part of the page: rates in, paths and distances out.

import { count } from "../words.js";
import { drawRace } from "./drawing.js";
import { at, figure, number, row } from "./knobs.js";
import { OPTIMISERS } from "./optimisers.js";
import { bestSettings, distance, knownFactor, MOST, ravine, walk } from "./ravine.js";

const REACH = 2.4;
const START = [-2, 0.4];
const LATELY = 10;
const FRAME_MS = 60;
const NAMES = { descent: "Gradient descent", momentum: "With momentum", nesterov: "Nesterov", adagrad: "Adagrad", rmsprop: "RMSprop", adam: "Adam" };
const runners = Object.keys(OPTIMISERS);

let where, paths;
let done = 0;
let isRacing = false;

const condition = () => Number(at("race-condition").value);

function settings(name) {
  const best = bestSettings(name, condition());
  return { rate: number(`race-${name}-rate`), momentum: best.momentum === undefined ? undefined : number(`race-${name}-momentum`) };
}

function field(name, what, most) {
  const made = document.createElement("input");
  Object.assign(made, { id: `race-${name}-${what}`, type: "number", min: "0", max: String(most), step: "any" });
  made.setAttribute("aria-label", `${what === "rate" ? "Learning rate" : "Momentum"} of ${NAMES[name]}`);
  return made;
}

function buildTable() {
  at("race-table").tBodies[0].replaceChildren(...runners.map((name, place) => {
    const title = document.createElement("label");
    const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: true, id: `race-${name}-runs` });
    const badge = Object.assign(document.createElement("span"), { className: `runner run-${place + 1}`, textContent: String(place + 1) });
    title.className = "tick";
    title.append(tick, badge, NAMES[name]);
    const hasMomentum = bestSettings(name, 10).momentum !== undefined;
    const made = row(title, field(name, "rate", 100), hasMomentum ? field(name, "momentum", 1) : "–", figure(""), figure(""), figure(""));
    made.id = `race-${name}`;
    return made;
  }));
}

function setBest() {
  for (const name of runners) {
    for (const [what, value] of Object.entries(bestSettings(name, condition()))) {
      const one = at(`race-${name}-${what}`);
      one.value = one.dataset.start = String(Number(value.toPrecision(4)));
    }
  }
}

function reset() {
  const steps = Math.round(number("race-steps"));
  where = ravine(condition(), (Number(at("race-angle").value) * Math.PI) / 180);
  paths = new Map(runners.map((name) => [name, walk(where, name, settings(name), where.place(...START), steps)]));
  done = 0;
  draw();
}

const running = () => runners.filter((name) => at(`race-${name}-runs`).checked);
const soFar = (name) => paths.get(name).slice(0, done + 1);

function draw() {
  drawRace(at("race-map"), where, running().map((name) => ({ path: soFar(name), place: runners.indexOf(name) })), REACH);
  at("race-when").textContent = count(done, "step");
  for (const name of runners) {
    const cells = at(`race-${name}`).cells;
    cells[3].textContent = says(name);
    cells[4].textContent = leaves(soFar(name));
    const known = knownFactor(name, condition());
    cells[5].textContent = known === null ? "–" : known.toFixed(3);
  }
  at("race-map").setAttribute("aria-label", `The ravine from above, after ${count(done, "step")}. Distance to go: ${running().map((name) => `${NAMES[name]} ${says(name)}`).join(", ")}.`);
}

function says(name) {
  const far = distance(soFar(name).at(-1));
  if (!(far < MOST)) return "ran away";
  return far >= 0.001 || far === 0 ? far.toFixed(3) : far.toExponential(1).replace("-", "−");
}

/** The mean factor of the last steps. */
function leaves(path) {
  const n = Math.min(LATELY, path.length - 1);
  if (n < 1) return "–";
  const [before, after] = [distance(path.at(-1 - n)), distance(path.at(-1))];
  return before > 0 && after > 0 ? ((after / before) ** (1 / n)).toFixed(3) : "–";
}

function inWords() {
  const order = running().sort((a, b) => distance(soFar(a).at(-1)) - distance(soFar(b).at(-1)));
  if (!order.length) return "Nobody races: tick somebody in the table.";
  const last = order.at(-1);
  return `After ${count(done, "step")} ${NAMES[order[0]]} is nearest (${says(order[0])} to go)${order.length > 1 ? `, ${NAMES[last]} farthest (${says(last)})` : ""}.`;
}

function stop(words) {
  isRacing = false;
  at("race-play").textContent = "Race";
  at("race-said").textContent = words ?? inWords();
}

const isOver = () => done >= Math.round(number("race-steps"));

let lastFrame = 0;
function race(time) {
  if (!isRacing) return;
  if (time - lastFrame >= FRAME_MS) {
    lastFrame = time;
    // Long races go faster: none takes more than some ten seconds.
    done = Math.min(Math.round(number("race-steps")), done + Math.ceil(number("race-steps") / 200));
    draw();
  }
  if (isOver()) return stop();
  requestAnimationFrame(race);
}

function start() {
  if (isOver()) reset();
  isRacing = true;
  at("race-play").textContent = "Pause";
  at("race-said").textContent = "";
  requestAnimationFrame(race);
}

/** Make the part work. */
export function beginRace() {
  buildTable();
  setBest();
  at("race-play").addEventListener("click", () => (isRacing ? stop() : start()));
  at("race-step").addEventListener("click", () => { if (!isOver()) done += 1; draw(); stop(); });
  at("race-reset").addEventListener("click", () => { reset(); stop("Everybody is at the start."); });
  at("race-best").addEventListener("click", () => { setBest(); reset(); stop("The rates are the best known for this ravine."); });
  at("race-condition").addEventListener("change", setBest);
  at("race").addEventListener("change", (event) => { if (event.target.type === "checkbox") draw(); else reset(); });
  reset();
  return draw;
}
