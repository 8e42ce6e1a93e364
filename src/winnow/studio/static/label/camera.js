// Pictures from the camera, square, as long as a button is held; they join the dataset as one class.

import { closeCamera, openCamera } from "../camera.js";
import { button, element, field } from "../elements.js";
import { count } from "../words.js";

const SIDE_PX = 512, EVERY_MS = 200, MOST = 100, QUALITY = 0.9;

export class Camera {
  // send(label, pictures) stores base64 JPEG pictures and gives an answer {added} or {error}.
  constructor({ classes, send, tell }) {
    Object.assign(this, { classes, send, tell });
    this.pictures = [];
    this.video = element("video", { muted: true, playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.note = element("p", { role: "status" });
    this.strip = element("div", { class: "camera-strip", "aria-hidden": "true" });
    this.label = element("input", { list: "camera-classes", maxlength: 200, autocomplete: "off" });
    this.names = element("datalist", { id: "camera-classes" });
    this.hold = button("Hold to take pictures", null, { class: "main-action",
      onpointerdown: () => this.begin(), onpointerup: () => this.end(), onpointerleave: () => this.end(),
      onkeydown: (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); if (!event.repeat) this.begin(); } },
      onkeyup: () => this.end(), onblur: () => this.end(), disabled: true });
    this.store = button("Add to the dataset", () => this.add(), { disabled: true });
    this.drop = button("Take them again", () => this.clear(), { class: "quiet", disabled: true });
    this.dialog = element("dialog", { class: "label-dialog", "aria-label": "Pictures from the camera", onclose: () => this.close() },
      element("h2", {}, "Pictures from the camera"), field("Class of the pictures", this.label), this.names, this.video,
      element("div", { class: "row" }, this.hold, this.store, this.drop, button("Close", () => this.dialog.close(), { class: "quiet" })),
      this.note, this.strip);
  }

  async open(label) {
    this.names.replaceChildren(...this.classes().map((name) => element("option", { value: name })));
    this.label.value = label || this.label.value;
    this.dialog.showModal();
    this.note.textContent = "Asking for the camera.";
    try {
      this.stream = await openCamera(1280);
      if (!this.dialog.open) return this.close();
      this.video.srcObject = this.stream;
      await this.video.play();
      this.hold.disabled = false;
      this.note.textContent = "Hold the button, or the space bar on it: five pictures a second are taken. Nothing leaves this machine.";
    } catch (error) {
      this.note.textContent = error.message;
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
    this.note.textContent = `${count(this.pictures.length, "picture")} taken.`;
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
    const canvas = element("canvas", {});
    canvas.width = canvas.height = Math.min(SIDE_PX, side);
    canvas.getContext("2d").drawImage(this.video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    const address = canvas.toDataURL("image/jpeg", QUALITY);
    this.pictures.push(address.slice(address.indexOf(",") + 1));
    this.strip.append(element("img", { src: address, alt: "" }));
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
    const said = `${count(answer.added, "new picture")} of ${label} ${answer.added === 1 ? "is" : "are"} in the dataset.`;
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
    closeCamera(this.stream);
    this.stream = null;
    this.hold.disabled = true;
  }
}
