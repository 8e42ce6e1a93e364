// Pictures behind a number: what each shows, what was answered, how sure, and the way to another label.

import { element, name } from "../elements.js";
import { count, percent } from "../words.js";
import { about } from "./counts.js";

const AT_ONCE = 48;

const line = (said, label) => element("p", {}, `${said} `, element("b", {}, name(label)));

/** One picture as a list item; `address` is where another label is given, followed by the picture. */
export function card(data, address, place) {
  const content = data.contents[place];
  const { truth, answer, likeliest } = about(data, place);
  const source = data.sources[place] ?? content.slice(0, 12);
  const probs = likeliest.map(([label, prob]) => element("li", {}, name(label), element("span", {}, percent(prob))));
  return element("li", {},
    element("img", { src: `/picture/${content}?side=192`, alt: `labelled ${truth}, answered ${answer}`, loading: "lazy" }),
    line("answered", answer),
    line("labelled", truth),
    element("ul", { class: "likeliest", "aria-label": "Likeliest classes" }, ...probs),
    element("p", { class: "source", dir: "auto" }, source),
    address ? element("a", { href: address + encodeURIComponent(content), "aria-label": `Relabel ${source}` }, "Relabel") : null,
  );
}

/** Show pictures in the dialog; more of them on demand. */
export function openPictures(dialog, data, address, places, what) {
  const list = dialog.querySelector("ol");
  const more = dialog.querySelector("[data-part='more-pictures']");
  dialog.querySelector("h2").textContent = `${count(places.length, "picture")}: ${what}`;
  let shown = 0;
  const grow = () => {
    list.append(...places.slice(shown, shown + AT_ONCE).map((place) => card(data, address, place)));
    shown += AT_ONCE;
    more.hidden = shown >= places.length;
  };
  list.replaceChildren();
  more.onclick = grow;
  grow();
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); }; // a click beside the pictures
  dialog.showModal();
  dialog.scrollTop = 0;
}
