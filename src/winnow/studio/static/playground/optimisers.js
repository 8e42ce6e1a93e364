// Ways to walk downhill. Each changes x (Float64Array) in place by the gradient g; what it remembers lies in its closure.
// As PyTorch has them, so that they can be compared number by number.

const EPS = 1e-8;

/** name: (n, {rate, momentum}) => step(x, g) */
export const OPTIMISERS = {
  // x -= rate g
  descent: (n, { rate }) => (x, g) => {
    for (let i = 0; i < n; i += 1) x[i] -= rate * g[i];
  },
  // Polyak, 1964: the heavy ball keeps a part of its speed.
  momentum(n, { rate, momentum }) {
    const speed = new Float64Array(n);
    return (x, g) => {
      for (let i = 0; i < n; i += 1) {
        speed[i] = momentum * speed[i] + g[i];
        x[i] -= rate * speed[i];
      }
    };
  },
  // Nesterov, 1983: looks one step ahead.
  nesterov(n, { rate, momentum }) {
    const speed = new Float64Array(n);
    return (x, g) => {
      for (let i = 0; i < n; i += 1) {
        speed[i] = momentum * speed[i] + g[i];
        x[i] -= rate * (g[i] + momentum * speed[i]);
      }
    };
  },
  // Duchi et al., 2011: each direction has its own rate, which only falls.
  adagrad(n, { rate }) {
    const sum = new Float64Array(n);
    return (x, g) => {
      for (let i = 0; i < n; i += 1) {
        sum[i] += g[i] * g[i];
        x[i] -= (rate * g[i]) / (Math.sqrt(sum[i]) + EPS);
      }
    };
  },
  // Hinton, 2012: likewise, but forgetting.
  rmsprop(n, { rate }) {
    const mean = new Float64Array(n);
    return (x, g) => {
      for (let i = 0; i < n; i += 1) {
        mean[i] = 0.9 * mean[i] + 0.1 * g[i] * g[i];
        x[i] -= (rate * g[i]) / (Math.sqrt(mean[i]) + EPS);
      }
    };
  },
  // Kingma and Ba, 2015: momentum and own rates, both corrected for their start at 0.
  adam(n, { rate }) {
    const [first, second] = [new Float64Array(n), new Float64Array(n)];
    let t = 0;
    return (x, g) => {
      t += 1;
      for (let i = 0; i < n; i += 1) {
        first[i] = 0.9 * first[i] + 0.1 * g[i];
        second[i] = 0.999 * second[i] + 0.001 * g[i] * g[i];
        x[i] -= (rate * (first[i] / (1 - 0.9 ** t))) / (Math.sqrt(second[i] / (1 - 0.999 ** t)) + EPS);
      }
    };
  },
};
