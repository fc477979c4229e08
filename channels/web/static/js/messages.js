/** The list of messages: how each entry of the conversation looks. */
import { CITY } from "./city.js";
import { renderCard } from "./cards.js";
import { clock, dayLabel, h, icon } from "./dom.js";
import { ANSWER_LANGUAGE, pick, t } from "./i18n.js";
import { linkify, safeUrl } from "./linkify.js";
import { photo } from "./tray.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./store.js").UserEntry} UserEntry
 * @typedef {import("./store.js").BotEntry} BotEntry
 * @typedef {import("./attachments.js").Pending} Pending
 */

const KIND_ICONS = { photo: "image", video: "camera", audio: "audio", location: "pin" };

export class MessageList {
  /** @type {Map<string, HTMLElement>} */
  #nodes = new Map();
  /** @type {Map<string, Pending[]>} what the page still has of sent files */
  #previews = new Map();
  /** @type {Entry|null} the newest entry, for the day marks */
  #last = null;

  /**
   * @param {HTMLElement} log
   * @param {{onQuick: (entry: BotEntry, index: number) => void, onRetry: (id: string) => void,
   *   onEdit: (id: string) => void, onRead: (text: string, onEnd: () => void) => void,
   *   onStopReading: () => void}} hooks
   */
  constructor(log, hooks) {
    this.log = log;
    this.hooks = hooks;
  }

  /**
   * Show an entry at the end.
   * @param {Entry} entry
   * @param {Pending[]} [previews] the attachments themselves, while the page still has them
   * @returns {HTMLElement}
   */
  append(entry, previews = []) {
    const last = this.#last;
    if (!last || dayLabel(last.time) !== dayLabel(entry.time)) {
      this.log.append(h("p", { class: "day" }, h("span", { text: dayLabel(entry.time) })));
    }
    if (previews.length > 0) this.#previews.set(entry.id, previews);
    const node = entry.role === "user" ? this.#user(entry, previews) : this.#bot(entry);
    this.#nodes.set(entry.id, node);
    this.#last = entry;
    this.log.append(node);
    return node;
  }

  /**
   * Show the present state of an entry: delivery of the citizen's, used buttons of ours.
   * @param {Entry} entry
   */
  refresh(entry) {
    const node = this.#nodes.get(entry.id);
    if (!node) return;
    if (entry.role === "user") {
      node.dataset.status = entry.status;
      node.querySelector(".foot")?.replaceWith(this.#foot(entry));
      if (entry.transcript) node.querySelector(".heard")?.replaceWith(heard(entry.transcript));
    } else {
      node.querySelectorAll("button.quick").forEach((button) => {
        const chosen = Number(/** @type {HTMLElement} */ (button).dataset.index) === entry.used;
        /** @type {HTMLButtonElement} */ (button).disabled = entry.spent;
        button.classList.toggle("chosen", chosen);
        if (chosen && !button.querySelector("svg")) button.prepend(icon("check"));
      });
    }
  }

  /**
   * Take one entry off the page.
   * @param {string} id
   */
  remove(id) {
    this.#nodes.get(id)?.remove();
    this.#nodes.delete(id);
  }

  /** Take everything off the page. */
  clear() {
    this.#empty();
    this.#previews.clear();
  }

  /**
   * Show entries anew, in the language of the page.
   * @param {Entry[]} entries
   */
  redraw(entries) {
    this.log.setAttribute("aria-live", "off"); // nothing new to be read out
    this.#empty();
    for (const entry of entries) this.append(entry, this.#previews.get(entry.id));
    setTimeout(() => this.log.setAttribute("aria-live", "polite"));
  }

  #empty() {
    this.log.replaceChildren();
    this.#nodes.clear();
    this.#last = null;
  }

  #user(entry, previews) {
    const files = entry.attachments.map((note, i) => sentFile(note, previews[i]));
    return h("article", {
      class: "message user", "data-testid": "message-user",
      "data-id": entry.id, "data-status": entry.status,
    },
      h("span", { class: "sr", text: t("you") }),
      files.length > 0 ? h("ul", { class: "files", "aria-label": t("attachments") }, ...files) : null,
      entry.text ? h("div", { class: "bubble", lang: ANSWER_LANGUAGE, text: entry.text }) : null,
      entry.transcript ? heard(entry.transcript) : h("div", { class: "heard", hidden: true }),
      this.#foot(entry));
  }

  #foot(entry) {
    const time = stamp(entry.time);
    if (entry.status === "sent") return h("div", { class: "foot" }, time);
    if (entry.status === "sending") {
      return h("div", { class: "foot" }, h("span", { class: "sending", text: t("sending") }), time);
    }
    if (entry.status === "waiting") {
      return h("div", { class: "foot waiting", role: "status" },
        icon("offline"), h("span", { text: t("waiting") }), time);
    }
    const action = (testid, symbol, text, handler) =>
      h("button", {
        type: "button", class: "small", "data-testid": testid, on: { click: handler },
      }, icon(symbol), text);
    const editable = entry.send === entry.text;
    return h("div", { class: "foot failed", role: "alert" },
      h("p", {}, h("b", { text: t("failed") }), entry.error ?? ""),
      h("span", { class: "foot-actions" },
        action("retry", "retry", t("retry"), () => this.hooks.onRetry(entry.id)),
        editable ? action("edit", "edit", t("edit"), () => this.hooks.onEdit(entry.id)) : null));
  }

