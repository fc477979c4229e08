/** Reading replies aloud: with the device's own Chinese voice, else with the server's. */

/** A little slower than the default, for calm listening. */
const RATE = 0.92;

export class Reader {
  /** @type {SpeechSynthesisVoice|null} */
  #voice = null;
  /** @type {((text: string) => Promise<Blob>)|null} */
  #server = null;
  /** @type {(() => void)|null} ends what is being read */
  #silence = null;

  /**
   * @param {(available: boolean) => void} onAvailable told whenever the voices change
   */
  constructor(onAvailable) {
    this.onAvailable = onAvailable;
    if (!window.speechSynthesis) return;
    const look = () => {
      const voices = speechSynthesis.getVoices().filter((voice) => /^(zh|cmn)/i.test(voice.lang));
      this.#voice = voices.find((voice) => /CN|Hans/i.test(voice.lang)) ?? voices[0] ?? null;
      this.#announce();
    };
    speechSynthesis.addEventListener?.("voiceschanged", look);
    window.addEventListener("pagehide", () => speechSynthesis.cancel());
    look();
  }

  /**
   * Let the server speak where the device has no voice.
   * @param {((text: string) => Promise<Blob>)|null} server returns sound; null: it has no voice
   */
  useServer(server) {
    this.#server = server;
    this.#announce();
  }

  /**
   * Read a text; whatever was being read stops.
   * @param {string} text
   * @param {() => void} onEnd called once, at the end or when stopped
   */
  read(text, onEnd) {
    this.stop();
    if (this.#voice) this.#speak(text, onEnd);
    else if (this.#server) this.#play(this.#server(text), onEnd);
    else onEnd();
  }

  /** Stop reading. */
  stop() {
    this.#silence?.();
  }

  #announce() {
    this.onAvailable(this.#voice !== null || this.#server !== null);
  }

  #speak(text, onEnd) {
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.voice = this.#voice;
    utterance.lang = this.#voice?.lang ?? "zh-CN";
    utterance.rate = RATE;
    const end = this.#ending(onEnd, () => speechSynthesis.cancel());
    utterance.onend = end;
    utterance.onerror = end;
    speechSynthesis.speak(utterance);
  }

  /**
   * @param {Promise<Blob>} sound
   * @param {() => void} onEnd
   */
  async #play(sound, onEnd) {
    const player = new Audio();
    const end = this.#ending(onEnd, () => {
      player.pause();
      URL.revokeObjectURL(player.src);
    });
    player.onended = end;
    player.onerror = end;
    try {
      player.src = URL.createObjectURL(await sound);
      if (this.#silence === end) await player.play();
    } catch {
      end(); // no sound to be had, or the browser forbids it: the words are there to read
    }
  }

  /**
   * What ends the present reading, once.
   * @param {() => void} onEnd
   * @param {() => void} hush
   * @returns {() => void}
   */
  #ending(onEnd, hush) {
    const end = () => {
      if (this.#silence !== end) return;
      this.#silence = null;
      hush();
      onEnd();
    };
    this.#silence = end;
    return end;
  }
}
