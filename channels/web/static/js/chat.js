/** The conversation itself: what the citizen sends, what comes back, what was pushed. */
import { ApiError } from "./api.js";
import { AttachmentError, placeAttachment } from "./attachments.js";
import { freshId } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @typedef {import("./attachments.js").Pending} Pending
 * @typedef {import("./store.js").BotEntry} BotEntry
 * @typedef {import("./store.js").UserEntry} UserEntry
 */


export class Chat {
  /**
   * @param {{conversation: import("./store.js").Conversation,
   *   list: import("./messages.js").MessageList, queue: import("./queue.js").SendQueue,
   *   scroller: import("./scroller.js").Scroller}} parts
   */
  constructor({ conversation, list, queue, scroller }) {
    this.conversation = conversation;
    this.list = list;
    this.queue = queue;
    this.scroller = scroller;
  }

  /**
   * Show what is remembered, and go on sending what was on its way.
   * @param {Map<string, import("./queue.js").Outgoing>} unsent messages not delivered, by id
   */
  restore(unsent) {
    for (const entry of this.conversation.entries) {
      if (entry.role === "user" && entry.status !== "sent") this.#resume(entry, unsent);
      this.list.append(entry, unsent.get(entry.id)?.attachments);
    }
    for (const id of unsent.keys()) if (!this.conversation.find(id)) this.queue.forget(id);
    this.conversation.save();
    if (this.conversation.entries.length > 0) this.scroller.toEnd({ smooth: false });
  }

  /**
   * @param {UserEntry} entry
   * @param {Map<string, import("./queue.js").Outgoing>} unsent
   */
  #resume(entry, unsent) {
    const message = unsent.get(entry.id) ?? rebuild(entry);
    if (entry.status === "failed") {
      if (message) this.queue.remember(entry.id, message);
    } else if (message) {
      entry.status = "sending";
      this.queue.push(entry.id, message);
    } else {
      entry.status = "failed";
      entry.error = t("error.interrupted");
    }
  }

  /** Show everything anew, in the language of the page. */
  redraw() {
    this.list.redraw(this.conversation.entries);
  }

  /**
   * Send a message of the citizen.
   * @param {string} text what is sent
   * @param {{shown?: string, attachments?: Pending[]}} [options] `shown` is the bubble's text when
   *   it differs, as for a button
   */
  say(text, { shown = text, attachments = [] } = {}) {
    /** @type {UserEntry} */
    const entry = {
      id: freshId(), role: "user", time: Date.now(), text: shown, send: text, status: "sending",
      attachments: attachments.map(note),
    };
    this.#spendButtons();
    this.conversation.add(entry);
    this.list.append(entry, attachments);
    this.scroller.toEnd();
    this.queue.push(entry.id, { text, attachments });
  }

  /**
   * A tap on a button under a reply.
   * @param {BotEntry} entry
   * @param {number} index
   */
  choose(entry, index) {
    const button = entry.reply.buttons?.[index];
    if (!button || entry.spent) return;
    entry.used = index;
    entry.spent = true;
    this.list.refresh(entry);
    const title = String(button.title);
    this.say(String(button.payload ?? title), { shown: title });
  }

  /**
   * Send a failed message again.
   * @param {string} id
   * @returns {boolean} false when its files are gone with a reload and must be chosen again
   */
  retry(id) {
    const entry = this.conversation.find(id);
    if (entry?.role !== "user" || entry.status !== "failed") return true;
    const message = this.queue.undelivered(id) ?? rebuild(entry);
    if (!message) return false;
    this.#mark(entry, { status: "sending", error: undefined });
    this.queue.push(id, message);
    return true;
  }

  /**
   * Take a failed message back for editing.
   * @param {string} id
   * @returns {{text: string, attachments: Pending[]}}
   */
  takeBack(id) {
    const entry = /** @type {UserEntry} */ (this.conversation.find(id));
    const kept = this.queue.undelivered(id) ?? rebuild(entry);
    this.queue.forget(id);
    this.conversation.remove(id);
    this.list.remove(id);
    return kept ?? { text: entry.send, attachments: [] };
  }

  /**
   * A message waits for the network.
   * @param {string} id
   */
  waiting(id) {
    const entry = this.conversation.find(id);
    if (entry?.role === "user") this.#mark(entry, { status: "waiting", error: undefined });
  }

  /**
   * The server answered a message.
   * @param {string} id
   * @param {{transcript?: string|null, replies?: object[]}} answer
   */
  answered(id, answer) {
    const entry = this.conversation.find(id);
    if (entry?.role === "user") {
      this.#mark(entry, { status: "sent", transcript: answer.transcript ?? undefined });
    }
    const first = this.#showReplies(answer.replies ?? [], false);
    if (first) this.scroller.reveal(first);
  }

  /**
   * A message could not be delivered.
   * @param {string} id
   * @param {Error} error
   */
  failed(id, error) {
    const entry = this.conversation.find(id);
    if (entry?.role !== "user") return;
    const known = error instanceof ApiError || error instanceof AttachmentError;
    const following = this.scroller.atEnd;
    this.#mark(entry, { status: "failed", error: known ? error.message : t("error.unexpected") });
    if (following) this.scroller.toEnd();
  }

  /**
   * News the city sent by itself. The same event is shown once, however often it arrives.
   * @param {{id: number, replies: object[]}} push
   * @returns {boolean} whether it was new
   */
  pushed(push) {
    if (!this.conversation.firstSight(push.id)) return false;
    const following = this.scroller.atEnd;
    const first = this.#showReplies(push.replies, true);
    if (first && following) this.scroller.reveal(first);
    else if (first) this.scroller.offer();
    return true;
  }

  /** Forget the conversation on this device. */
  clear() {
    this.queue.clear();
    this.conversation.clear();
    this.list.clear();
  }

  #showReplies(replies, pushed) {
    const time = Date.now();
    const nodes = replies.map((reply, index) => {
      /** @type {BotEntry} */
      const entry = {
        id: freshId(), role: "bot", time, reply, opens: index === 0, pushed,
        used: null, spent: false,
      };
      this.conversation.add(entry);
      return this.list.append(entry);
    });
    return nodes[0] ?? null;
  }

  /** Buttons of earlier answers no longer fit once the citizen goes on; those of news still do. */
  #spendButtons() {
    for (const entry of this.conversation.entries) {
      if (entry.role !== "bot" || entry.spent || entry.pushed) continue;
      entry.spent = true;
      this.list.refresh(entry);
    }
  }

  #mark(entry, changes) {
    Object.assign(entry, changes);
    this.conversation.save();
    this.list.refresh(entry);
  }
}

/**
 * What is remembered of an attachment: its name, and for a place where it is.
 * @param {Pending} item
 * @returns {import("./store.js").AttachmentNote}
 */
function note(item) {
  const { kind, label } = item;
  if (item.kind !== "location") return { kind, label };
  return { kind, label, latitude: item.latitude, longitude: item.longitude };
}

/**
 * A message from what was remembered of it.
 * @param {UserEntry} entry
 * @returns {{text: string, attachments: Pending[]}|null} null when photos or sound are gone
 */
function rebuild(entry) {
  if (entry.attachments.some(({ kind }) => kind !== "location")) return null;
  const attachments = entry.attachments.map(({ label, latitude, longitude }) =>
    placeAttachment({ label, latitude: Number(latitude), longitude: Number(longitude) }));
  return { text: entry.send, attachments };
}
