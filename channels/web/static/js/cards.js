/** Result cards: service guides, tickets and policies. */
import { h, icon, copyText } from "./dom.js";
import { language, t } from "./i18n.js";
import { linkify } from "./linkify.js";

/** A service guide longer than this starts folded. */
const FOLD_ROWS = 5;
const FOLD_CHARS = 260;
const SHOWN_WHEN_FOLDED = 4;

const STEPS = ["submitted", "forwarded", "handling", "resolved", "rated"];
/** Words of a status and the step they stand for, the furthest step first. */
const STEP_WORDS = [
  [4, /评价/], [3, /办结|解决|完成|结案|核实|办毕/], [2, /处置|处理|整改|办理|重新|重办/],
  [1, /派单|派发|受理|转办|转派|接单|分派/], [0, /提交|登记|收到/],
];
/** The one step that goes on; the others are facts once reached. */
const ONGOING = 2;
const STOPPED = /不予|退回|撤回|撤销|取消|合并|驳回/;
const NOT_YET = /(?:待|未|等待|尚未)$/;

const MARKS = {
  "✓": "yes", "✔": "yes", "√": "yes",
  "✗": "no", "✘": "no", "×": "no",
  "?": "unknown", "？": "unknown",
};
const MARK_ICONS = { yes: "check", no: "close", unknown: "question" };
const VERDICTS = [[/^不符合|^暂不符合/, "no"], [/^可能符合|^待确认|^需确认/, "unknown"], [/^符合/, "yes"]];
/** Addresses of this site that a card shows as more than text, by their path. */
const PHOTO_PATH = /^\/media\/[0-9a-f]{32}(?:\/public)?$/;
const PROGRESS_PATH = /^\/progress\/[\w-]{20,64}$/;
const CHECKLIST_PATH = /^\/checklist\/[\w-]{20,64}$/;
const CALENDAR_PATH = /^\/appointments\/[\w-]{20,64}\.ics$/;
const AMOUNT = /金额|补贴|支持|标准|优惠|待遇|额度|奖励|好处/;

/**
 * One card.
 * @param {import("./store.js").Card} card
 * @returns {HTMLElement}
 */
export function renderCard(card) {
  const fields = fieldList(card.fields);
  if (card.kind === "ticket") return ticketCard(card, fields);
  if (card.kind === "policy") return policyCard(card, fields);
  return serviceCard(card, fields);
}

/**
 * Field names with their non-empty lines.
 * @param {Record<string, unknown>|undefined} fields
 * @returns {{name: string, lines: string[]}[]}
 */
function fieldList(fields) {
  return Object.entries(fields ?? {})
    .map(([name, value]) => ({ name, lines: textLines(value) }))
    .filter(({ lines }) => lines.length > 0);
}

/**
 * @param {unknown} value
 * @returns {string[]}
 */
function textLines(value) {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(textLines);
  return String(value).split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
}

/**
 * @param {import("./store.js").Card} card
 * @param {"service"|"ticket"|"policy"} look
 * @param {...(Node|null|undefined)} parts
 * @returns {HTMLElement}
 */
function frame(card, look, ...parts) {
  return h("section", {
    class: `card card-${look}`, "data-testid": `card-${look}`, "data-id": card.id,
  }, ...parts);
}

/**
 * @param {import("./store.js").Card} card
 * @param {string} symbol icon name
 * @param {HTMLElement|null} badge
 * @returns {HTMLElement}
 */
function head(card, symbol, badge = null) {
  return h("header", { class: "card-head" },
    h("span", { class: "card-icon" }, icon(symbol)),
    h("h3", { text: String(card.title ?? "") }), badge);
}

/**
 * A photo or a page of this site, or null for any other text. Only the path counts: the page may
 * have been opened under another name of the same server.
 * @param {string} line
 * @returns {HTMLElement|null}
 */
function ownAddress(line) {
  const [, pathname = "", search = ""] = /^https?:\/\/[^/?#\s]+(\/[^?#\s]*)(\?[^#\s]*)?$/.exec(line) ?? [];
  const link = { href: pathname + search, target: "_blank", rel: "noopener", lang: language() };
  if (PROGRESS_PATH.test(pathname)) return h("a", { ...link, text: t("card.progress") });
  if (CHECKLIST_PATH.test(pathname)) return h("a", { ...link, text: t("card.checklist") });
  if (CALENDAR_PATH.test(pathname)) return h("a", { ...link, text: t("card.calendar") });
  if (!PHOTO_PATH.test(pathname)) return null;
  const image = h("img", { src: link.href, alt: t("card.after_photo"), loading: "lazy" });
  const shown = h("a", { ...link, class: "photo" }, image);
  image.addEventListener("error", () => image.replaceWith(t("card.photo_later")));
  return shown;
}

/**
 * @param {string[]} lines
 * @returns {HTMLElement}
 */
function fieldValue(lines) {
  const own = lines.map(ownAddress);
  if (own.every(Boolean)) return h("dd", { class: "own" }, ...own);
  if (lines.length === 1) return h("dd", {}, linkify(lines[0]));
  return h("dd", {}, h("ul", { class: "lines" }, ...lines.map((line) => {
    const marked = /^(?:\d+[.、．)）]|[（(]\d+[)）]|[①-⑳·•\-—])/.test(line);
    return h("li", { class: marked ? "marked" : null }, linkify(line));
  })));
}

/**
 * @param {{name: string, lines: string[]}[]} fields
 * @returns {HTMLElement}
 */
function definitions(fields) {
  return h("dl", { class: "fields" }, ...fields.map(({ name, lines }) =>
    h("div", { class: "field" }, h("dt", { text: name }), fieldValue(lines))));
}

