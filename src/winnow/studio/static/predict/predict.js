// Asks the model about pictures: each file goes to this machine's studio as it is, and its answer is drawn here.
// What comes from files and models is only ever set as text.

import { watchDrops } from "../dropped_files.js";
import { button, element } from "../elements.js";
import { count } from "../words.js";
import { bars, nearestPictures } from "./drawing.js";
import { watchCamera } from "./live.js";

const AT_ONCE = 2;
const MOST_BYTES = 64 * 2 ** 20; // the studio takes no more
const TRY_AGAIN_MS = 1000;
const MOST_SHOWN = 500; // lines of a table; the download has all

const at = (id) => document.getElementById(id);
const address = (what) => `/predict/${encodeURIComponent(at("ask").dataset.model)}/${what}`;
const tell = (words) => { at("told").textContent = words; };

let asked = 0; // answers of an earlier drop must not be drawn over a newer one's

async function ask(what, blob) {
  if (blob.size > MOST_BYTES) return { error: "This file has more than 64 MB: save it smaller, or answer its folder by its path." };
  try {
    const response = await fetch(address(what), { method: "POST", body: blob });
    return response.headers.get("content-type")?.includes("json")
      ? await response.json()
      : { error: `The studio did not answer (${response.status}).` };
  } catch {
    return { error: "The studio did not answer: look whether it is still running." };
  }
}

const refused = (error) => ({ error, said: error, is_sure: false, label: null, labels: [], prob: null, probs: [], picture: null });

async function answerOf(file, side) {
  const answer = await ask(`answer?side=${side}`, file);
  return { ...(answer.probs ? answer : refused(answer.error)), source: file.name || "pasted picture" };
}

async function show(files) {
  if (!files.length) return tell("There are no files in it.");
  const mine = ++asked;
  const place = at("answers");
  const progress = element("progress", { max: files.length, value: 0, "aria-label": "Pictures answered" });
  place.replaceChildren(progress);
  tell(files.length === 1 ? "Asking the model" : `Asking the model about ${count(files.length, "picture")}`);
  const answers = new Array(files.length);
  let next = 0;
  const work = async () => {
    while (next < files.length && mine === asked) {
      const index = next++;
      answers[index] = await answerOf(files[index], files.length === 1 ? 512 : 96);
      progress.value += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (mine !== asked) return;
  if (files.length === 1) {
    place.replaceChildren(card(answers[0], files[0]));
    tell(`${answers[0].source}: ${answers[0].said}`);
  } else {
    place.replaceChildren(...several(answers, files));
    const failed = answers.filter((one) => one.error).length;
    tell(`${count(files.length - failed, "picture")} answered${failed ? `; ${count(failed, "file")} could not be read` : ""}.`);
  }
}

function card(answer, file) {
  const around = element("article", { class: "answer" });
  if (answer.picture) around.append(element("img", { src: answer.picture, alt: `The picture ${answer.source}`, class: "asked" }));
  const words = element("div", { class: "words" });
  words.append(element("h3", {}, answer.source));
  words.append(element("p", { class: answer.is_sure ? "lead" : "lead unsure" }, answer.error ? `No answer: ${answer.error}` : answer.said));
  around.append(words);
  if (answer.error) return around;
  words.append(bars(answer.probs.slice(0, 5), "The likeliest classes"));
  if (answer.probs.length > 5) {
    const all = element("details", {
      ontoggle: () => { if (all.open && all.children.length === 1) all.append(bars(answer.probs, "All classes")); },
    }, element("summary", {}, `All ${count(answer.probs.length, "class", "classes")}`));
    words.append(all);
  }
  const near = element("section", { class: "near" }, element("h4", {}, "Nearest training pictures"));
  around.append(near);
  showNearest(near, file);
  return around;
}

async function showNearest(near, file) {
  const said = element("p", {}, "Looking among the training pictures");
  near.append(said);
  for (;;) {
    const found = await ask("nearest", file);
    if (!near.isConnected) return;
    if (found.working) {
      const { done, total } = found.working;
      said.textContent = total ? `Preparing the training pictures, once: ${done} of ${total}` : "Preparing the training pictures, once";
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
      continue;
    }
    said.textContent = found.nearest
      ? "What the model finds most alike, by the cosine of its features; 1 is the same picture."
        + (found.among < found.of ? ` Looked among ${found.among} of ${found.of}.` : "")
      : found.why ?? found.error;
    if (found.nearest) near.append(nearestPictures(found.nearest));
    return;
  }
}

function several(answers, files) {
  const closer = element("div", { id: "closer" });
  const rows = answers.slice(0, MOST_SHOWN).map((answer, index) => {
    const look = button("Look closer", async () => {
      closer.replaceChildren(card(await answerOf(files[index], 512), files[index]));
      closer.scrollIntoView({ block: "nearest" });
      tell(`${answer.source}: ${answer.said}`);
    }, { class: "quiet", "aria-label": `Look closer at ${answer.source}` });
    const thumb = answer.picture ? element("img", { src: answer.picture, alt: "", class: "thumb" }) : "";
    return element("tr", { class: answer.error ? "failed" : null },
      element("th", { scope: "row" }, answer.source), element("td", {}, thumb),
      element("td", {}, answer.error ? `No answer: ${answer.error}` : answer.said), element("td", {}, answer.error ? "" : look));
  });
  const heads = ["File", "Picture", "Answer", "More"].map((words) => element("th", { scope: "col" }, words));
  const table = element("table", {}, element("caption", {}, answers.length > MOST_SHOWN
    ? `The first ${MOST_SHOWN} of ${answers.length} answers; the download has all` : "Answers, in the order given"),
    element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
  const save = button("Download all answers (CSV)", () => download(answers));
  const scroll = element("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Answers to the pictures given" }, table);
  return [save, scroll, closer];
}

async function download(answers) {
  const lines = answers.map(({ picture, said, is_sure, ...kept }) => kept);
  const response = await fetch(address("csv"), { method: "POST", body: JSON.stringify(lines) });
  if (!response.ok) return tell("The table could not be written: answer the pictures again.");
  const link = element("a", { href: URL.createObjectURL(await response.blob()), download: "answers.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What systems leave in folders is no picture.
const isLitter = (path) => path.split("/").some((step) => step.startsWith(".") || step === "Thumbs.db");

watchDrops({
  begins: () => tell("Looking at what was dropped"),
  finds: (n) => tell(`Looking at what was dropped: ${count(n, "file")}`),
  done: (files) => show(files.filter(([path]) => !isLitter(path)).map(([, file]) => file)),
  failed: (error) => tell(`What was dropped cannot be read (${error.message}): choose it with the button instead.`),
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) event.preventDefault();
  show(files);
});
document.addEventListener("change", (event) => {
  if (event.target.id !== "choose") return;
  const files = [...event.target.files];
  event.target.value = ""; // the same file can be chosen again
  show(files);
});
watchCamera(ask, tell);
