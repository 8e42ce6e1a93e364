// A fully connected network from two coordinates to the probability of class 1, its loss and its gradient.
// All weights lie in one array, layer by layer: (out, in) weights row by row, then (out) biases.

import { ACTIVATIONS, sigmoid } from "./activations.js";
import { chance } from "./chance.js";

/** A new network: `hidden` neurons by layer ([] is a perceptron).
 *  Weights are drawn as Glorot and Bengio (2010) say, for ReLU and its leaky kin as He et al. (2015); biases are 0. */
export function network(hidden, activation, seed) {
  const widths = [2, ...hidden, 1];
  const layers = [];
  let at = 0;
  for (let place = 1; place < widths.length; place += 1) {
    const [inputs, outputs] = [widths[place - 1], widths[place]];
    layers.push({ inputs, outputs, weights: at, biases: at + inputs * outputs });
    at += (inputs + 1) * outputs;
  }
  const weights = new Float64Array(at);
  const luck = chance(seed + 2);
  for (const { inputs, outputs, weights: first } of layers) {
    const spread = activation === "relu" || activation === "leaky" ? Math.sqrt(2 / inputs) : Math.sqrt(2 / (inputs + outputs));
    for (let i = 0; i < inputs * outputs; i += 1) weights[first + i] = spread * luck.normal();
  }
  return { layers, activation, weights, seen: layers.map(({ outputs }) => memory(outputs)) };
}

const memory = (n) => ({ z: new Float64Array(n), a: new Float64Array(n), delta: new Float64Array(n) });

/** The probability of class 1 at a point; leaves what every neuron computed in `net.seen`. */
export function probability(net, x0, x1) {
  const { of } = ACTIVATIONS[net.activation];
  let input = [x0, x1];
  net.layers.forEach((layer, place) => {
    const { z, a } = net.seen[place];
    const isLast = place === net.layers.length - 1;
    for (let out = 0; out < layer.outputs; out += 1) {
      let sum = net.weights[layer.biases + out];
      const row = layer.weights + out * layer.inputs;
      for (let i = 0; i < layer.inputs; i += 1) sum += net.weights[row + i] * input[i];
      z[out] = sum;
      a[out] = isLast ? sigmoid(sum) : of(sum);
    }
    input = a;
  });
  return input[0];
}

/** Cross entropy of one answer, from the last sum z, where it is exact for sure answers, too. */
const crossEntropy = (z, label) => Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z)));

/** Mean cross entropy and share of right answers of examples, without the penalty. */
export function measure(net, { x, y, n }) {
  let loss = 0;
  let right = 0;
  for (let i = 0; i < n; i += 1) {
    const isOne = probability(net, x[2 * i], x[2 * i + 1]) >= 0.5;
    right += isOne === (y[i] === 1);
    loss += crossEntropy(net.seen.at(-1).z[0], y[i]);
  }
  return { loss: loss / n, accuracy: right / n };
}

/** The gradient of loss and penalty over the examples at `places`, by back-propagation (Rumelhart et al., 1986). */
export function gradient(net, { x, y }, places, { l1, l2 }) {
  const found = new Float64Array(net.weights.length);
  for (const i of places) addGradient(net, x[2 * i], x[2 * i + 1], y[i], 1 / places.length, found);
  for (const layer of net.layers) {
    for (let i = layer.weights; i < layer.biases; i += 1) found[i] += l1 * Math.sign(net.weights[i]) + l2 * net.weights[i];
  }
  return found;
}

function addGradient(net, x0, x1, label, share, found) {
  const { slope } = ACTIVATIONS[net.activation];
  const last = net.layers.length - 1;
  // Sigmoid and cross entropy together: the error of the last sum is answer minus truth.
  net.seen[last].delta[0] = (probability(net, x0, x1) - label) * share;
  for (let place = last; place >= 0; place -= 1) {
    const layer = net.layers[place];
    const { delta } = net.seen[place];
    const before = place > 0 ? net.seen[place - 1] : { a: [x0, x1] };
    for (let i = 0; i < layer.inputs; i += 1) {
      let blame = 0;
      for (let out = 0; out < layer.outputs; out += 1) {
        const at = layer.weights + out * layer.inputs + i;
        found[at] += delta[out] * before.a[i];
        blame += delta[out] * net.weights[at];
      }
      if (place > 0) before.delta[i] = blame * slope(before.z[i], before.a[i]);
    }
    for (let out = 0; out < layer.outputs; out += 1) found[layer.biases + out] += delta[out];
  }
}
