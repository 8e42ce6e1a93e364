// Points of two classes to learn from, in a square from -REACH to REACH.

import { chance } from "./chance.js";

export const REACH = 3;

const TURNS = 1.25;

/** How a point of a class is drawn: [x, y] before noise; `along` is in [0, 1). */
const SHAPES = {
  xor(label, { uniform }) {
    // Opposite quadrants are of one class; a gap keeps them apart.
    const [a, b] = [0.25 + 2.75 * uniform(), 0.25 + 2.75 * uniform()];
    const side = uniform() < 0.5 ? 1 : -1;
    return [side * a, (label ? -side : side) * b];
  },
  circle(label, { uniform }) {
    const radius = label ? 1.2 * Math.sqrt(uniform()) : 2 + uniform();
    const angle = 2 * Math.PI * uniform();
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
  gaussians(label, { normal }) {
    const middle = label ? 1.4 : -1.4;
    return [middle + 0.5 * normal(), middle + 0.5 * normal()];
  },
  spiral(label, { uniform }) {
    const along = uniform();
    const angle = 2 * Math.PI * TURNS * along + (label ? Math.PI : 0);
    return [3 * along * Math.sin(angle), 3 * along * Math.cos(angle)];
  },
};

/** The four corners of exclusive or: what one line cannot tell apart. */
export const CORNERS = { x: Float64Array.of(-1, -1, -1, 1, 1, -1, 1, 1), y: Uint8Array.of(0, 1, 1, 0), n: 4 };

/** `n` points of a kind, classes in turn: `x` holds (n, 2) coordinates in a row, `y` (n) classes, 0 or 1.
 *  `noise` is the standard deviation of what is added to each coordinate. */
export function examples(kind, { n, noise, seed }) {
  const luck = chance(seed);
  const x = new Float64Array(2 * n);
  const y = new Uint8Array(n);
  for (let i = 0; i < n; i += 1) {
    y[i] = i % 2;
    const [a, b] = SHAPES[kind](y[i], luck);
    x[2 * i] = a + noise * luck.normal();
    x[2 * i + 1] = b + noise * luck.normal();
  }
  return { x, y, n };
}

/** Examples dealt by chance into those to learn from and those to test on: {train, test}; at least one each. */
export function deal(all, trainShare, seed) {
  const order = chance(seed + 1).shuffle(Array.from({ length: all.n }, (_, i) => i));
  const nTrain = Math.min(all.n - 1, Math.max(1, Math.round(trainShare * all.n)));
  return { train: pick(all, order.slice(0, nTrain)), test: pick(all, order.slice(nTrain)) };
}

function pick(all, places) {
  const x = Float64Array.from(places.flatMap((place) => [all.x[2 * place], all.x[2 * place + 1]]));
  return { x, y: Uint8Array.from(places, (place) => all.y[place]), n: places.length };
}
