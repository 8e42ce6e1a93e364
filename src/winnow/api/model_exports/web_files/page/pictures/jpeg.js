// JPEG files, decoded to the very pixels that Winnow (Pillow, libjpeg-turbo) sees.
//
// Browsers decode JPEGs too, but each in its own way, and none at 1/2, 1/4 or 1/8 of the size inside the inverse DCT, as
// Winnow does with photographs much larger than the model's input. So this page brings its own decoder. What it does not
// know (arithmetic coding, 12 bits, lossless) or what is damaged is refused.

import { coloured, coloursOf } from "./jpeg_colours.js";
import { inverseDct } from "./jpeg_dct.js";
import { huffmanTable, readScan, ZIGZAG } from "./jpeg_scan.js";
import { checkSize, damaged, Refusal } from "./refusal.js";

const START_OF_SCAN = 0xda;
const END = 0xd9;

/**
 * @param {Uint8Array} bytes the whole file
 * @param {number} atLeastPx the shorter side keeps this many pixels when the picture is reduced while it is decoded
 * @returns {{width: number, height: number, pixels: Uint8Array, exif: Uint8Array|null, xmp: string}}
 */
export function readJpeg(bytes, atLeastPx) {
  const tables = { quant: [], dc: [], ac: [], restartInterval: 0 };
  const file = { ...tables, frame: null, hasJfif: false, adobe: null, exif: null, xmp: "" };
  let at = 2;
  for (;;) {
    const marker = nextMarker(bytes, at);
    at = marker.at;
    if (marker.kind === END) break;
    if (at + 2 > bytes.length) throw damaged("JPEG");
    const length = (bytes[at] << 8) | bytes[at + 1];
    if (length < 2 || at + length > bytes.length) throw damaged("JPEG");
    const body = bytes.subarray(at + 2, at + length);
    at += length;
    if (marker.kind === START_OF_SCAN) at = readScan(bytes, at, wholeFrame(file), scanOf(body, file));
    else readSegment(marker.kind, body, file);
  }
  return finished(file, atLeastPx);
}

/** The next marker and where what belongs to it begins; some cameras leave a byte or two between segments. */
function nextMarker(bytes, from) {
  for (let at = from + 1; at < bytes.length; at++) {
    const kind = bytes[at];
    const isRestart = kind >= 0xd0 && kind <= 0xd7; // one more than was needed
    if (bytes[at - 1] === 0xff && kind !== 0 && kind !== 0xff && !isRestart) return { kind, at: at + 1 };
  }
  throw damaged("JPEG");
}

function readSegment(kind, body, file) {
  if (kind === 0xdb) readQuant(body, file);
  else if (kind === 0xc4) readHuffman(body, file);
  else if (kind === 0xdd) file.restartInterval = (body[0] << 8) | body[1];
  else if (kind === 0xc0 || kind === 0xc1 || kind === 0xc2) file.frame = frameOf(body, kind === 0xc2, file);
  else if (kind >= 0xc3 && kind <= 0xcf && kind !== 0xc8) {
    throw new Refusal("The JPEG is packed in a rare way (lossless or arithmetic coding): save it anew as an ordinary JPEG or PNG.");
  } else if (kind === 0xdc || kind === 0xd8 || kind < 0xc0) throw damaged("JPEG");
  else if (!file.frame?.hasScans) readApplication(kind, body, file);
}

function readQuant(body, file) {
  for (let at = 0; at < body.length; ) {
    const isLong = body[at] >> 4;
    const table = new Uint16Array(64);
    const end = at + 1 + (isLong ? 128 : 64);
    if (isLong > 1 || (body[at] & 15) > 3 || end > body.length) throw damaged("JPEG");
    for (let k = 0; k < 64; k++) {
      table[ZIGZAG[k]] = isLong ? (body[at + 1 + 2 * k] << 8) | body[at + 2 + 2 * k] : body[at + 1 + k];
    }
    file.quant[body[at] & 15] = table;
    at = end;
  }
}

