// The camera: about two pictures a second are asked about; it stops with the button and when the page is hidden.

import { closeCamera, openCamera } from "../camera.js";
import { element } from "../elements.js";
import { bars } from "./drawing.js";

const EVERY_MS = 500;
const LONGER_SIDE_PX = 512;

const at = (id) => document.getElementById(id);

/** Make the camera's button work; `ask(what, blob)` gives an answer, `tell(words)` is heard by screen readers. */
export function watchCamera(ask, tell) {
  let stream = null;
  let lastTold = "";

  async function start() {
    try {
      stream = await openCamera(640);
    } catch (error) {
      return refuse(error.message);
    }
    at("live").hidden = false;
    at("video").srcObject = stream;
    await at("video").play();
    mark(true);
    tell("The camera is on.");
    follow(stream);
  }

  function stop(words) {
    closeCamera(stream);
    stream = null;
    at("video").srcObject = null;
    at("live").hidden = true;
    mark(false);
    tell(words);
  }

  async function follow(mine) {
    while (stream === mine) {
      const begun = performance.now();
      const answer = await ask("answer?side=0&most=5", await frame());
      if (stream !== mine) return;
      draw(answer);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - begun))));
    }
  }

  function frame() {
    const video = at("video");
    const scale = Math.min(1, LONGER_SIDE_PX / Math.max(video.videoWidth, video.videoHeight, 1));
    const canvas = element("canvas", { width: Math.max(1, Math.round(video.videoWidth * scale)), height: Math.max(1, Math.round(video.videoHeight * scale)) });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
  }

  function draw(answer) {
    const said = answer.said ?? answer.error;
    const parts = [element("p", { class: answer.is_sure ? "lead" : "lead unsure" }, said)];
    if (answer.probs?.length) parts.push(bars(answer.probs, "The likeliest classes now"));
    at("live-answer").replaceChildren(...parts);
    // Spoken only when the class changes: a number twice a second is noise.
    const now = answer.is_sure ? answer.labels.join(", ") : "not sure";
    if (now !== lastTold) tell((lastTold = now));
  }

  function refuse(words) {
    at("live").hidden = false;
    at("video").hidden = true;
    at("live-answer").replaceChildren(element("p", { class: "notice wrong" }, words));
    tell(words);
  }

  function mark(isOn) {
    at("video").hidden = !isOn;
    at("camera").setAttribute("aria-pressed", String(isOn));
    at("camera").textContent = isOn ? "Stop the camera" : "Use the camera";
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#camera")) return;
    if (stream) stop("The camera is off.");
    else start();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) stop("The camera is off, since the page was hidden."); });
  window.addEventListener("pagehide", () => { if (stream) stop(""); });
}
