// The network's part of the page: knobs in, surfaces and curves out, and all of it in words.

import { count, percent } from "../words.js";
import { course, data, epoch, isAlive, now, step } from "./course.js";
import { drawCurves, drawSurface } from "./drawing.js";
import { REACH } from "./examples.js";
import { at, figure, number, row } from "./knobs.js";
import { probability } from "./network.js";

const SHOWN = 1.15 * REACH;
const FRAME_MS = 12; // of a frame's 16: the rest is for drawing
const LAYERS = 4;

let main, other;
let isPlaying = false;

function knobs() {
  const strength = Number(at("net-strength").value);
  const penalty = at("net-penalty").value;
  return {
    kind: at("net-kind").value, n: Math.round(number("net-n")), noise: number("net-noise"), seed: Math.round(number("net-seed")),
    trainShare: Number(at("net-trainShare").value), hidden: widths(), activation: at("net-activation").value,
    optimiser: at("net-optimiser").value, rate: Number(at("net-rate").value), batch: Math.round(number("net-batch")),
    l1: penalty === "l1" ? strength : 0, l2: penalty === "l2" ? strength : 0,
  };
}

const widths = () => Array.from({ length: Number(at("net-layers").value) }, (_, i) => Math.round(number(`net-width-${i + 1}`)));

function reset() {
  const wanted = knobs();
  const examples = data(wanted);
  main = course(wanted, examples);
  other = at("net-beside").checked ? course({ ...wanted, hidden: [] }, examples) : null;
  at("net-other-figure").hidden = !other;
  for (let i = 1; i <= LAYERS; i += 1) at(`net-width-${i}`).disabled = i > wanted.hidden.length;
  at("net-name").textContent = name(main);
  draw();
}

function name({ knobs: { hidden } }) {
  return hidden.length ? `${count(hidden.length, "hidden layer")} of ${hidden.join(", ")} neurons` : "A perceptron: no hidden layer";
}

const all = () => (other ? [other, main] : [main]);

function advance() {
  const speed = at("net-speed").value;
  const begun = performance.now();
  do for (const one of all()) (speed === "step" ? step : epoch)(one);
  while (speed === "fast" && performance.now() - begun < FRAME_MS);
}

function play(frame) {
  if (!isPlaying) return;
  if (frame !== undefined) advance();
  draw();
  if (!all().every(isAlive)) return pause("The learning rate is too high: the weights have grown beyond all bounds. Choose a lower one, then Reset.");
  requestAnimationFrame(play);
}

function pause(words) {
  isPlaying = false;
  at("net-play").textContent = "Play";
  draw();
  at("net-said").textContent = words ?? inWords();
}

const worth = (one, state) => `${name(one)}: ${percent(state.test.accuracy)} of ${one.test.n} test examples right, loss ${state.test.loss.toFixed(3)}`;

function inWords() {
  return `After ${count(main.epochs, "epoch")}. ${all().map((one) => worth(one, now(one))).join(". ")}.`;
}

function draw() {
  const states = all().map((one) => [one, now(one)]);
  drawSurface(at("net-surface"), main, SHOWN);
  if (other) drawSurface(at("net-other-surface"), other, SHOWN);
  drawCurves(at("net-curves"), states.map(([one]) => ({ history: one.history, colour: one === main ? "blue" : "orange", name: one === main ? "network" : "perceptron" })));
  at("net-when").textContent = `${count(main.steps, "step")}, ${count(main.epochs, "epoch")}`;
  at("net-numbers").tBodies[0].replaceChildren(...states.flatMap(([one, state]) => [
    row(name(one), `${one.train.n} to learn from`, figure(state.train.loss.toFixed(3)), figure(percent(state.train.accuracy))),
    row(name(one), `${one.test.n} to test on`, figure(state.test.loss.toFixed(3)), figure(percent(state.test.accuracy))),
  ]));
  describe(states);
}

/** The canvases in words. */
function describe(states) {
  for (const [one, state] of states) {
    const canvas = at(one === main ? "net-surface" : "net-other-surface");
    canvas.setAttribute("aria-label", `What the network answers everywhere. ${worth(one, state)}. The table below has numbers.`);
  }
  at("net-curves").setAttribute("aria-label", `Loss curves. ${states.map(([one, state]) =>
    `${name(one)}: from ${one.history[0].train.loss.toFixed(3)} to ${state.train.loss.toFixed(3)} in training, ${state.test.loss.toFixed(3)} in testing`).join(". ")}.`);
  if (at("net-grid").open) drawGrid();
}

function drawGrid() {
  const places = [-3, -1.5, 0, 1.5, 3];
  const table = document.createElement("table");
  const caption = table.createCaption();
  caption.textContent = `Probability of the circles' class at some places: ${name(main)}`;
  const head = row("up \\ right", ...places.map((x) => figure(String(x))));
  for (const cell of head.querySelectorAll("td")) cell.replaceWith(Object.assign(document.createElement("th"), { scope: "col", className: "figure", textContent: cell.textContent }));
  table.createTHead().append(head);
  const body = table.createTBody();
  for (const y of [...places].reverse()) body.append(row(String(y), ...places.map((x) => figure(percent(probability(main.net, x, y))))));
  at("net-grid").querySelector(".scroll").replaceChildren(table);
}

/** A perceptron at XOR beside one hidden layer, from the same examples. */
function show() {
  for (const [id, value] of Object.entries({ kind: "xor", n: 300, noise: 0.1, trainShare: 0.7, seed: 0, layers: 1, "width-1": 4, activation: "tanh",
    optimiser: "descent", rate: 0.1, batch: 10, penalty: "none", speed: "epoch" })) at(`net-${id}`).value = value;
  at("net-beside").checked = true;
  reset();
  start();
}

function start() {
  if (isPlaying) return;
  isPlaying = true;
  at("net-play").textContent = "Pause";
  at("net-said").textContent = "";
  requestAnimationFrame(play);
}

/** Make the part work. */
export function beginNetwork() {
  at("net-play").addEventListener("click", () => (isPlaying ? pause() : start()));
  at("net-step").addEventListener("click", () => { for (const one of all()) step(one); pause(); });
  at("net-reset").addEventListener("click", () => { reset(); pause("Back at the start."); });
  at("net-show").addEventListener("click", show);
  at("net-grid").addEventListener("toggle", draw);
  at("net").querySelector(".knobs").addEventListener("change", (event) => { if (event.target.id !== "net-speed") reset(); });
  reset();
  return draw;
}
