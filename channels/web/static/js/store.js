/**
 * What survives a reload: the conversation, the draft, the pushed events seen.
 *
 * It stays in this window (sessionStorage) and ends with it, because computers are shared. On a
 * device of his own the citizen may have it kept (localStorage) for a week.
 */
import { freshId } from "./dom.js";
import { keepsHistory, remember } from "./preferences.js";

/**
 * @typedef {{kind: "photo"|"video"|"audio"|"location", label: string,
 *   latitude?: number, longitude?: number}} AttachmentNote
 * @typedef {{title: string, payload?: string, url?: string}} Button
 * @typedef {{kind: string, id: string, title: string, fields: Record<string, unknown>}} Card
 * @typedef {{text?: string, speech?: string, buttons?: Button[], cards?: Card[]}} Reply
 * @typedef {{id: string, role: "user", time: number, text: string, send: string,
 *   status: "sending"|"waiting"|"sent"|"failed", error?: string, transcript?: string,
 *   attachments: AttachmentNote[]}} UserEntry
 * @typedef {{id: string, role: "bot", time: number, reply: Reply, opens: boolean,
 *   pushed: boolean, used: number|null, spent: boolean}} BotEntry
 *   `opens`: the first reply of one answer; `spent`: its buttons no longer act
 * @typedef {UserEntry|BotEntry} Entry
 */

const ENTRIES = "shimin.entries";
const DRAFT = "shimin.draft";
const SEEN = "shimin.seen";
const OWNER = "shimin.owner";
const ALL = [ENTRIES, DRAFT, SEEN, OWNER];
const KEEP_MS = 7 * 24 * 3600 * 1000;
const MAX_ENTRIES = 200;
const MAX_SEEN = 500;

/**
 * Where the conversation is kept now.
 * @returns {Storage}
 */
const area = () => (keepsHistory() ? localStorage : sessionStorage);

/**
 * Read a JSON value; a missing, damaged or forbidden store gives the default.
 * @template T
 * @param {string} key
 * @param {T} fallback
 * @returns {T}
 */
function read(key, fallback) {
  try {
    return JSON.parse(area().getItem(key) ?? "null") ?? fallback;
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
    area().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** The messages of this window, oldest first. */
export class Conversation {
  constructor() {
    /** @type {Entry[]} */
    this.entries = recent(read(ENTRIES, []));
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
   * The newest pushed event this window has shown.
   * @returns {number} 0 when there is none
   */
  lastSeen() {
    return Math.max(0, ...this.seen.ids.filter(Number.isSafeInteger));
  }
}

/**
 * Entries young enough to be shown.
 * @param {Entry[]} entries
 * @returns {Entry[]}
 */
function recent(entries) {
  return entries.filter(({ time }) => Date.now() - time < KEEP_MS);
}

/**
 * Who this window is among those of the same browser: the owner of messages on their way.
 * @returns {string}
 */
export function windowId() {
  const known = String(read(OWNER, ""));
  if (known) return known;
  const fresh = freshId();
  write(OWNER, fresh);
  return fresh;
}

/**
 * Keep the conversation beyond this window, or no longer.
 * @param {boolean} wanted
 */
export function keepHistory(wanted) {
  const values = ALL.map((key) => [key, read(key, null)]);
  forgetHistory();
  remember("keep", wanted ? "yes" : "no");
  for (const [key, value] of values) if (value !== null) write(String(key), value);
}

/** Forget the conversation in both places. */
export function forgetHistory() {
  try {
    for (const storage of [sessionStorage, localStorage]) {
      ALL.forEach((key) => storage.removeItem(key));
    }
  } catch {
    // storage forbidden: nothing was kept
  }
}

/**
 * The unsent text of this window.
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