  #bot(entry) {
    const { text = "", speech = "", buttons = [], cards = [] } = entry.reply;
    const node = h("article", {
      class: "message bot", "data-testid": "message-bot",
      "data-id": entry.id, "data-pushed": String(entry.pushed),
    });
    const read = speech || text ? this.#readAloud(speech || text) : null;
    if (entry.opens) node.append(sender(entry, read));
    if (text) node.append(h("div", { class: "bubble", lang: ANSWER_LANGUAGE }, linkify(text)));
    if (!entry.opens && read) node.append(read);
    if (cards?.length) node.append(h("div", { class: "cards", lang: ANSWER_LANGUAGE }, ...cards.map(renderCard)));
    if (buttons?.length) {
      node.append(h("div", { class: "quicks", role: "group", "aria-label": t("choices") },
        ...buttons.map((button, index) => this.#quick(entry, button, index))));
    }
    return node;
  }

  #quick(entry, button, index) {
    const url = safeUrl(button.url);
    if (url) {
      const call = url.startsWith("tel:");
      const outside = call ? {} : { target: "_blank", rel: "noopener noreferrer" };
      return h("a", { class: "quick", lang: ANSWER_LANGUAGE, href: url, ...outside, "data-testid": "quick-button" },
        String(button.title), icon(call ? "phone" : "external"));
    }
    return h("button", {
      type: "button", lang: ANSWER_LANGUAGE, class: `quick${entry.used === index ? " chosen" : ""}`, disabled: entry.spent,
      "data-testid": "quick-button", "data-index": index,
      on: { click: () => this.hooks.onQuick(entry, index) },
    }, entry.used === index ? icon("check") : null, String(button.title));
  }

  #readAloud(text) {
    const label = h("span", { text: t("read") });
    const button = h("button", {
      type: "button", class: "read", "data-testid": "read-aloud", "aria-pressed": "false",
    }, icon("speaker"), label);
    const show = (reading) => {
      button.setAttribute("aria-pressed", String(reading));
      button.replaceChildren(icon(reading ? "stop" : "speaker"), label);
      label.textContent = t(reading ? "read.stop" : "read");
    };
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-pressed") === "true") {
        this.hooks.onStopReading();
        return;
      }
      this.hooks.onRead(text, () => show(false));
      show(true);
    });
    return button;
  }
}

/**
 * Who speaks, when, and whether the city came forward by itself.
 * @param {BotEntry} entry
 * @param {HTMLElement|null} read the read-aloud button
 * @returns {HTMLElement}
 */
function sender(entry, read) {
  const mark = h("span", { class: "notice", "data-testid": "notice" }, icon("bell"), t("notice"));
  return h("header", { class: "from" },
    h("img", { src: "/static/img/mark.svg", alt: "", width: 24, height: 24 }),
    h("span", { text: pick(CITY.product) }),
    entry.pushed ? mark : null,
    stamp(entry.time), read);
}

/**
 * @param {number} time milliseconds since the epoch
 * @returns {HTMLElement}
 */
function stamp(time) {
  return h("time", { datetime: new Date(time).toISOString(), text: clock(time) });
}

/**
 * An attachment inside the citizen's message: the picture itself, or its name after a reload.
 * @param {import("./store.js").AttachmentNote} note
 * @param {Pending|undefined} item
 * @returns {HTMLElement}
 */
function sentFile(note, item) {
  if (item?.kind === "photo") {
    return h("li", { class: "file file-photo" }, photo(item));
  }
  if (item?.kind === "video") {
    return h("li", { class: "file file-photo" },
      h("video", {
        src: item.previewUrl, controls: true, playsinline: true, preload: "metadata",
        "aria-label": note.label,
      }));
  }
  if (item?.kind === "audio") {
    return h("li", { class: "file file-audio" },
      h("audio", {
        src: item.previewUrl, controls: true, preload: "metadata", "aria-label": note.label,
      }));
  }
  return h("li", { class: "file" }, icon(KIND_ICONS[note.kind]), h("span", { text: note.label }));
}

/**
 * What the speech engine understood.
 * @param {string} transcript
 * @returns {HTMLElement}
 */
function heard(transcript) {
  return h("div", { class: "heard", "data-testid": "transcript", text: t("heard", { words: transcript }) });
}
