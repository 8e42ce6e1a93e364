// The camera: about two pictures a second are asked about; it stops with its button and when the page is hidden.

import { answerOf, drawn } from "./answers.js";
import { at, element } from "./elements.js";

const EVERY_MS = 500;
const LONGER_SIDE_PX = 512;
const INSTEAD = "or choose pictures from files instead.";
const WHY_NOT = {
  NotAllowedError: `The browser may not use the camera: allow it in the browser's settings for this page, then try again, ${INSTEAD}`,
  NotFoundError: `No camera was found on this machine: connect one, ${INSTEAD}`,
  NotReadableError: `Another program uses the camera: close it, then try again, ${INSTEAD}`,
  NotSupportedError: `This browser gives no page the camera here: try another browser, or serve the page over https, ${INSTEAD}`,
};

/** Make the camera's button work; `ask` gives the probabilities of a frame, `tell` is heard by screen readers. */
export function watchCamera(facts, ask, tell) {
  const [toggle, video] = [at("camera"), at("video")];
  let stream = null;
  let lastTold = "";

  async function start() {
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotSupportedError");
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
    } catch (error) {
      const why = WHY_NOT[error.name] ?? `The camera cannot be used (${error.message}): try again, ${INSTEAD}`;
      return show(element("p", { class: "notice wrong" }, why));
    }
    mark(true);
    video.srcObject = stream;
    await video.play();
    tell("The camera is on.");
    follow(stream);
  }

  function stop() {
    if (!stream) return;
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream = null;
    lastTold = "";
    mark(false);
    at("live").hidden = true;
    tell("The camera is off.");
  }

  async function follow(mine) {
    while (stream === mine) {
      const begun = performance.now();
      try {
        const answer = answerOf(await ask(frame()), facts);
        if (stream !== mine) return;
        show(drawn(answer));
        // Spoken only when the class changes: a number twice a second is noise.
        const now = answer.isSure ? answer.labels.join(", ") : "Not sure.";
        if (now !== lastTold) tell((lastTold = now));
      } catch (error) {
        if (stream === mine) show(element("p", { class: "notice wrong" }, error.message));
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - begun))));
    }
  }

  function frame() {
    const scale = Math.min(1, LONGER_SIDE_PX / Math.max(video.videoWidth, video.videoHeight, 1));
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.max(1, Math.round(side * scale)));
    const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, width, height);
    return { rgba: context.getImageData(0, 0, width, height).data, width, height };
  }

  function show(part) {
    at("live").hidden = false;
    video.hidden = !stream;
    at("live-answer").replaceChildren(part);
  }

  function mark(isOn) {
    toggle.setAttribute("aria-pressed", String(isOn));
    toggle.textContent = isOn ? "Stop the camera" : "Use the camera";
  }

  toggle.addEventListener("click", () => (stream ? stop() : start()));
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  addEventListener("pagehide", stop);
}
