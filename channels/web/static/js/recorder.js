/** One voice recording at a time, from the microphone. */

/** Longest recording, in seconds; two minutes of 16 kHz speech stay well under the size limit. */
export const MAX_SECONDS = 120;
const DENIED = "没有得到麦克风许可。可在浏览器或手机设置里允许后再试，也可以直接打字。";
const ABSENT = "没有找到麦克风，请打字，或上传录音文件。";

/** Recording failed; the message is Chinese, ready to show. */
export class RecordingError extends Error {}

/**
 * Whether this browser can record on this page.
 * @returns {boolean}
 */
export function canRecord() {
  return Boolean(window.MediaRecorder && navigator.mediaDevices?.getUserMedia);
}

export class Recorder {
  /** @type {MediaRecorder|null} */
  #recorder = null;

  /**
   * @param {{onTick: (seconds: number) => void,
   *   onDone: (blob: Blob, seconds: number) => void}} hooks
   */
  constructor({ onTick, onDone }) {
    this.onTick = onTick;
    this.onDone = onDone;
  }

  /**
   * Ask for the microphone and begin.
   * @returns {Promise<void>}
   * @throws {RecordingError}
   */
  async start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      throw new RecordingError(denied ? DENIED : ABSENT);
    }
    const chunks = [];
    const recorder = new MediaRecorder(stream);
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const ticker = setInterval(() => {
      this.onTick(seconds());
      if (seconds() >= MAX_SECONDS) this.finish();
    }, 250);
    recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
    recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      clearInterval(ticker);
      if (this.#recorder !== recorder) return; // cancelled
      this.#recorder = null;
      this.onDone(new Blob(chunks, { type: recorder.mimeType }), seconds());
    });
    this.#recorder = recorder;
    recorder.start();
    this.onTick(0);
  }

  /** Stop and hand the recording over. */
  finish() {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  /** Stop and throw the recording away. */
  cancel() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (recorder?.state === "recording") recorder.stop();
  }
}
