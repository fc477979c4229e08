/** Reading replies aloud with the device's own Chinese voice. */

/** A little slower than the default, for calm listening. */
const RATE = 0.92;

export class Reader {
  /** @type {SpeechSynthesisVoice|null} */
  #voice = null;
  /** @type {(() => void)|null} */
  #silence = null;

  /**
   * @param {(available: boolean) => void} onAvailable told whenever the list of voices changes
   */
  constructor(onAvailable) {
    if (!window.speechSynthesis) return;
    const look = () => {
      const voices = speechSynthesis.getVoices().filter((voice) => /^(zh|cmn)/i.test(voice.lang));
      this.#voice = voices.find((voice) => /CN|Hans/i.test(voice.lang)) ?? voices[0] ?? null;
      onAvailable(this.#voice !== null);
    };
    speechSynthesis.addEventListener?.("voiceschanged", look);
    window.addEventListener("pagehide", () => speechSynthesis.cancel());
    look();
  }

  /**
   * Read a text; whatever was being read stops.
   * @param {string} text
   * @param {() => void} onEnd called once, at the end or when stopped
   */
  read(text, onEnd) {
    this.stop();
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.voice = this.#voice;
    utterance.lang = this.#voice?.lang ?? "zh-CN";
    utterance.rate = RATE;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      if (this.#silence === end) this.#silence = null;
      onEnd();
    };
    utterance.onend = end;
    utterance.onerror = end;
    this.#silence = end;
    speechSynthesis.speak(utterance);
  }

  /** Stop reading. */
  stop() {
    if (!this.#silence) return;
    const end = this.#silence;
    speechSynthesis.cancel();
    end();
  }
}
