// Pictures from the camera, square, as long as a button is held; they join the dataset as one class.

import { button, counted, el, field } from "./dom.js";

const SIDE_PX = 512, EVERY_MS = 200, MOST = 100, QUALITY = 0.9;

export class Camera {
  // send(label, pictures) stores base64 JPEG pictures and gives an answer {added} or {error}.
  constructor({ classes, send, tell }) {
    Object.assign(this, { classes, send, tell });
    this.pictures = [];
    this.video = el("video", { muted: true, playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.note = el("p", { role: "status" });
    this.strip = el("div", { class: "camera-strip", "aria-hidden": "true" });
    this.label = el("input", { list: "camera-classes", maxlength: 200, autocomplete: "off" });
    this.names = el("datalist", { id: "camera-classes" });
    this.hold = button("Hold to take pictures", null, { class: "main-action",
      onpointerdown: () => this.begin(), onpointerup: () => this.end(), onpointerleave: () => this.end(),
      onkeydown: (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); if (!event.repeat) this.begin(); } },
      onkeyup: () => this.end(), onblur: () => this.end(), disabled: true });
    this.store = button("Add to the dataset", () => this.add(), { disabled: true });
    this.drop = button("Take them again", () => this.clear(), { class: "quiet", disabled: true });
    this.dialog = el("dialog", { class: "label-dialog", "aria-label": "Pictures from the camera", onclose: () => this.close() },
      el("h2", {}, "Pictures from the camera"), field("Class of the pictures", this.label), this.names, this.video,
      el("div", { class: "row" }, this.hold, this.store, this.drop, button("Close", () => this.dialog.close(), { class: "quiet" })),
      this.note, this.strip);
  }

  async open(label) {
    this.names.replaceChildren(...this.classes().map((name) => el("option", { value: name })));
    this.label.value = label || this.label.value;
    this.dialog.showModal();
    this.note.textContent = "Asking for the camera.";
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: false });
      if (!this.dialog.open) return this.close();
      this.video.srcObject = this.stream;
      await this.video.play();
      this.hold.disabled = false;
      this.note.textContent = "Hold the button, or the space bar on it: five pictures a second are taken. Nothing leaves this machine.";
    } catch (error) {
      this.note.textContent = reason(error);
    }
    return undefined;
  }

  begin() {
    if (this.timer || this.hold.disabled) return;
    this.take();
    this.timer = setInterval(() => this.take(), EVERY_MS);
  }

  end() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.note.textContent = `${counted(this.pictures.length, "picture")} taken.`;
  }

  take() {
    const { videoWidth, videoHeight } = this.video;
    const side = Math.min(videoWidth, videoHeight);
    if (!side) return;
    if (this.pictures.length >= MOST) {
      this.end();
      this.note.textContent = `${MOST} pictures are taken: add them, then go on.`;
      return;
    }
    const canvas = el("canvas", {});
    canvas.width = canvas.height = Math.min(SIDE_PX, side);
    canvas.getContext("2d").drawImage(this.video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    const address = canvas.toDataURL("image/jpeg", QUALITY);
    this.pictures.push(address.slice(address.indexOf(",") + 1));
    this.strip.append(el("img", { src: address, alt: "" }));
    this.strip.scrollLeft = this.strip.scrollWidth;
    this.store.disabled = this.drop.disabled = false;
  }

  async add() {
    const label = this.label.value.trim();
    if (!label) {
      this.note.textContent = "Say first which class these pictures show.";
      this.label.focus();
      return;
    }
    this.store.disabled = true;
    this.note.textContent = "Adding the pictures.";
    const answer = await this.send(label, this.pictures);
    if (answer.error) {
      this.store.disabled = false;
      this.note.textContent = answer.error;
      return;
    }
    const said = `${counted(answer.added, "new picture")} of ${label} ${answer.added === 1 ? "is" : "are"} in the dataset.`;
    this.clear();
    this.note.textContent = said;
    this.tell(said);
  }

  clear() {
    this.pictures = [];
    this.strip.replaceChildren();
    this.store.disabled = this.drop.disabled = true;
    this.note.textContent = "";
  }

  close() {
    this.end();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.hold.disabled = true;
  }
}

function reason(error) {
  if (error.name === "NotAllowedError") return "The browser may not use the camera: allow it in the address bar, then open this again.";
  if (error.name === "NotReadableError") return "Another program uses the camera: close it, then open this again.";
  return "No camera is found: connect one, or import pictures as files instead.";
}
