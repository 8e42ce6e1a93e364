// Chance that a seed repeats exactly, in every browser.

/** Numbers drawn from a seed: `uniform()` in [0, 1), `normal()`, `shuffle(array)` in place.
 *  Source: mulberry32 (Tommy Ettinger, public domain); Box and Muller, 1958. */
export function chance(seed) {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  function uniform() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  function shuffle(array) {
    for (let last = array.length - 1; last > 0; last -= 1) {
      const other = Math.floor(uniform() * (last + 1));
      [array[last], array[other]] = [array[other], array[last]];
    }
    return array;
  }
  return { uniform, normal, shuffle };
}
