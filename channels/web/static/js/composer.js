/** The text field: growing, counting, drafts, Enter to send, input methods left in peace. */
import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { loadDraft, saveDraft } from "./store.js";

export const MAX_CHARS = 2000;
const COUNT_FROM = 1800;
/** keyCode of a key the input method has taken (Safari sends it after composition has ended). */
const IME_KEY = 229;

export class Composer {
  /**
   * @param {() => void} onSubmit
   */
  constructor(onSubmit) {
    this.field = byId("text");
    this.counter = byId("counter");
    this.field.value = loadDraft();
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey) return;
      if (event.isComposing || event.keyCode === IME_KEY) return;
      event.preventDefault();
      onSubmit();
    });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      onSubmit();
    });
    this.#changed();
  }

  /** @returns {string} */
  get text() {
    return this.field.value.trim();
  }

  /** @returns {boolean} */
  get tooLong() {
    return this.text.length > MAX_CHARS;
  }

  /**
   * Replace the text.
   * @param {string} text
   */
  set(text) {
    this.field.value = text;
    this.#changed();
  }

  /** Put the cursor in the field. */
  focus() {
    this.field.focus();
  }

  #changed() {
    saveDraft(this.field.value);
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
    const length = this.text.length;
    this.counter.hidden = length < COUNT_FROM;
    this.counter.dataset.over = String(length > MAX_CHARS);
    this.counter.textContent = length > MAX_CHARS
      ? t("composer.over", { count: length - MAX_CHARS })
      : t("composer.left", { count: MAX_CHARS - length });
    this.field.setAttribute("aria-invalid", String(length > MAX_CHARS));
  }
}
