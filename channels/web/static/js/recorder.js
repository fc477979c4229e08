/** One voice recording at a time, from the microphone, and how loud it is. */
import { t } from "./i18n.js";

/** Longest recording, in seconds; two minutes of 16 kHz speech stay well under the size limit. */
export const MAX_SECONDS = 120;
const TICK_MS = 100;
/** Speech near a telephone lies about 50 dB under full scale to 10 dB under it. */
const QUIET_DB = -50;
const LOUD_DB = -10;

/** Recording failed; the message is ready to show. */
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
   * @param {{onTick: (seconds: number, level: number) => void,
   *   onDone: (blob: Blob, seconds: number) => void}} hooks `level` is 0 (quiet) to 1 (loud)
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
      throw new RecordingError(t(denied ? "record.denied" : "record.absent"));
    }
    const chunks = [];
    const recorder = new MediaRecorder(stream);
    const meter = levelMeter(stream);
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const ticker = setInterval(() => {
      this.onTick(seconds(), meter.level());
      if (seconds() >= MAX_SECONDS) this.finish();
    }, TICK_MS);
    recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
    recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      clearInterval(ticker);
      meter.close();
      if (this.#recorder !== recorder) return; // cancelled
      this.#recorder = null;
      this.onDone(new Blob(chunks, { type: recorder.mimeType }), seconds());
    });
    this.#recorder = recorder;
    recorder.start();
    this.onTick(0, 0);
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

/**
 * Listen to how loud a stream is, without playing it.
 * @param {MediaStream} stream
 * @returns {{level: () => number, close: () => void}}
 */
function levelMeter(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-12);
      return Math.min(1, Math.max(0, (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB)));
    },
    close() {
      context.close();
    },
  };
}
