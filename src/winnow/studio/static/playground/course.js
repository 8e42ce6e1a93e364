// A network while it learns: epoch by epoch, batch by batch, with the loss curves that it leaves behind.

import { chance } from "./chance.js";
import { deal, examples } from "./examples.js";
import { gradient, measure, network } from "./network.js";
import { OPTIMISERS } from "./optimisers.js";

const MOMENTUM = 0.9;
const MOST_MEASURED = 400;

/** The examples of these knobs, dealt: {train, test}. */
export const data = (knobs) => deal(examples(knobs.kind, knobs), knobs.trainShare, knobs.seed);

/** A course at its start. Knobs: hidden, activation, optimiser, rate, batch, l1, l2, seed. */
export function course(knobs, { train, test }) {
  const net = network(knobs.hidden, knobs.activation, knobs.seed);
  const optimiser = OPTIMISERS[knobs.optimiser](net.weights.length, { rate: knobs.rate, momentum: MOMENTUM });
  const begun = { net, train, test, knobs, optimiser, steps: 0, epochs: 0, every: 1, history: [], luck: chance(knobs.seed + 3), waiting: [] };
  remember(begun);
  return begun;
}

/** One step: the gradient of one batch. Gives whether an epoch ended with it. */
export function step(going) {
  const { net, train, knobs } = going;
  if (!going.waiting.length) going.waiting = going.luck.shuffle(Array.from({ length: train.n }, (_, i) => i));
  const places = going.waiting.splice(0, knobs.batch);
  going.optimiser(net.weights, gradient(net, train, places, knobs));
  going.steps += 1;
  if (going.waiting.length) return false;
  going.epochs += 1;
  if (going.epochs % going.every === 0) remember(going);
  return true;
}

/** All batches once, or the rest of them. */
export function epoch(going) {
  while (!step(going));
}

/** What it is worth now. */
export function now({ net, train, test, steps, epochs }) {
  return { steps, epochs, train: measure(net, train), test: measure(net, test) };
}

/** Whether its numbers are still numbers: too high a rate ends in none. */
export const isAlive = ({ net }) => net.weights.every((weight) => Math.abs(weight) < 1e6);

function remember(going) {
  going.history.push(now(going));
  if (going.history.length > MOST_MEASURED) {
    // Long courses keep every second point, then every fourth ...
    going.every *= 2;
    going.history = going.history.filter(({ epochs }) => epochs % going.every === 0);
  }
}
