// Back-propagation by hand: values go forward, then every node hands its gradient back to what it was made from.

/** A node of a graph: its value, and for each node it was made from how fast it changes with that one. */
const node = (value, from = []) => ({ value, from, gradient: 0 });

export const input = (value) => node(value);
export const add = (a, b) => node(a.value + b.value, [[a, 1], [b, 1]]);
export const multiply = (a, b) => node(a.value * b.value, [[a, b.value], [b, a.value]]);

/** Set the gradient of `end` by every node: the chain rule, from the end to the beginning. */
export function backward(end) {
  const order = [];
  const visit = (one) => {
    if (order.includes(one)) return;
    one.from.forEach(([before]) => visit(before));
    order.push(one);
  };
  visit(end);
  for (const one of order) one.gradient = 0;
  end.gradient = 1;
  for (const one of order.reverse()) for (const [before, slope] of one.from) before.gradient += one.gradient * slope;
}

/** f = (x + y) z, forward and back: {x, y, z, q, f}, each with value and gradient; q = x + y. */
export function sumTimes(x, y, z) {
  const nodes = { x: input(x), y: input(y), z: input(z) };
  nodes.q = add(nodes.x, nodes.y);
  nodes.f = multiply(nodes.q, nodes.z);
  backward(nodes.f);
  return nodes;
}
