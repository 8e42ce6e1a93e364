// What a threshold does, counted picture by picture; no drawing. The same numbers as winnow.metrics, to the last count.

const share = (part, whole) => (whole ? part / whole : null);

/** The arrays behind the page: `answers` holds (N, C) probabilities, then truths, then calls. */
export function startCounting({ classes, contents, sources, isMultilabel, curves }, answers) {
  const [n, C] = [contents.length, classes.length];
  const probs = new Float32Array(answers, 0, n * C);
  const after = 4 * n * C;
  const data = { classes, contents, sources, isMultilabel, curves, n, C, probs };
  if (isMultilabel) {
    data.marks = new Uint8Array(answers, after, n * C);
    data.called = new Uint8Array(answers, after + n * C, n * C);
    return data;
  }
  data.truths = new Int32Array(answers, after, n);
  data.answers = new Int32Array(n);
  data.sureness = new Float32Array(n);
  for (let i = 0; i < n; i += 1) {
    let best = 0;
    for (let c = 1; c < C; c += 1) if (probs[i * C + c] > probs[i * C + best]) best = c;
    data.answers[i] = best;
    data.sureness[i] = probs[i * C + best];
  }
  return data;
}

/** Whether class c is called for picture i. */
function isCalled(data, { threshold, isOwn }, i, c) {
  if (!isOwn) return data.probs[i * data.C + c] >= threshold;
  return data.isMultilabel ? data.called[i * data.C + c] === 1 : data.answers[i] === c;
}

const isTrue = (data, i, c) => (data.isMultilabel ? data.marks[i * data.C + c] === 1 : data.truths[i] === c);

/** The ids of the classes that some picture shows: the others have no curve. */
export function classesWithCurve(data) {
  const shown = new Set();
  for (let i = 0; i < data.n; i += 1) {
    for (let c = 0; c < data.C; c += 1) if (isTrue(data, i, c)) shown.add(c);
  }
  return [...shown].sort((a, b) => a - b);
}

/** Precision, recall and the counts behind them, for the state of the controls. */
export function figures(data, state) {
  if (state.chosen !== null) return figuresOfOne(data, state);
  return data.isMultilabel ? figuresOfSeveral(data, state) : figuresOfAll(data, state);
}

function figuresOfOne(data, state) {
  const c = state.chosen;
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  for (let i = 0; i < data.n; i += 1) {
    const [called, there] = [isCalled(data, state, i, c), isTrue(data, i, c)];
    if (called && there) tp += 1;
    else if (called) fp += 1;
    else if (there) fn += 1;
    else tn += 1;
  }
  return { tp, fp, fn, tn, called: tp + fp, ...scores(tp, tp + fp, tp + fn, fp + tn) };
}

function scores(hits, called, there, absent) {
  return {
    precision: share(hits, called), recall: share(hits, there), f1: share(2 * hits, called + there),
    falseAlarms: share(called - hits, absent),
  };
}

function figuresOfAll(data, { threshold, isOwn }) {
  const { n, C } = data;
  const cells = new Int32Array(C * (C + 1));
  let [answered, right] = [0, 0];
  for (let i = 0; i < n; i += 1) {
    const isAnswered = isOwn || data.sureness[i] >= threshold;
    cells[data.truths[i] * (C + 1) + (isAnswered ? data.answers[i] : C)] += 1;
    answered += isAnswered;
    right += isAnswered && data.answers[i] === data.truths[i];
  }
  return { cells, answered, right, ...scores(right, answered, n, n * (C - 1)) };
}

function figuresOfSeveral(data, state) {
  const { n, C } = data;
  const [found, missed, falsely] = [new Int32Array(C), new Int32Array(C), new Int32Array(C)];
  let answered = 0;
  for (let i = 0; i < n; i += 1) {
    let any = false;
    for (let c = 0; c < C; c += 1) {
      const called = isCalled(data, state, i, c);
      any ||= called;
      if (data.marks[i * C + c]) (called ? found : missed)[c] += 1;
      else if (called) falsely[c] += 1;
    }
    answered += any;
  }
  const sum = (counts) => counts.reduce((all, one) => all + one, 0);
  const [hits, left, wrong] = [sum(found), sum(missed), sum(falsely)];
  return { found, missed, false: falsely, answered, ...scores(hits, hits + wrong, hits + left, n * C - hits - left) };
}

