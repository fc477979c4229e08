/** Small helpers for building the page without ever parsing HTML from text. */
import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Build an element. `class`, `text` and `on` are special; every other property is an attribute
 * (true = empty attribute; false, null and undefined = left out).
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "on") {
      for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    } else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

/**
 * A decorative icon from the sprite in index.html.
 * @param {string} name the symbol's id without its `i-` prefix
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * The element with this id; a missing one is a mistake in index.html.
 * @param {string} id
 * @returns {any}
 * @throws {Error} when index.html has no such element
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no element #${id}`);
  return node;
}

/**
 * Clock time of a moment, such as 09:05.
 * @param {number} time milliseconds since the epoch
 * @returns {string}
 */
export function clock(time) {
  const date = new Date(time);
  const two = (number) => String(number).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * Day of a moment as a citizen says it, in Chinese: 今天, 昨天, 3月8日, 2025年3月8日.
 * @param {number} time milliseconds since the epoch
 * @param {Date} [now]
 * @returns {string}
 */
export function dayLabel(time, now = new Date()) {
  const date = new Date(time);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return t("today");
  if (date.toDateString() === yesterday.toDateString()) return t("yesterday");
  const parts = { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() };
  return t(parts.year === now.getFullYear() ? "day" : "day.year", parts);
}

/**
 * Seconds as m:ss.
 * @param {number} seconds
 * @returns {string}
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * An id no other message of any page has: 24 hexadecimal digits by chance.
 * @returns {string}
 */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Put text on the clipboard, also on plain-HTTP pages where the clipboard API is absent.
 * @param {string} text
 * @returns {Promise<boolean>} whether it worked
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "offscreen", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
