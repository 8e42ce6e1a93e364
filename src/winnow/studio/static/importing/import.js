// Sends dropped or chosen files to the studio in pieces, then tells the page that they are there.
// Listeners sit on the document: the page's elements may be drawn anew at any time.

const PIECE_BYTES = 8 * 1024 * 1024;
const PIECE_FILES = 400;
let giveUp = null; // an AbortController while an upload runs

const zone = () => document.getElementById("drop");

document.addEventListener("dragover", (event) => {
  // Everywhere: a folder dropped beside the zone would make the browser leave the page.
  event.preventDefault();
  zone()?.classList.toggle("over", Boolean(event.target.closest?.("#drop")));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) zone()?.classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  zone()?.classList.remove("over");
  if (!event.target.closest?.("#drop") || giveUp) return;
  // Entries must be asked for before anything is awaited: the browser forgets them then.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  // Files that lie nowhere on the disk (dragged out of a mail) are no entries.
  const loose = entries.length ? [] : [...event.dataTransfer.files].map((file) => [file.name, file]);
  say("Looking into what was dropped");
  try {
    const files = loose;
    for (const entry of entries) await collect(entry, files);
    await send(files);
  } catch (error) {
    fail(`What was dropped cannot be read (${error.message}): choose it with a button instead.`);
  }
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

async function collect(entry, files) {
  if (entry.isFile) {
    files.push([entry.fullPath.replace(/^\//, ""), await new Promise((done, failed) => entry.file(done, failed))]);
    if (files.length % 1000 === 0) say(`Looking into what was dropped: ${files.length.toLocaleString("en")} files`);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A hundred at a time, until there is nothing more.
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await collect(one, files);
  }
}

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
      say(`${state.files.toLocaleString("en")} of ${files.length.toLocaleString("en")} files are here ` +
        `(${megabytes(sent)} of ${megabytes(total)} MB)`);
      document.getElementById("upload-progress").value = total ? sent / total : 1;
    }
    const [first] = files[0][0].split("/");
    const isOne = files.every(([path]) => path.split("/")[0] === first);
    say("All files are here; the import begins");
    giveUp = null; // the page may be left now
    zone().dispatchEvent(new CustomEvent("uploaded", { detail: { id, said: isOne ? first : `${files.length} files` } }));
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

const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });

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