/** Both curves where only the likeliest class of a picture is answered: [x, y] points, recall rising. */
export function curvesOfAll(data) {
  const { n, C } = data;
  const order = Array.from(data.sureness.keys()).sort((a, b) => data.sureness[b] - data.sureness[a]);
  const [pr, roc] = [[[0, 1]], [[0, 0]]];
  let right = 0;
  order.forEach((i, k) => {
    right += data.answers[i] === data.truths[i];
    const isTied = k + 1 < n && data.sureness[order[k + 1]] === data.sureness[i];
    if (isTied) return;
    pr.push([right / n, right / (k + 1)]);
    roc.push([(k + 1 - right) / (n * (C - 1)), right / n]);
  });
  return { pr: thinned(pr), roc: thinned(roc) };
}

/** Points closer to the last one than a drawing can show are left out. */
function thinned(points) {
  const kept = [points[0]];
  for (const point of points) {
    const [x, y] = kept.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) > 0.0015) kept.push(point);
  }
  kept.push(points.at(-1));
  return kept;
}

/** The pictures behind a number: places, most sure first, and what they are in words. */
export function cellPictures(data, state, cell) {
  const { classes, C } = data;
  if (cell in KINDS) {
    const c = state.chosen;
    const { called, there, what } = KINDS[cell];
    return { places: ofClass(data, state, c, called, there), what: what(classes[c]) };
  }
  const [first, second] = cell.split(",");
  if (data.isMultilabel) {
    const { called, there, what } = KINDS[{ found: "tp", missed: "fn", false: "fp" }[second]];
    return { places: ofClass(data, state, +first, called, there), what: what(classes[+first]) };
  }
  const places = [];
  for (let i = 0; i < data.n; i += 1) {
    const isAnswered = state.isOwn || data.sureness[i] >= state.threshold;
    const answer = isAnswered ? data.answers[i] : C;
    if (data.truths[i] === +first && answer === (second === "none" ? C : +second)) places.push(i);
  }
  places.sort((a, b) => data.sureness[b] - data.sureness[a]);
  return { places, what: second === "none" ? `“${classes[first]}” not answered` : `“${classes[first]}” answered “${classes[second]}”` };
}

const KINDS = {
  tp: { called: true, there: true, what: (name) => `“${name}”, called so` },
  fp: { called: true, there: false, what: (name) => `not “${name}”, but called so` },
  fn: { called: false, there: true, what: (name) => `“${name}”, not called` },
  tn: { called: false, there: false, what: (name) => `not “${name}”, not called` },
};

function ofClass(data, state, c, called, there) {
  const places = [];
  for (let i = 0; i < data.n; i += 1) {
    if (isCalled(data, state, i, c) === called && isTrue(data, i, c) === there) places.push(i);
  }
  const sign = called ? -1 : 1;
  return places.sort((a, b) => sign * (data.probs[a * data.C + c] - data.probs[b * data.C + c]));
}

/** The pictures whose answer is wrong, those first that the model was most sure of. */
export function mistakes(data) {
  const { n, C } = data;
  const sure = [];
  for (let i = 0; i < n; i += 1) {
    let worst = -1;
    if (!data.isMultilabel) {
      if (data.answers[i] !== data.truths[i]) worst = data.sureness[i];
    } else {
      for (let c = 0; c < C; c += 1) {
        const k = i * C + c;
        if (data.called[k] !== data.marks[k]) worst = Math.max(worst, data.called[k] ? data.probs[k] : 1 - data.probs[k]);
      }
    }
    if (worst >= 0) sure.push([worst, i]);
  }
  return sure.sort(([a], [b]) => b - a).map(([, i]) => i);
}

/** What a picture shows, what the model answers, and its likeliest classes with their probabilities. */
export function about(data, i, most = 3) {
  const { classes, C } = data;
  const row = data.probs.subarray(i * C, (i + 1) * C);
  const order = Array.from(row.keys()).sort((a, b) => row[b] - row[a]);
  const named = (isIn) => classes.filter((_, c) => isIn(c)).join(", ") || "nothing";
  return {
    truth: named((c) => isTrue(data, i, c)),
    answer: named((c) => isCalled(data, { isOwn: true }, i, c)),
    likeliest: order.slice(0, most).map((c) => [classes[c], row[c]]),
  };
}
