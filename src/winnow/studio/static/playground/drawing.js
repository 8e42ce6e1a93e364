// Pictures of networks and races on canvas. Colours come from the page's style sheet, so that both themes fit.

import { probability } from "./network.js";

const CELLS = 72;

/** The page's colours now. */
function colours() {
  const style = getComputedStyle(document.body);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), soft: of("--soft"), line: of("--line"), card: of("--card"), blue: of("--blue"), orange: of("--orange"),
    runners: ["--run-1", "--run-2", "--run-3", "--run-4", "--run-5", "--run-6"].map(of) };
}

/** A canvas made sharp for this screen: {pen, width, height} in CSS pixels. */
function fitted(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** The probability over the square, blue for circles and orange for crosses, with the line between and the examples. */
export function drawSurface(canvas, { net, train, test }, reach) {
  const { pen, width, height } = fitted(canvas);
  if (!width) return;
  const theme = colours();
  const answers = probabilities(net, reach);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(painted(answers, theme), 0, 0, width, height);
  drawBorder(pen, answers, width, height, theme.ink);
  const place = (x, y) => [((x / reach + 1) / 2) * width, ((1 - y / reach) / 2) * height];
  for (const [examples, size] of [[train, 4], [test, 2.5]]) {
    for (let i = 0; i < examples.n; i += 1) mark(pen, ...place(examples.x[2 * i], examples.x[2 * i + 1]), examples.y[i], size, theme);
  }
}

/** (CELLS, CELLS) probabilities, from the upper left. */
function probabilities(net, reach) {
  const answers = new Float64Array(CELLS * CELLS);
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS; column += 1) {
      const [x, y] = [(2 * (column + 0.5)) / CELLS - 1, 1 - (2 * (row + 0.5)) / CELLS];
      answers[row * CELLS + column] = probability(net, reach * x, reach * y);
    }
  }
  return answers;
}

const cells = document.createElement("canvas");
cells.width = cells.height = CELLS;

function painted(answers, theme) {
  const pen = cells.getContext("2d");
  const image = pen.createImageData(CELLS, CELLS);
  const [one, none, middle] = [theme.blue, theme.orange, theme.card].map(parts);
  answers.forEach((answer, i) => {
    const end = answer >= 0.5 ? one : none;
    const depth = 0.75 * Math.abs(2 * answer - 1);
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = middle[c] + depth * (end[c] - middle[c]);
    image.data[4 * i + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
  return cells;
}

/** The line where both classes are equally likely: marching squares, each edge crossed where the answer is one half. */
function drawBorder(pen, answers, width, height, colour) {
  const at = (row, column) => answers[row * CELLS + column] - 0.5;
  const spot = (row, column) => [((column + 0.5) / CELLS) * width, ((row + 0.5) / CELLS) * height];
  pen.beginPath();
  for (let row = 0; row < CELLS - 1; row += 1) {
    for (let column = 0; column < CELLS - 1; column += 1) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
      const crossings = [];
      corners.forEach((from, i) => {
        const to = corners[(i + 1) % 4];
        const [a, b] = [at(...from), at(...to)];
        if (a >= 0 === b >= 0) return;
        const share = a / (a - b);
        crossings.push(spot(from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])));
      });
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        pen.moveTo(...crossings[i]);
        pen.lineTo(...crossings[i + 1]);
      }
    }
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.stroke();
}

function mark(pen, x, y, label, size, theme) {
  pen.beginPath();
  if (label) pen.arc(x, y, size, 0, 2 * Math.PI);
  else {
    pen.moveTo(x - size, y - size); pen.lineTo(x + size, y + size);
    pen.moveTo(x + size, y - size); pen.lineTo(x - size, y + size);
  }
  pen.strokeStyle = theme.card;
  pen.lineWidth = 3.5;
  pen.stroke();
  pen.strokeStyle = pen.fillStyle = label ? theme.blue : theme.orange;
  pen.lineWidth = 1.75;
  if (label) pen.fill();
  else pen.stroke();
}

