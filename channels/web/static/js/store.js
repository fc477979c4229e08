/** What survives a reload of this tab: the conversation, the draft, the pushed events seen. */

/**
 * @typedef {{kind: "photo"|"video"|"audio"|"location", label: string,
 *   latitude?: number, longitude?: number}} AttachmentNote
 * @typedef {{title: string, payload?: string, url?: string}} Button
 * @typedef {{kind: string, id: string, title: string, fields: Record<string, unknown>}} Card
 * @typedef {{text?: string, speech?: string, buttons?: Button[], cards?: Card[]}} Reply
 * @typedef {{id: string, role: "user", time: number, text: string, send: string,
 *   status: "sending"|"sent"|"failed", error?: string, transcript?: string,
 *   attachments: AttachmentNote[]}} UserEntry
 * @typedef {{id: string, role: "bot", time: number, reply: Reply, opens: boolean,
 *   pushed: boolean, used: number|null, spent: boolean}} BotEntry
 *   `opens`: the first reply of one answer; `spent`: its buttons no longer act
 * @typedef {UserEntry|BotEntry} Entry
 */

const ENTRIES = "shimin.entries";
const DRAFT = "shimin.draft";
const SEEN = "shimin.seen";
const MAX_ENTRIES = 200;
const MAX_SEEN = 500;
const INTERRUPTED = "页面刷新时还没有发送完，请点“重试”。";

/**
 * Read a JSON value; a missing, damaged or forbidden store gives the default.
 * @template T
 * @param {string} key
 * @param {T} fallback
 * @returns {T}
 */
function read(key, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") ?? fallback;
  } catch {
    return fallback;
  }
}

/**
 * Write a JSON value.
 * @param {string} key
 * @param {unknown} value
 * @returns {boolean} false when the browser forbids storage or it is full
 */
function write(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** The messages of this tab, oldest first. */
export class Conversation {
  constructor() {
    /** @type {Entry[]} */
    this.entries = read(ENTRIES, []);
    for (const entry of this.entries) {
      if (entry.role === "user" && entry.status === "sending") {
        entry.status = "failed";
        entry.error = INTERRUPTED;
      }
    }
    /** @type {{conversation: string, ids: unknown[]}} */
    this.seen = read(SEEN, { conversation: "", ids: [] });
  }

  /**
   * Append an entry and keep it.
   * @param {Entry} entry
   */
  add(entry) {
    this.entries.push(entry);
    this.entries = this.entries.slice(-MAX_ENTRIES);
    this.save();
  }

  /**
   * The entry with this id.
   * @param {string} id
   * @returns {Entry|undefined}
   */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /**
   * Take one entry out.
   * @param {string} id
   */
  remove(id) {
    this.entries = this.entries.filter((entry) => entry.id !== id);
    this.save();
  }

  /** Forget every message; the events seen stay known, so none comes twice. */
  clear() {
    this.entries = [];
    this.save();
  }

  /** Write the messages out; when the store is full the oldest half is let go. */
  save() {
    if (!write(ENTRIES, this.entries)) write(ENTRIES, this.entries.slice(-MAX_ENTRIES / 2));
  }

  /**
   * Begin to count pushed events of this conversation; another conversation starts afresh.
   * @param {string} conversation
   */
  follow(conversation) {
    if (this.seen.conversation !== conversation) this.seen = { conversation, ids: [] };
  }

  /**
   * Whether a pushed event is new; it is remembered as seen.
   * @param {unknown} id
   * @returns {boolean}
   */
  firstSight(id) {
    if (this.seen.ids.includes(id)) return false;
    this.seen.ids = [...this.seen.ids, id].slice(-MAX_SEEN);
    write(SEEN, this.seen);
    return true;
  }

  /**
   * The newest pushed event this tab has shown.
   * @returns {number} 0 when there is none
   */
  lastSeen() {
    return Math.max(0, ...this.seen.ids.filter(Number.isSafeInteger));
  }
}

/**
 * The unsent text of this tab.
 * @returns {string}
 */
export function loadDraft() {
  return String(read(DRAFT, ""));
}

/**
 * Keep the unsent text.
 * @param {string} text
 */
export function saveDraft(text) {
  write(DRAFT, text);
}
