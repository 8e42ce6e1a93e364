// Sends dropped or chosen files to the studio in pieces, then tells the page that they are there.

import { isOnZone, watchDrops } from "../dropped_files.js";
import { count, number } from "../words.js";

const PIECE_BYTES = 8 * 1024 * 1024;
const PIECE_FILES = 400;
let giveUp = null; // an AbortController while an upload runs

const zone = () => document.getElementById("drop");

watchDrops({
  wants: (event) => isOnZone(event) && !giveUp,
  begins: () => say("Looking into what was dropped"),
  finds: (n) => say(`Looking into what was dropped: ${count(n, "file")}`),
  done: send,
  failed: (error) => fail(`What was dropped cannot be read (${error.message}): choose it with a button instead.`),
});
document.addEventListener("change", async (event) => {
  if (!event.target.matches?.("#pick-folder, #pick-files") || giveUp) return;
  const files = [...event.target.files].map((file) => [file.webkitRelativePath || file.name, file]);
  event.target.value = ""; // the same folder can be chosen again
  await send(files);
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#give-up")) giveUp?.abort();
});
window.addEventListener("beforeunload", (event) => {
  if (giveUp) event.preventDefault();
});

function* pieces(files) {
  let head = [], parts = [], bytes = 0;
  const take = () => {
    const piece = [new Blob([JSON.stringify(head) + "\n", ...parts]), bytes, head.length];
    head = []; parts = []; bytes = 0;
    return piece;
  };
  for (const [path, file] of files) {
    let at = 0;
    do {
      const size = Math.min(PIECE_BYTES - bytes, file.size - at);
      head.push([path, at, size]);
      parts.push(file.slice(at, at + size));
      at += size;
      bytes += size;
      if (bytes >= PIECE_BYTES || head.length >= PIECE_FILES) yield take();
    } while (at < file.size);
  }
  if (head.length) yield take();
}

async function send(files) {
  if (!files.length) return fail("There are no files in it.");
  giveUp = new AbortController();
  const total = files.reduce((sum, [, file]) => sum + file.size, 0);
  let id = null, sent = 0;
  show(true);
  try {
    id = (await post("/uploads")).id;
    for (const [blob, bytes] of pieces(files)) {
      const state = await post(`/uploads/${id}/pieces`, blob);
      sent += bytes;
      say(`${number(state.files)} of ${count(files.length, "file")} ${files.length === 1 ? "is" : "are"} here ` +
        `(${megabytes(sent)} of ${megabytes(total)} MB)`);
      document.getElementById("upload-progress").value = total ? sent / total : 1;
    }
    const [first] = files[0][0].split("/");
    const isOne = files.every(([path]) => path.split("/")[0] === first);
    say("All files are here; the import begins");
    giveUp = null; // the page may be left now
    zone().dispatchEvent(new CustomEvent("uploaded", { detail: { id, said: isOne ? first : count(files.length, "file") } }));
  } catch (error) {
    if (id) post(`/uploads/${id}/give-up`, undefined, false).catch(() => {});
    if (error.name === "AbortError") { say("The upload was given up; nothing was imported."); }
    else fail(error instanceof TypeError ? "The studio does not answer, or a file changed meanwhile: drop it again." : error.message);
  } finally {
    giveUp = null;
    show(false);
  }
}

async function post(address, body, canBeGivenUp = true) {
  const answer = await fetch(address, { method: "POST", body, signal: canBeGivenUp ? giveUp.signal : undefined });
  if (answer.status === 204) return {};
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || `The studio refused the upload (${answer.status}): reload this page.`);
  return said;
}

const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: 1 });

function say(words) {
  const line = document.getElementById("upload-state");
  line.textContent = words;
  line.classList.remove("wrong");
}

function fail(words) {
  say(words);
  document.getElementById("upload-state").classList.add("wrong");
}

function show(isRunning) {
  document.getElementById("upload-progress").hidden = !isRunning;
  document.getElementById("give-up").hidden = !isRunning;
  document.getElementById("pick").toggleAttribute("inert", isRunning);
}