/** Loss curves: `lines` are [{history, colour, name}]; full on training, dashed on test examples. */
export function drawCurves(canvas, lines) {
  const { pen, width, height } = fitted(canvas);
  if (!width) return;
  const theme = colours();
  const [left, right, top, bottom] = [44, 8, 8, 24];
  const last = Math.max(1, ...lines.map(({ history }) => history.at(-1).epochs));
  const losses = lines.flatMap(({ history }) => history.flatMap((one) => [one.train.loss, one.test.loss])).filter(Number.isFinite);
  const most = Math.max(0.1, Math.min(3, ...[Math.max(0.1, ...losses)]));
  const place = (epochs, loss) => [left + (epochs / last) * (width - left - right), top + (1 - Math.min(loss, most) / most) * (height - top - bottom)];
  axes(pen, theme, place, last, most);
  for (const { history, colour, name } of lines) {
    for (const [which, dash] of [["train", []], ["test", [5, 4]]]) {
      pen.setLineDash(dash);
      pen.strokeStyle = theme[colour];
      pen.lineWidth = 2;
      pen.beginPath();
      history.forEach((one, i) => pen[i ? "lineTo" : "moveTo"](...place(one.epochs, one[which].loss)));
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.fillStyle = theme[colour];
    pen.textAlign = "right";
    pen.textBaseline = "bottom";
    const [x, y] = place(history.at(-1).epochs, history.at(-1).test.loss);
    pen.fillText(name, Math.max(x, left + 120), Math.max(y - 4, top + 14));
  }
}

function axes(pen, theme, place, last, most) {
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = theme.soft;
  pen.strokeStyle = theme.line;
  pen.lineWidth = 1;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const share of [0, 0.5, 1]) {
    const [x, y] = place(0, share * most);
    pen.beginPath(); pen.moveTo(x, y); pen.lineTo(place(last, 0)[0], y); pen.stroke();
    pen.fillText((share * most).toFixed(2), x - 6, y);
  }
  pen.textBaseline = "top";
  const [end, floor] = place(last, 0);
  pen.fillText(`${last} epochs`, end, floor + 6);
}

/** A ravine's lines of equal height and the walks in it: `walks` are [{path, place}], place being the colour's. */
export function drawRace(canvas, where, walks, reach) {
  const { pen, width, height } = fitted(canvas);
  if (!width) return;
  const theme = colours();
  const scale = Math.min(width, 2 * height) / (2 * reach);
  const spot = ([x, y]) => [width / 2 + scale * x, height / 2 - scale * y];
  pen.strokeStyle = theme.line;
  pen.lineWidth = 1;
  const highest = where.height(where.place(reach, reach));
  for (let level = highest; level > highest / 2e4; level /= 3) {
    pen.beginPath();
    pen.ellipse(width / 2, height / 2, scale * Math.sqrt(2 * level), scale * Math.sqrt((2 * level) / where.condition), -where.angle, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.beginPath(); pen.arc(width / 2, height / 2, 4, 0, 2 * Math.PI);
  pen.fillStyle = theme.ink; pen.fill();
  for (const { path, place } of walks) drawWalk(pen, path.map(spot), theme.runners[place], place);
}

const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3], [4, 4], [12, 4]];

function drawWalk(pen, spots, colour, place) {
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.75;
  pen.setLineDash(DASHES[place]);
  pen.beginPath();
  spots.forEach((spot, i) => pen[i ? "lineTo" : "moveTo"](...spot.map((one) => Math.max(-1e4, Math.min(1e4, one)))));
  pen.stroke();
  pen.setLineDash([]);
  const [x, y] = spots.at(-1);
  pen.beginPath(); pen.arc(x, y, 7, 0, 2 * Math.PI); pen.fill();
  pen.fillStyle = colours().card;
  pen.font = "600 10px system-ui, sans-serif";
  pen.textAlign = "center"; pen.textBaseline = "middle";
  pen.fillText(String(place + 1), x, y + 0.5);
}