function readHuffman(body, file) {
  for (let at = 0; at < body.length; ) {
    const counts = body.subarray(at + 1, at + 17);
    const symbols = at + 17 + counts.reduce((sum, count) => sum + count, 0);
    if (counts.length < 16 || symbols > body.length || (body[at] & 0xec) !== 0) throw damaged("JPEG");
    const isDc = (body[at] & 0x10) === 0;
    const ofCodes = body.subarray(at + 17, symbols);
    if (isDc && ofCodes.some((bits) => bits > 15)) throw damaged("JPEG");
    (isDc ? file.dc : file.ac)[body[at] & 15] = huffmanTable(counts, ofCodes);
    at = symbols;
  }
}

const startsWith = (body, text) => [...text].every((letter, i) => body[i] === letter.charCodeAt(0));

function readApplication(kind, body, file) {
  if (kind === 0xe0 && body.length >= 14 && startsWith(body, "JFIF\0")) file.hasJfif = true;
  else if (kind === 0xee && body.length >= 12 && startsWith(body, "Adobe")) file.adobe = body[11];
  else if (kind === 0xe1 && startsWith(body, "Exif\0\0")) file.exif = file.exif ? new Uint8Array([...file.exif, ...body.subarray(6)]) : body;
  else if (kind === 0xe1 && startsWith(body, "http://ns.adobe.com/xap/1.0/\0")) file.xmp = new TextDecoder("latin1").decode(body.subarray(29));
}

function frameOf(body, isProgressive, file) {
  if (file.frame || body.length < 6 || body.length !== 6 + 3 * body[5]) throw damaged("JPEG");
  if (body[0] !== 8) throw new Refusal(`The JPEG has ${body[0]} bits a colour, and only 8 are read: save it anew as an ordinary JPEG or PNG.`);
  const height = (body[1] << 8) | body[2];
  const width = (body[3] << 8) | body[4];
  checkSize(width, height, "JPEG");
  const components = [];
  for (let at = 6; at < body.length; at += 3) {
    const [id, sampling, table] = body.subarray(at, at + 3);
    components.push({ id, h: sampling >> 4, v: sampling & 15, table, quant: null, known: new Int8Array(64).fill(-1) });
  }
  if (components.some((one) => one.h < 1 || one.h > 4 || one.v < 1 || one.v > 4 || one.table > 3)) throw damaged("JPEG");
  return { width, height, components, isProgressive, hasScans: false };
}

/** The frame with room for its coefficients, made when the first scan begins. */
function wholeFrame(file) {
  const { frame } = file;
  if (!frame) throw damaged("JPEG");
  if (frame.hasScans) return frame;
  const { width, height, components } = frame;
  frame.mostH = Math.max(...components.map((one) => one.h));
  frame.mostV = Math.max(...components.map((one) => one.v));
  frame.mcusAcross = Math.ceil(width / (8 * frame.mostH));
  frame.mcusDown = Math.ceil(height / (8 * frame.mostV));
  for (const one of components) {
    one.blocksAcross = Math.ceil((width * one.h) / (8 * frame.mostH));
    one.blocksDown = Math.ceil((height * one.v) / (8 * frame.mostV));
    one.stride = frame.mcusAcross * one.h;
    one.coefficients = new Int16Array(64 * one.stride * frame.mcusDown * one.v);
  }
  frame.hasScans = true;
  return frame;
}

