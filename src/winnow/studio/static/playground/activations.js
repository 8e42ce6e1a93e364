// What a neuron makes of its weighted sum z, and how steep that is there; `a` is the activation of z.

const LEAK = 0.01;

export const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

export const ACTIVATIONS = {
  tanh: { of: Math.tanh, slope: (z, a) => 1 - a * a },
  sigmoid: { of: sigmoid, slope: (z, a) => a * (1 - a) },
  relu: { of: (z) => (z > 0 ? z : 0), slope: (z) => (z > 0 ? 1 : 0) },
  leaky: { of: (z) => (z > 0 ? z : LEAK * z), slope: (z) => (z > 0 ? 1 : LEAK) },
  linear: { of: (z) => z, slope: () => 1 },
};
