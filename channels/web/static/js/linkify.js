/**
 * Turn plain text into text nodes and safe links: https addresses, service hotlines, emergency
 * numbers and landlines with an area code. The text itself is never parsed as HTML.
 */
import { h } from "./dom.js";

const LONGEST = 40; // characters; a longer address fills lines nobody reads
const URLS = "https:\\/\\/[\\w\\-.~:/?#[\\]@!$&'()*+,;=%]+";
const PHONES = "(?:12345|12369|110|119|120|0\\d{2,3}-\\d{7,8})(?![\\d.\\-A-Za-z%])";
const PATTERN = new RegExp(`${URLS}|${PHONES}`, "g");
/** What must not stand before a telephone number (tested apart: older phones lack look-behind). */
const INSIDE_WORD = /[\d.\-A-Za-z]$/;
/** Words that make a bare three-digit number a telephone number and not an amount. */
const CALLING = /拨|打|电话|报警|急救|火警|呼叫|求救|求助|热线/;
const UNIT = /^\s*(?:元|万|人|天|日|个|平|米|㎡|分|年|月|岁|号|公里|千|小时|户|家|名|次|亩|吨|件|页|张|块|路)/;

/**
 * Whether the number at this place of the text is one to call.
 * @param {string} text
 * @param {string} number
 * @param {number} start
 * @returns {boolean}
 */
function isPhone(text, number, start) {
  if (INSIDE_WORD.test(text.slice(0, start))) return false;
  if (number.length > 3) return true;
  if (UNIT.test(text.slice(start + number.length))) return false;
  const sentence = text.slice(0, start).split(/[。！？；\n]/).pop() ?? "";
  return CALLING.test(sentence);
}

/**
 * An https address with trailing punctuation removed, or null when it is not a valid one.
 * @param {string} raw
 * @returns {string|null}
 */
function cleanUrl(raw) {
  const trimmed = raw.replace(/[.,;:!?'")\]]+$/, "");
  try {
    return new URL(trimmed).protocol === "https:" ? trimmed : null;
  } catch {
    return null;
  }
}

/** An address as it is read: whole, or its site when it is long. */
function brief(url) {
  return url.length > LONGEST ? `${new URL(url).host}/…` : url;
}

/**
 * The text as a fragment, links included.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function linkify(text) {
  const fragment = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(PATTERN)) {
    let shown = match[0];
    let link = null;
    if (shown.startsWith("https:")) {
      const url = cleanUrl(shown);
      if (!url) continue;
      shown = url;
      link = h("a", { href: url, target: "_blank", rel: "noopener noreferrer", text: brief(url) });
    } else if (isPhone(text, shown, match.index)) {
      link = h("a", { class: "tel", href: `tel:${shown.replace("-", "")}`, text: shown });
    }
    if (!link) continue;
    fragment.append(text.slice(done, match.index), link);
    done = match.index + shown.length;
  }
  fragment.append(text.slice(done));
  return fragment;
}

/**
 * The address a button may open: https, this site, or a telephone number; anything else is null.
 * @param {unknown} url
 * @returns {string|null}
 */
export function safeUrl(url) {
  if (typeof url !== "string" || url === "") return null;
  if (/^tel:\+?[\d-]{3,20}$/.test(url)) return url;
  try {
    const parsed = new URL(url, location.origin);
    const allowed = parsed.protocol === "https:" || parsed.origin === location.origin;
    return allowed ? parsed.href : null;
  } catch {
    return null;
  }
}
