// One scan of a JPEG: from packed bits to the coefficients of its blocks (ITU T.81, annexes F and G, Huffman only).

import { damaged } from "./refusal.js";

// Where the k-th coefficient of the file stands in a block read row by row (figure A.6).
export const ZIGZAG = new Uint8Array([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]);

/** A Huffman table by its next 16 bits: the code's length times 256 plus its symbol; 0 where no code begins so.
 *  No code may be all ones (annex C). */
export function huffmanTable(counts, symbols) {
  const table = new Uint16Array(65536);
  let code = 0;
  let at = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < counts[length - 1]; i++, code++, at++) {
      if (code + 1 >= 1 << length) throw damaged("JPEG");
      table.fill((length << 8) | symbols[at], code << (16 - length), (code + 1) << (16 - length));
    }
    code <<= 1;
  }
  return table;
}

/** Reads bits up to the next marker; asking for more than there are is an error, never a guess. */
class Bits {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
    this.restart();
  }

  restart() {
    this.bits = 0;
    this.count = 0;
    this.invented = 0;
  }

  fill() {
    while (this.count <= 24) {
      let byte = this.at < this.bytes.length ? this.bytes[this.at] : -1;
      if (byte === 0xff && this.bytes[this.at + 1] !== 0) byte = -1;
      else if (byte === 0xff) this.at += 2;
      else if (byte >= 0) this.at++;
      if (byte < 0) {
        byte = 0;
        this.invented += 8; // the last code may be looked up with bits that do not belong to it, but not made of them
      }
      this.bits = (this.bits << 8) | byte;
      this.count += 8;
    }
  }

  take(count) {
    this.count -= count;
    if (this.count < this.invented) throw damaged("JPEG");
  }

  symbol(table) {
    if (this.count < 16) this.fill();
    const found = table[(this.bits >>> (this.count - 16)) & 0xffff];
    if (found === 0) throw damaged("JPEG");
    this.take(found >> 8);
    return found & 0xff;
  }

  number(count) {
    if (count === 0) return 0;
    if (this.count < count) this.fill();
    const value = (this.bits >>> (this.count - count)) & ((1 << count) - 1);
    this.take(count);
    return value;
  }

  /** A number of `count` bits that may be negative (figure F.12). */
  signed(count) {
    const value = this.number(count);
    return count > 0 && value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }
}

/**
 * Read a scan into the coefficients of its components.
 *
 * @param {object} frame size, components and whether it is progressive
 * @param {object} scan its components with their tables, first and last coefficient, high and low bit, restart interval
 * @returns {number} where the scan's bits end
 */
export function readScan(bytes, at, frame, scan) {
  const bits = new Bits(bytes, at);
  const state = { bits, scan, endOfBand: 0 };
  const read = blockReader(frame.isProgressive, scan);
  const isAlone = scan.components.length === 1;
  const only = scan.components[0];
  const across = isAlone ? only.blocksAcross : frame.mcusAcross;
  const down = isAlone ? only.blocksDown : frame.mcusDown;
  for (const component of scan.components) component.predicted = 0;
  for (let mcu = 0; mcu < across * down; mcu++) {
    if (scan.restartInterval > 0 && mcu > 0 && mcu % scan.restartInterval === 0) restart(state, mcu / scan.restartInterval - 1);
    const x = mcu % across;
    const y = (mcu - x) / across;
    if (isAlone) {
      read(state, only, 64 * (y * only.stride + x));
      continue;
    }
    for (const component of scan.components) {
      for (let v = 0; v < component.v; v++) {
        for (let h = 0; h < component.h; h++) {
          read(state, component, 64 * ((y * component.v + v) * component.stride + x * component.h + h));
        }
      }
    }
  }
  return bits.at;
}

function restart(state, number) {
  const { bits } = state;
  const { bytes } = bits;
  while (bytes[bits.at] === 0xff && bytes[bits.at + 1] === 0xff) bits.at++;
  if (bytes[bits.at] !== 0xff || bytes[bits.at + 1] !== 0xd0 + (number % 8)) throw damaged("JPEG");
  bits.at += 2;
  bits.restart();
  state.endOfBand = 0;
  for (const component of state.scan.components) component.predicted = 0;
}

function blockReader(isProgressive, scan) {
  if (!isProgressive) return wholeBlock;
  if (scan.first === 0) return scan.high === 0 ? firstDc : laterDc;
  return scan.high === 0 ? firstAc : laterAc;
}

function dcDifference({ bits }, component) {
  const size = bits.symbol(component.dc);
  if (size > 15) throw damaged("JPEG");
  return (component.predicted += bits.signed(size));
}

function wholeBlock(state, component, at) {
  const { bits } = state;
  const { coefficients, ac } = component;
  coefficients[at] = dcDifference(state, component);
  for (let k = 1; k < 64; k++) {
    const symbol = bits.symbol(ac);
    const size = symbol & 15;
    if (size === 0) {
      if (symbol < 0xf0) break;
      k += 15;
      continue;
    }
    k += symbol >> 4;
    if (k > 63) throw damaged("JPEG");
    coefficients[at + ZIGZAG[k]] = bits.signed(size);
  }
}

function firstDc(state, component, at) {
  component.coefficients[at] = dcDifference(state, component) << state.scan.low;
}

function laterDc({ bits, scan }, { coefficients }, at) {
  coefficients[at] |= bits.number(1) << scan.low;
}

function firstAc(state, { coefficients, ac }, at) {
  const { bits, scan } = state;
  if (state.endOfBand > 0) {
    state.endOfBand--;
    return;
  }
  for (let k = scan.first; k <= scan.last; k++) {
    const symbol = bits.symbol(ac);
    const run = symbol >> 4;
    const size = symbol & 15;
    if (size === 0 && run < 15) {
      state.endOfBand = (1 << run) - 1 + bits.number(run);
      return;
    }
    k += run;
    if (size === 0) continue;
    if (k > scan.last) throw damaged("JPEG");
    coefficients[at + ZIGZAG[k]] = bits.signed(size) * (1 << scan.low);
  }
}

/** One more bit of coefficients that are known already, and new ones of one bit between them (section G.1.2.3). */
function laterAc(state, { coefficients, ac }, at) {
  const { bits, scan } = state;
  const one = 1 << scan.low;
  let k = scan.first;
  if (state.endOfBand === 0) {
    for (; k <= scan.last; k++) {
      const symbol = bits.symbol(ac);
      let run = symbol >> 4;
      let fresh = 0;
      if ((symbol & 15) === 1) fresh = bits.number(1) ? one : -one;
      else if ((symbol & 15) !== 0) throw damaged("JPEG");
      else if (run < 15) {
        state.endOfBand = (1 << run) + bits.number(run);
        break;
      }
      for (; k <= scan.last; k++) {
        const place = at + ZIGZAG[k];
        if (coefficients[place] !== 0) refine(bits, coefficients, place, one);
        else if (run-- === 0) {
          coefficients[place] = fresh;
          break;
        }
      }
      if (fresh !== 0 && k > scan.last) throw damaged("JPEG");
    }
  }
  if (state.endOfBand === 0) return;
  for (; k <= scan.last; k++) {
    const place = at + ZIGZAG[k];
    if (coefficients[place] !== 0) refine(bits, coefficients, place, one);
  }
  state.endOfBand--;
}

function refine(bits, coefficients, place, one) {
  if (bits.number(1) && (coefficients[place] & one) === 0) coefficients[place] += coefficients[place] > 0 ? one : -one;
}
