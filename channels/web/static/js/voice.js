/** Speaking instead of typing: the recording strip, its level meter, and the finished recording. */
import { byId, duration } from "./dom.js";
import { t } from "./i18n.js";
import { canRecord, Recorder } from "./recorder.js";

/** A recording this quiet for so long is probably a covered or muted microphone. */
const SILENT_LEVEL = 0.08;
const SILENT_SECONDS = 4;

export class VoiceStrip {
  #heardAt = 0;

  /**
   * @param {{onRecording: (blob: Blob, label: string) => void, onCancel: () => void}} hooks
   */
  constructor({ onRecording, onCancel }) {
    this.recorder = new Recorder({
      onTick: (seconds, level) => this.#tick(seconds, level),
      onDone: (blob, seconds) => {
        this.#show(false);
        onRecording(blob, t("record.label", { time: duration(seconds) }));
      },
    });
    byId("record-done").addEventListener("click", () => this.recorder.finish());
    byId("record-cancel").addEventListener("click", () => {
      this.recorder.cancel();
      this.#show(false);
      onCancel();
    });
  }

  /**
   * Offer recordings only to a server that understands them.
   * @param {boolean} recognised
   */
  offer(recognised) {
    byId("record").hidden = !recognised || !canRecord();
    byId("audio-tool").hidden = !recognised;
  }

  /**
   * Begin to record.
   * @throws {import("./recorder.js").RecordingError}
   */
  async start() {
    await this.recorder.start();
    this.#heardAt = 0;
    this.#show(true);
    byId("record-done").focus();
  }

  #tick(seconds, level) {
    byId("elapsed").textContent = duration(seconds);
    byId("level").style.transform = `scaleX(${level.toFixed(3)})`;
    byId("level").dataset.level = level.toFixed(3);
    if (level > SILENT_LEVEL) this.#heardAt = seconds;
    const silent = seconds - this.#heardAt > SILENT_SECONDS;
    const words = t(silent ? "record.silent" : "record.going");
    const line = byId("record-state");
    if (line.textContent !== words) line.textContent = words; // a reader speaks each change once
  }

  #show(recording) {
    byId("recording").hidden = !recording;
    byId("entry").hidden = recording;
    byId("tools").hidden = recording;
  }
}
