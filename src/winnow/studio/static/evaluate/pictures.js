// Pictures behind a number: what each shows, what was answered, how sure, and the way to another label.
import { about } from "/static/evaluate_counts.js";

const AT_ONCE = 48;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function line(said, name) {
  const made = element("p", `${said} `);
  const strong = element("b");
  strong.append(element("bdi", name));
  made.append(strong);
  return made;
}

/** One picture as a list item. Names come from strangers: text only. */
export function card(data, label, place) {
  const content = data.contents[place];
  const { truth, answer, likeliest } = about(data, place);
  const source = data.sources[place] ?? content.slice(0, 12);
  const probs = element("ul", "", { class: "likeliest", "aria-label": "Likeliest classes" });
  for (const [name, prob] of likeliest) {
    const item = element("li");
    item.append(element("bdi", name), element("span", percent(prob)));
    probs.append(item);
  }
  const made = element("li");
  made.append(
    element("img", "", { src: `/picture/${content}?side=192`, alt: `labelled ${truth}, answered ${answer}`, loading: "lazy" }),
    line("answered", answer),
    line("labelled", truth),
    probs,
    element("p", source, { class: "source", dir: "auto" }),
  );
  if (label) {
    made.append(element("a", "Relabel", { href: label + encodeURIComponent(content), "aria-label": `Relabel ${source}` }));
  }
  return made;
}

/** Show pictures in the dialog; more of them on demand. */
export function openPictures(dialog, data, label, places, what) {
  const list = dialog.querySelector("ol");
  const more = dialog.querySelector("[data-part='more-pictures']");
  dialog.querySelector("h2").textContent = `${places.length.toLocaleString("en-US")} ${places.length === 1 ? "picture" : "pictures"}: ${what}`;
  let shown = 0;
  const grow = () => {
    list.append(...places.slice(shown, shown + AT_ONCE).map((place) => card(data, label, place)));
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
