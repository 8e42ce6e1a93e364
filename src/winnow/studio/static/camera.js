// The camera: asking for it, with a sentence where there is none, and letting it go.

const INSTEAD = "or use pictures from files instead.";
const WHY_NOT = {
  NotAllowedError: `The browser may not use the camera: allow it in the browser's settings for this page, then try again, ${INSTEAD}`,
  NotFoundError: `No camera was found on this machine: connect one, ${INSTEAD}`,
  NotReadableError: `Another program uses the camera: close it, then try again, ${INSTEAD}`,
  NotSupportedError: `This browser gives no page the camera here: try another browser, ${INSTEAD}`,
};

/** What the camera sees, as a stream for a video element; fails with an Error that says what to do. */
export async function openCamera(widthPx) {
  try {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotSupportedError");
    return await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: widthPx } }, audio: false });
  } catch (error) {
    throw new Error(WHY_NOT[error.name] ?? `The camera cannot be used (${error.message}): try again, ${INSTEAD}`);
  }
}

/** Switch the camera off. */
export function closeCamera(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
