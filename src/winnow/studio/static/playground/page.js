// Starts the playground once its elements are on the page; draws anew when the theme or the width changes.

import { beginByHand } from "./hand_view.js";
import { at, setStarts } from "./knobs.js";
import { beginNetwork } from "./network_view.js";
import { beginRace } from "./ravine_view.js";

function begin() {
  for (const part of ["net", "race", "hand"]) setStarts(at(part));
  const redraws = [beginNetwork(), beginRace()];
  beginByHand();
  const redraw = () => redraws.forEach((one) => one());
  new ResizeObserver(redraw).observe(at("net"));
  new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

const isThere = () => at("hand") !== null;
if (isThere()) begin();
else {
  const waiting = new MutationObserver(() => {
    if (!isThere()) return;
    waiting.disconnect();
    begin();
  });
  waiting.observe(document.body, { childList: true, subtree: true });
}
