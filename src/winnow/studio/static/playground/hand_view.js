// Back-propagation by hand: three numbers in, values and gradients out.

import { sumTimes } from "./by_hand.js";
import { at, figure, number, row } from "./knobs.js";

const said = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

function draw() {
  const { x, y, z, q, f } = sumTimes(number("hand-x"), number("hand-y"), number("hand-z"));
  const rows = [
    ["x", x, "q passes its gradient on: df/dq · 1"],
    ["y", y, "likewise: df/dq · 1"],
    ["z", z, `df/dz = q = ${said(q.value)}`],
    ["q = x + y", q, `df/dq = z = ${said(z.value)}`],
    ["f = q · z", f, "f changes as fast as itself"],
  ];
  at("hand-table").tBodies[0].replaceChildren(...rows.map(([name, one, why]) => row(name, figure(said(one.value)), figure(said(one.gradient)), why)));
}

/** Make the part work. */
export function beginByHand() {
  at("hand").addEventListener("input", draw);
  draw();
}
