// Numbers as people say them, digit for digit as `winnow.report.words` writes them for the same page.

/** A share in per cent; a second digit appears where the first would hide the last few mistakes. None: "–". */
export function percent(share) {
  if (share === null) return "–";
  const hundredths = 100 * share;
  const whole = `${Math.round(hundredths)} %`;
  if (share === 0 || share === 1) return whole;
  const digits = [1, 2, 3].find((one) => ![0, 100].includes(Number(fixed(hundredths, one))));
  return digits === undefined ? whole : `${fixed(hundredths, digits)} %`;
}

/** A whole number in groups of three. */
export const number = (n) => n.toLocaleString("en-US");

/** A number of things: count(1, "picture") is "1 picture", count(2, "class", "classes") is "2 classes". */
export const count = (n, what, many = `${what}s`) => `${number(n)} ${n === 1 ? what : many}`;

/** As `toFixed`, but exact halves go to the even digit, as Python writes them: 6.25 becomes 6.2. */
function fixed(value, digits) {
  const exact = value.toFixed(20);
  const cut = exact.indexOf(".") + 1 + digits;
  const isHalfAboveEven = /^50*$/.test(exact.slice(cut)) && Number(exact[cut - 1]) % 2 === 0;
  return isHalfAboveEven ? exact.slice(0, cut) : value.toFixed(digits);
}
