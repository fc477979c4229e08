/** The settings sheet: language, type size, contrast, reading aloud, what is kept. */
import { byId, h } from "./dom.js";
import { LANGUAGES, language, speak } from "./i18n.js";
import {
  highContrast, keepsHistory, readsAnswers, remember, setHighContrast, setSize, size,
} from "./preferences.js";
import { keepHistory } from "./store.js";

/**
 * Connect the sheet and the large-type button.
 * @param {() => void} onLanguage called when the page speaks another language
 */
export function bindSettings(onLanguage) {
  byId("open-settings").addEventListener("click", () => byId("settings").showModal());
  bindSize();
  bindSwitch("contrast", highContrast, setHighContrast);
  bindSwitch("read-answers", readsAnswers, (on) => remember("read", on ? "yes" : "no"));
  bindSwitch("keep-history", keepsHistory, keepHistory);
  for (const place of ["settings-languages", "welcome-languages"]) {
    byId(place).replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) =>
      h("button", {
        type: "button", class: "choice", lang: code, text: name, "data-language": code,
        on: { click: () => change(/** @type {any} */ (code), onLanguage) },
      })));
  }
  markLanguage();
}

/** The large-type button and the three sizes of the sheet tell the same. */
function bindSize() {
  const button = byId("large-type");
  const radios = [...document.querySelectorAll('input[name="size"]')];
  const show = () => {
    button.setAttribute("aria-pressed", String(size() !== "normal"));
    for (const radio of radios) radio.checked = radio.value === size();
  };
  button.addEventListener("click", () => {
    setSize(size() === "normal" ? "large" : "normal");
    show();
  });
  for (const radio of radios) {
    radio.addEventListener("change", () => {
      setSize(radio.value);
      show();
    });
  }
  show();
}

/**
 * @param {string} id a checkbox
 * @param {() => boolean} now
 * @param {(wanted: boolean) => void} set
 */
function bindSwitch(id, now, set) {
  const box = byId(id);
  box.checked = now();
  box.addEventListener("change", () => set(box.checked));
}

/**
 * @param {import("./i18n.js").Language} code
 * @param {() => void} onLanguage
 */
async function change(code, onLanguage) {
  try {
    await speak(code);
  } catch {
    return; // no network and not kept: the page stays as it is
  }
  remember("language", code);
  markLanguage();
  onLanguage();
}

function markLanguage() {
  for (const button of document.querySelectorAll("[data-language]")) {
    const chosen = /** @type {HTMLElement} */ (button).dataset.language === language();
    button.setAttribute("aria-pressed", String(chosen));
  }
}
