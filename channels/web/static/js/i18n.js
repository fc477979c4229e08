/** The words of the interface in the citizen's language. Answers are never translated here. */

import { recall } from "./preferences.js";

/** @typedef {"zh-Hans"|"zh-Hant"|"en"} Language */

/** The languages of the page, each named in itself. */
export const LANGUAGES = Object.freeze({ "zh-Hans": "简体中文", "zh-Hant": "繁體中文", en: "English" });
/** What the assistant writes in. */
export const ANSWER_LANGUAGE = "zh-CN";

/** @type {Language} */
let current = "zh-Hans";
/** @type {Record<string, string>} */
let words = {};

/**
 * The language of the page now.
 * @returns {Language}
 */
export function language() {
  return current;
}

/**
 * The language to begin with: asked for by the address, chosen before, or the browser's.
 * @returns {Language}
 */
export function preferredLanguage() {
  const asked = new URLSearchParams(location.search).get("lang") ?? recall("language", "");
  if (asked in LANGUAGES) return /** @type {Language} */ (asked);
  const [first = ""] = navigator.languages ?? [];
  if (!/^zh\b/i.test(first)) return first ? "en" : "zh-Hans";
  return /hant|-(tw|hk|mo)\b/i.test(first) ? "zh-Hant" : "zh-Hans";
}

/**
 * Fetch the words of a language and put them on the page.
 * @param {Language} wanted
 * @throws {Error} when they cannot be fetched; the former language stays
 */
export async function speak(wanted) {
  const response = await fetch(`/static/i18n/${wanted}.json`);
  if (!response.ok) throw new Error(`no words for ${wanted}: ${response.status}`);
  words = await response.json();
  current = wanted;
  document.documentElement.lang = wanted;
  translate(document);
}

/**
 * A sentence of the interface.
 * @param {string} key
 * @param {Record<string, string|number>} [values] what stands for `{name}` in it
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * One of several wordings, as in city.js.
 * @param {Record<Language, string>} wordings
 * @returns {string}
 */
export function pick(wordings) {
  return wordings[current];
}

/**
 * Fill every marked element: `data-t` is its text, `data-t-label` and the like an attribute.
 * @param {ParentNode} part
 */
function translate(part) {
  for (const node of part.querySelectorAll("[data-t]")) {
    node.textContent = t(/** @type {HTMLElement} */ (node).dataset.t ?? "");
  }
  for (const [mark, attribute] of [["tLabel", "aria-label"], ["tPlaceholder", "placeholder"]]) {
    const selector = `[data-${mark.replace("tL", "t-l").replace("tP", "t-p")}]`;
    for (const node of part.querySelectorAll(selector)) {
      node.setAttribute(attribute, t(/** @type {HTMLElement} */ (node).dataset[mark] ?? ""));
    }
  }
}
