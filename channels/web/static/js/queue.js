/** Sends messages one after the other and keeps what failed until the citizen decides. */
import { encodeAttachment } from "./attachments.js";

/**
 * @typedef {import("./attachments.js").Pending} Pending
 * @typedef {{text: string, attachments: Pending[]}} Outgoing
 */

export class SendQueue {
  /** @type {string[]} */
  #line = [];
  /** @type {Map<string, Outgoing>} */
  #messages = new Map();
  /** @type {AbortController|null} */
  #current = null;

  /**
   * @param {{send: (message: object, signal: AbortSignal) => Promise<any>,
   *   onAnswer: (id: string, answer: any) => void, onFailure: (id: string, error: Error) => void,
   *   onBusy: (busy: boolean) => void}} hooks
   */
  constructor({ send, onAnswer, onFailure, onBusy }) {
    this.send = send;
    this.onAnswer = onAnswer;
    this.onFailure = onFailure;
    this.onBusy = onBusy;
  }

  /**
   * Put a message in the line; a failed one may be put in again.
   * @param {string} id
   * @param {Outgoing} message
   */
  push(id, message) {
    this.#messages.set(id, message);
    this.#line.push(id);
    if (!this.#current) this.#work();
  }

  /**
   * The content of a message that is not delivered yet.
   * @param {string} id
   * @returns {Outgoing|undefined}
   */
  undelivered(id) {
    return this.#messages.get(id);
  }

  /**
   * Give up one failed message.
   * @param {string} id
   */
  forget(id) {
    this.#messages.delete(id);
  }

  /** Give up everything, also the message on its way. */
  clear() {
    this.#line = [];
    this.#messages.clear();
    this.#current?.abort();
  }

  async #work() {
    this.onBusy(true);
    while (this.#line.length > 0) {
      const id = /** @type {string} */ (this.#line.shift());
      const message = this.#messages.get(id);
      if (message) await this.#deliver(id, message);
    }
    this.#current = null;
    this.onBusy(false);
  }

  async #deliver(id, message) {
    this.#current = new AbortController();
    const { signal } = this.#current;
    try {
      const attachments = await Promise.all(message.attachments.map(encodeAttachment));
      const answer = await this.send({ text: message.text, attachments }, signal);
      if (signal.aborted) return;
      this.onAnswer(id, answer);
      this.#messages.delete(id);
    } catch (error) {
      if (!signal.aborted) this.onFailure(id, /** @type {Error} */ (error));
    }
  }
}
