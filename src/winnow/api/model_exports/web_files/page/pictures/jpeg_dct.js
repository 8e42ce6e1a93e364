// The inverse DCT of one 8 x 8 block, as 8 x 8, 4 x 4, 2 x 2 or 1 x 1 brightnesses, in the integers of the IJG's "islow".
//
// Every rounding is libjpeg's, so that the pixels are the very ones that the model was trained and judged on. The method
// is Loeffler, Ligtenberg and Moschytz, ICASSP 1989; the smaller sizes give the means of neighbouring brightnesses.
// Constants are cosines times 2^13. The first pass (columns) keeps 2 more bits than the second gives.

import { damaged } from "./refusal.js";

const block = new Int32Array(64);
const work = new Int32Array(64);

// Sums of two stay within 16 bits, and outputs within libjpeg's table of limits: beyond, which only damaged files reach,
// processors differ.
const MOST = 16383;
const MOST_OUT = 511;

/**
 * Write a block into a plane of brightnesses.
 *
 * @param {Int16Array} coefficients of all blocks; this one's begin at `from`, row by row
 * @param {Uint16Array} quant the 64 steps, row by row
 * @param {number} size 8, 4, 2 or 1
 * @param {Uint8Array} plane `at` is where the block's first brightness goes, `stride` the length of a row
 */
export function inverseDct(coefficients, from, quant, size, plane, at, stride) {
  let beyond = 0;
  for (let i = 0; i < 64; i++) {
    const value = Math.imul(coefficients[from + i], quant[i]);
    beyond |= (value + MOST) & ~(2 * MOST + 1);
    block[i] = value;
  }
  if (beyond !== 0) throw damaged("JPEG");
  if (size === 8) inverse8(plane, at, stride);
  else if (size === 4) inverse4(plane, at, stride);
  else if (size === 2) inverse2(plane, at, stride);
  else plane[at] = clamp((block[0] + 4) >> 3);
}

function refuseBeyond(values, count) {
  let beyond = 0;
  for (let i = 0; i < count; i++) beyond |= (values[i] + MOST) & ~(2 * MOST + 1);
  if (beyond !== 0) throw damaged("JPEG");
}

function clamp(value) {
  if (value < -128) {
    if (value < -MOST_OUT) throw damaged("JPEG");
    return 0;
  }
  if (value > 127) {
    if (value > MOST_OUT) throw damaged("JPEG");
    return 255;
  }
  return value + 128;
}

function inverse8(plane, at, stride) {
  for (let x = 0; x < 8; x++) {
    const s1 = block[x + 8], s2 = block[x + 16], s3 = block[x + 24], s4 = block[x + 32];
    const s5 = block[x + 40], s6 = block[x + 48], s7 = block[x + 56];
    if (s1 | s2 | s3 | s4 | s5 | s6 | s7) eight(block[x], s1, s2, s3, s4, s5, s6, s7, work, x, 8, 11);
    else for (let y = x; y < 64; y += 8) work[y] = block[x] << 2;
  }
  refuseBeyond(work, 64);
  for (let y = 0; y < 8; y++) {
    const i = 8 * y;
    eight(work[i], work[i + 1], work[i + 2], work[i + 3], work[i + 4], work[i + 5], work[i + 6], work[i + 7], work, i, 1, 18);
    const out = at + y * stride;
    for (let x = 0; x < 8; x++) plane[out + x] = clamp(work[i + x]);
  }
}

/** Eight values from eight frequencies, written to `out` at `at`, `at + step`, ..., shifted down by `shift` and rounded. */
function eight(s0, s1, s2, s3, s4, s5, s6, s7, out, at, step, shift) {
  const half = 1 << (shift - 1);
  const turn = (s2 + s6) * 4433;
  const e2 = turn - s6 * 15137, e3 = turn + s2 * 6270;
  const e0 = (s0 + s4) * 8192 + half, e1 = (s0 - s4) * 8192 + half;
  const a0 = e0 + e3, a1 = e1 + e2, a2 = e1 - e2, a3 = e0 - e3;
  const both = (s7 + s3 + s5 + s1) * 9633;
  const z1 = (s7 + s1) * -7373, z2 = (s5 + s3) * -20995;
  const z3 = (s7 + s3) * -16069 + both, z4 = (s5 + s1) * -3196 + both;
  const o0 = s7 * 2446 + z1 + z3, o1 = s5 * 16819 + z2 + z4, o2 = s3 * 25172 + z2 + z3, o3 = s1 * 12299 + z1 + z4;
  out[at] = (a0 + o3) >> shift;
  out[at + step] = (a1 + o2) >> shift;
  out[at + 2 * step] = (a2 + o1) >> shift;
  out[at + 3 * step] = (a3 + o0) >> shift;
  out[at + 4 * step] = (a3 - o0) >> shift;
  out[at + 5 * step] = (a2 - o1) >> shift;
  out[at + 6 * step] = (a1 - o2) >> shift;
  out[at + 7 * step] = (a0 - o3) >> shift;
}

function inverse4(plane, at, stride) {
  for (let x = 0; x < 8; x++) {
    // The fifth frequency is 0 in every mean of two.
    if (x === 4) work[4] = work[12] = work[20] = work[28] = 0;
    else four(block[x], block[x + 8], block[x + 16], block[x + 24], block[x + 40], block[x + 48], block[x + 56], x, 8, 12);
  }
  refuseBeyond(work, 32);
  for (let y = 0; y < 4; y++) {
    const i = 8 * y;
    four(work[i], work[i + 1], work[i + 2], work[i + 3], work[i + 5], work[i + 6], work[i + 7], i, 1, 19);
    const out = at + y * stride;
    for (let x = 0; x < 4; x++) plane[out + x] = clamp(work[i + x]);
  }
}

function four(s0, s1, s2, s3, s5, s6, s7, at, step, shift) {
  const middle = s0 * 16384 + (1 << (shift - 1));
  const even = s2 * 15137 - s6 * 6270;
  const inner = s7 * -1730 + s5 * 11893 - s3 * 17799 + s1 * 8697;
  const outer = s7 * -4176 - s5 * 4926 + s3 * 7373 + s1 * 20995;
  work[at] = (middle + even + outer) >> shift;
  work[at + step] = (middle - even + inner) >> shift;
  work[at + 2 * step] = (middle - even - inner) >> shift;
  work[at + 3 * step] = (middle + even - outer) >> shift;
}

function inverse2(plane, at, stride) {
  for (let x = 0; x < 8; x++) {
    // Even frequencies are 0 in every mean of four.
    const isUsed = x === 0 || x % 2 === 1;
    const odd = block[x + 56] * -5906 + block[x + 40] * 6967 - block[x + 24] * 10426 + block[x + 8] * 29692;
    work[x] = isUsed ? (block[x] * 32768 + odd + 4096) >> 13 : 0;
    work[x + 8] = isUsed ? (block[x] * 32768 - odd + 4096) >> 13 : 0;
  }
  refuseBeyond(work, 16);
  for (let y = 0; y < 2; y++) {
    const i = 8 * y;
    const odd = work[i + 7] * -5906 + work[i + 5] * 6967 - work[i + 3] * 10426 + work[i + 1] * 29692;
    plane[at + y * stride] = clamp((work[i] * 32768 + odd + 524288) >> 20);
    plane[at + y * stride + 1] = clamp((work[i] * 32768 - odd + 524288) >> 20);
  }
}
