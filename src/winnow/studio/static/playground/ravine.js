// A ravine: f = (u^2 + condition v^2) / 2, u along it and v across. Its lowest point is 0, where all want to go.

import { OPTIMISERS } from "./optimisers.js";

export const MOST = 1e6;

/** `angle` turns the ravine out of the axes, in radians: methods with a rate for each axis feel it, the others do not. */
export function ravine(condition, angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return {
    condition,
    angle,
    height([x, y]) {
      const [u, v] = [c * x + s * y, -s * x + c * y];
      return (u * u + condition * v * v) / 2;
    },
    gradient([x, y]) {
      const [u, v] = [c * x + s * y, condition * (-s * x + c * y)];
      return Float64Array.of(c * u - s * v, s * u + c * v);
    },
    /** A place by how far along and how far across it lies. */
    place: (u, v) => Float64Array.of(c * u - s * v, s * u + c * v),
  };
}

/** Where an optimiser walks: `steps` + 1 places from the start; it ends early where numbers grow beyond all bounds. */
export function walk(where, name, settings, start, steps) {
  const x = Float64Array.from(start);
  const go = OPTIMISERS[name](2, settings);
  const path = [Array.from(x)];
  for (let i = 0; i < steps && distance(x) < MOST; i += 1) {
    go(x, where.gradient(x));
    path.push(Array.from(x));
  }
  return path;
}

export const distance = ([x, y]) => Math.hypot(x, y);

/** The settings that are best for this ravine where theory knows them, else what is usual.
 *  Source: Polyak, 1964; for Nesterov's Lessard, Recht and Packard, Analysis and Design of Optimization Algorithms via
 *  Integral Quadratic Constraints, 2016, table 1. */
export function bestSettings(name, condition) {
  const root = Math.sqrt(condition);
  const wide = Math.sqrt(3 * condition + 1);
  return {
    descent: { rate: 2 / (1 + condition) },
    momentum: { rate: (2 / (1 + root)) ** 2, momentum: ((root - 1) / (root + 1)) ** 2 },
    nesterov: { rate: 4 / (3 * condition + 1), momentum: (wide - 2) / (wide + 2) },
    adagrad: { rate: 0.5 },
    rmsprop: { rate: 0.02 },
    adam: { rate: 0.1 },
  }[name];
}

/** What each step multiplies the distance by in the long run, at the best settings; null where no formula is known. */
export function knownFactor(name, condition) {
  const root = Math.sqrt(condition);
  return { descent: (condition - 1) / (condition + 1), momentum: (root - 1) / (root + 1), nesterov: 1 - 2 / Math.sqrt(3 * condition + 1) }[name] ?? null;
}