/**
 * Fold the rows of a long list behind a button.
 * @param {HTMLElement} list a definition list
 * @param {{name: string, lines: string[]}[]} fields
 * @returns {HTMLElement|null} the button; null when the list is short
 */
function folding(list, fields) {
  const chars = fields.reduce((sum, { lines }) => sum + lines.join("").length, 0);
  const long = fields.length > FOLD_ROWS || chars > FOLD_CHARS;
  if (!long || fields.length <= SHOWN_WHEN_FOLDED) return null;
  const hidden = [...list.children].slice(SHOWN_WHEN_FOLDED);
  const label = h("span");
  const button = h("button", { type: "button", class: "fold", lang: language(), "data-testid": "card-fold" },
    label, icon("chevron"));
  const show = (open) => {
    hidden.forEach((row) => row.toggleAttribute("hidden", !open));
    button.setAttribute("aria-expanded", String(open));
    label.textContent = open ? t("card.fold") : t("card.unfold", { count: hidden.length });
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  show(false);
  return button;
}

function serviceCard(card, fields) {
  const list = definitions(fields);
  return frame(card, "service",
    head(card, "service"), list, folding(list, fields));
}

/**
 * The step a status text stands for.
 * @param {string} status
 * @returns {number|null} index into STEPS; null for an ended ticket or an unknown word
 */
export function ticketStep(status) {
  if (STOPPED.test(status)) return null;
  for (const [step, words] of STEP_WORDS) {
    const match = words.exec(status);
    if (match) return Math.max(0, NOT_YET.test(status.slice(0, match.index)) ? step - 1 : step);
  }
  return null;
}

/**
 * @param {number} current
 * @returns {HTMLElement}
 */
function stepper(current) {
  return h("ol", { class: "steps", lang: language(), "aria-label": t("card.steps") }, ...STEPS.map((name, index) => {
    const state = index < current ? "done" : index === current ? "current" : "todo";
    const dot = h("span", { class: "dot" });
    if (state === "done" || (state === "current" && index !== ONGOING)) dot.append(icon("check"));
    return h("li", { class: state, "aria-current": state === "current" ? "step" : null },
      dot, h("span", { class: "step-name", text: t(`card.${name}`) }));
  }));
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function ticketNumber(id) {
  const label = h("span", { text: t("card.copy"), role: "status" });
  const button = h("button", {
    type: "button", class: "copy", "data-testid": "copy-ticket", "aria-label": t("card.copy_number", { id }),
  }, icon("copy"), label);
  button.addEventListener("click", async () => {
    label.textContent = t((await copyText(id)) ? "card.copied" : "card.copy_by_hand");
    setTimeout(() => (label.textContent = t("card.copy")), 3000);
  });
  return h("p", { class: "ticket-number", lang: language() },
    h("span", { class: "ticket-label", text: t("card.number") }), h("code", { text: id }), button);
}

function ticketCard(card, fields) {
  const status = fields.find(({ name }) => name.includes("状态"));
  const words = status?.lines.join(" ") ?? "";
  const step = status ? ticketStep(words) : null;
  const tone = STOPPED.test(words) ? "stopped" : step !== null && step >= 3 ? "yes" : "active";
  const badge = words ? h("span", { class: "badge", "data-tone": tone, text: words }) : null;
  const id = String(card.id ?? "");
  const rest = fields.filter((field) => field !== status && field.lines.join("") !== id);
  const title = String(card.title ?? "").replace(id, "").trim() || t("card.ticket"); // the number has its own row
  return frame(card, "ticket",
    head({ ...card, title }, "ticket", badge), ticketNumber(id), step === null ? null : stepper(step),
    rest.length > 0 ? definitions(rest) : null);
}

/**
 * @param {string} text
 * @returns {string|null} yes, unknown or no
 */
function verdictTone(text) {
  return VERDICTS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/**
 * @param {string} line a reason, with or without its mark
 * @returns {HTMLElement}
 */
function reason(line) {
  const kind = MARKS[line[0]];
  if (!kind) return h("li", { class: "reason" }, linkify(line));
  return h("li", { class: "reason", "data-tone": kind },
    h("span", { class: "mark" }, icon(MARK_ICONS[kind]),
      h("span", { class: "sr", lang: language(), text: t(`card.${kind}`) })),
    h("span", {}, linkify(line.slice(1).replace(/^\uFE0F?\s*/, ""))));
}

function policyCard(card, fields) {
  const isReasons = ({ lines }) => lines.some((line) => line[0] in MARKS);
  const verdict = fields.find(({ lines }) => lines.length === 1 && verdictTone(lines[0]));
  const tone = verdict ? verdictTone(verdict.lines[0]) : null;
  const reasons = fields.filter(isReasons);
  const plain = fields.filter((field) => field !== verdict && !reasons.includes(field));
  const amount = plain.find(({ name }) => AMOUNT.test(name));
  const rest = plain.filter((field) => field !== amount);
  const badge = verdict && h("span", {
    class: "badge", "data-tone": tone, "data-testid": "verdict", text: verdict.lines[0],
  });
  const list = rest.length > 0 ? definitions(rest) : null;
  return frame(card, "policy",
    head(card, "policy", badge),
    amount && h("p", { class: "amount" },
      h("span", { class: "amount-label", text: amount.name }), linkify(amount.lines.join("\n"))),
    ...reasons.map(({ name, lines }) => h("div", { class: "reasons" },
      h("h4", { text: name }), h("ul", {}, ...lines.map(reason)))),
    list, list && folding(list, rest));
}
