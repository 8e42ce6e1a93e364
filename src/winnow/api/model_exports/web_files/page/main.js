// The page: what the model is, pictures in, answers out.

import { answerOf, drawn, percent } from "./answers.js";
import { Asking } from "./asking.js";
import { watchCamera } from "./camera.js";
import { at, element, name } from "./elements.js";

const NEVER_SURE = 'It says "I am not sure" to every picture: it was judged on too few, or was wrong too often, to know from which '
  + "probability on it can be trusted.";
const CHECKED = "When this page was opened, it was checked on made-up pictures: your browser computes the same probabilities.";

const asking = new Asking();
let waiting = 0;
let last = Promise.resolve();

const tell = (words) => (at("heard").textContent = words);

async function begin() {
  try {
    const response = await fetch(new URL("../page.json", import.meta.url));
    if (!response.ok) throw new Error("A file of this page is missing (page.json): copy the whole folder again.");
    const facts = await response.json();
    introduce(facts);
    at("state").textContent = "The model is being opened.";
    await asking.open(facts);
    at("state").hidden = true;
    at("choose").disabled = at("camera").disabled = false;
    listen(facts);
    tell("The model is ready.");
    document.body.dataset.ready = "yes";
  } catch (error) {
    at("state").className = "notice wrong";
    at("state").textContent = error.message;
  }
}

function introduce(facts) {
  const { classes, thresholds, sure_from: sureFrom } = facts;
  document.title = facts.name;
  at("name").replaceChildren(name(facts.name));
  at("about").textContent = thresholds
    ? `Which of ${classes.length} classes does a picture show?`
    : `Which one of ${classes.length} classes does a picture show?`;
  at("classes").replaceChildren(...classes.flatMap((label, i) => [i ? ", " : "", name(label)]));
  if (thresholds) at("when-sure").textContent = "A picture may show several classes, or none: it names those that reach their threshold.";
  else if (sureFrom !== null) at("when-sure").textContent = `It says "I am not sure" below a probability of ${percent(sureFrom)}.`;
  else at("when-sure").textContent = NEVER_SURE;
  at("checked").textContent = `The model is ${facts.model}, exported by Winnow ${facts.winnow_version}. ${CHECKED}`;
}

function listen(facts) {
  // One after the other: a folder of photographs would not fit into memory at once.
  const ask = (files) => files.map(placeFor).forEach(([file, place]) => (last = last.then(() => answer(file, place, facts))));
  at("choose").addEventListener("change", ({ target }) => {
    ask([...target.files]);
    target.value = ""; // the same file may be chosen again
  });
  document.addEventListener("paste", ({ clipboardData }) => ask([...clipboardData.files]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // everywhere: what is dropped beside the zone would make the browser leave the page
    at("drop").classList.add("over");
  });
  for (const ended of ["dragleave", "drop"]) document.addEventListener(ended, () => at("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    ask([...event.dataTransfer.files]);
  });
  watchCamera(facts, asking.frame, tell);
}

function placeFor(file) {
  const heading = element("h3", {}, name(file.name));
  const place = element("article", { class: "card answer", "aria-busy": "true" }, heading, element("p", {}, "Looking ..."));
  at("answers").hidden = false;
  at("list").prepend(place);
  waiting++;
  return [file, place];
}

async function answer(file, place, facts) {
  try {
    const found = answerOf(await asking.file(file), facts);
    const words = element("div", {}, element("h3", {}, name(file.name)), drawn(found));
    place.replaceChildren(preview(file), words);
    tell(`${file.name}: ${found.said}`);
  } catch (error) {
    const sentence = `No answer: ${error.message}`;
    place.replaceChildren(element("h3", {}, name(file.name)), element("p", { class: "notice wrong" }, sentence));
    tell(`${file.name}: ${sentence}`);
  }
  place.removeAttribute("aria-busy");
  if (--waiting === 0 && at("list").children.length > 1) tell(`All ${at("list").children.length} pictures are answered.`);
}

/** The picture as the browser shows it; the model saw the pixels that the page decoded. */
function preview(file) {
  const image = element("img", { alt: "" });
  image.src = URL.createObjectURL(file);
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  return image;
}

begin();
