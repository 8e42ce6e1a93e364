// Files and folders that are dropped on a page's drop zone, the element #drop; what is in folders is found, too.
// Listeners sit on the document: the page's elements may come later than its script, or be drawn anew at any time.

const zone = () => document.getElementById("drop");

/** Hear of what is dropped.
 *  wants(event): whether this drop is taken; begins(): it is; finds(n): so many files so far, now and then;
 *  done(files): all of it as [[path, File], ...]; failed(error): it cannot be read. */
export function watchDrops({ wants = () => true, begins = () => {}, finds = () => {}, done, failed }) {
  document.addEventListener("dragover", (event) => {
    // Everywhere: what is dropped beside the zone would make the browser leave the page.
    event.preventDefault();
    zone()?.classList.toggle("over", isOnZone(event));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone()?.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone()?.classList.remove("over");
    if (!wants(event)) return;
    // Entries must be asked for before anything is awaited: the browser forgets them then.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    // Files that lie nowhere on the disk (dragged out of a mail) are no entries.
    const files = entries.length ? [] : [...event.dataTransfer.files].map((file) => [file.name, file]);
    begins();
    try {
      for (const entry of entries) await collect(entry, files, finds);
    } catch (error) {
      failed(error);
      return;
    }
    await done(files);
  });
}

/** Whether this happened on the drop zone. */
export const isOnZone = (event) => Boolean(event.target.closest?.("#drop"));

async function collect(entry, files, finds) {
  if (entry.isFile) {
    files.push([entry.fullPath.replace(/^\//, ""), await new Promise((given, refused) => entry.file(given, refused))]);
    if (files.length % 1000 === 0) finds(files.length);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A hundred at a time, until there is nothing more.
    const some = await new Promise((given, refused) => reader.readEntries(given, refused));
    if (!some.length) return;
    for (const one of some) await collect(one, files, finds);
  }
}
