/** Choices about the page itself, remembered on this device. early.js applies them at the start. */

/**
 * A remembered choice.
 * @param {string} name
 * @param {string} fallback
 * @returns {string}
 */
export function recall(name, fallback) {
  try {
    return localStorage.getItem(`shimin.${name}`) ?? fallback;
  } catch {
    return fallback; // storage forbidden
  }
}

/**
 * Remember a choice; where storage is forbidden it lasts until the page is closed.
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(`shimin.${name}`, value);
  } catch {
    // storage forbidden
  }
}

/** @typedef {"normal"|"large"|"huge"} Size */

/** @returns {Size} */
export function size() {
  return /** @type {Size} */ (document.documentElement.dataset.size ?? "normal");
}

/**
 * Set the type size: normal, large (1.3 ×) or huge (2 ×).
 * @param {Size} wanted
 */
export function setSize(wanted) {
  const { dataset } = document.documentElement;
  if (wanted === "normal") delete dataset.size;
  else dataset.size = wanted;
  remember("size", wanted);
}

/** @returns {boolean} */
export function highContrast() {
  return document.documentElement.dataset.contrast === "high";
}

/** @param {boolean} wanted */
export function setHighContrast(wanted) {
  const { dataset } = document.documentElement;
  if (wanted) dataset.contrast = "high";
  else delete dataset.contrast;
  remember("contrast", wanted ? "high" : "normal");
}

/** @returns {boolean} whether every answer is read aloud */
export function readsAnswers() {
  return recall("read", "no") === "yes";
}

/** @returns {boolean} whether the conversation outlives its window */
export function keepsHistory() {
  return recall("keep", "no") === "yes";
}