function scanOf(body, file) {
  const count = body[0];
  const { frame } = file;
  if (body.length !== 4 + 2 * count || count < 1 || count > 4) throw damaged("JPEG");
  const [first, last, bits] = body.subarray(1 + 2 * count);
  const scan = { components: [], first, last, high: bits >> 4, low: bits & 15, restartInterval: file.restartInterval };
  for (let at = 1; at < 1 + 2 * count; at += 2) {
    const one = frame.components.find((component) => component.id === body[at]);
    if (!one || scan.components.includes(one)) throw damaged("JPEG");
    one.dc = file.dc[body[at + 1] >> 4];
    one.ac = file.ac[body[at + 1] & 15];
    one.quant ??= file.quant[one.table]; // the first scan's, even if the table is written anew later
    const needsDc = first === 0 && scan.high === 0;
    if (!one.quant || (needsDc && !one.dc) || ((last > 0 || !frame.isProgressive) && !one.ac)) throw damaged("JPEG");
    scan.components.push(one);
  }
  const blocks = scan.components.reduce((sum, one) => sum + one.h * one.v, 0);
  if (count > 1 && blocks > 10) throw damaged("JPEG"); // section B.2.3
  checkScan(scan, frame);
  return scan;
}

function checkScan(scan, { isProgressive }) {
  const { first, last, high, low, components } = scan;
  if (!isProgressive) {
    if (components.some((one) => one.known[0] >= 0)) throw damaged("JPEG");
    components.forEach((one) => one.known.fill(0));
    return;
  }
  const isDc = first === 0;
  if (first > last || last > 63 || low > 13 || (isDc && last > 0) || (!isDc && components.length > 1)) throw damaged("JPEG");
  for (const one of components) {
    for (let k = first; k <= last; k++) {
      if (high === 0 ? one.known[k] >= 0 : one.known[k] !== high || low !== high - 1) throw damaged("JPEG");
      one.known[k] = low;
    }
  }
}

function finished({ frame, hasJfif, adobe, exif, xmp }, atLeastPx) {
  // Where the first ten coefficients are not known to the last bit, libjpeg guesses them from the neighbours.
  if (!frame?.hasScans || frame.components.some((one) => one.known.subarray(0, 10).some((bit) => bit !== 0))) throw damaged("JPEG");
  const { components, mostH, mostV } = frame;
  const smallest = sizeOfBlock(frame, atLeastPx);
  const width = Math.ceil((frame.width * smallest) / 8);
  const height = Math.ceil((frame.height * smallest) / 8);
  for (const one of components) {
    // A plane of colour that is smaller anyway is reduced less.
    one.size = smallest;
    while (one.size < 8 && (mostH * smallest) % (one.h * one.size * 2) === 0 && (mostV * smallest) % (one.v * one.size * 2) === 0) one.size *= 2;
    one.wider = (mostH * smallest) / (one.h * one.size);
    one.higher = (mostV * smallest) / (one.v * one.size);
    if (!Number.isInteger(one.wider) || !Number.isInteger(one.higher)) {
      throw new Refusal("The JPEG's colours are sampled in a rare way: save it anew as an ordinary JPEG or PNG.");
    }
    one.width = Math.ceil((frame.width * one.h * one.size) / (8 * mostH));
    one.height = Math.ceil((frame.height * one.v * one.size) / (8 * mostV));
    one.planeStride = one.stride * one.size;
    one.plane = planeOf(one);
  }
  return { width, height, pixels: coloured(components, coloursOf(components, hasJfif, adobe), width, height, smallest), exif, xmp };
}

/** 8, or 4, 2 or 1 where the picture may be reduced: the rule of Pillow's `Image.draft`. */
function sizeOfBlock({ width, height }, atLeastPx) {
  const times = Math.min(Math.floor(width / atLeastPx), Math.floor(height / atLeastPx));
  return 8 / ([8, 4, 2].find((reduction) => times >= reduction) ?? 1);
}

function planeOf(one) {
  const { size, planeStride, quant, coefficients } = one;
  const plane = new Uint8Array(planeStride * size * (coefficients.length / 64 / one.stride));
  for (let y = 0; y < one.blocksDown; y++) {
    for (let x = 0; x < one.blocksAcross; x++) {
      inverseDct(coefficients, 64 * (y * one.stride + x), quant, size, plane, y * size * planeStride + x * size, planeStride);
    }
  }
  one.coefficients = null; // a large photograph's are twice as large as its pixels
  return plane;
}
