/**
 * Sends messages one after the other. While the network is away the line waits and goes on by
 * itself; a message the server refused is kept until the citizen decides.
 */
import { ApiError } from "./api.js";
import { encodeAttachment } from "./attachments.js";

/**
 * @typedef {import("./attachments.js").Pending} Pending
 * @typedef {{text: string, attachments: Pending[]}} Outgoing
 */

const PAUSE_FIRST_MS = 3_000;
const PAUSE_MAX_MS = 60_000;

export class SendQueue {
  /** @type {string[]} */
  #line = [];
  /** @type {Map<string, Outgoing>} */
  #messages = new Map();
  #working = false;
  /** @type {AbortController|null} */
  #current = null;
  #pause = PAUSE_FIRST_MS;
  /** @type {() => void} */
  #wake = () => {};

  /**
   * @param {{outbox: import("./outbox.js").Outbox,
   *   send: (message: object, signal: AbortSignal) => Promise<any>,
   *   onAnswer: (id: string, answer: any) => void, onFailure: (id: string, error: Error) => void,
   *   onWaiting: (id: string) => void, onBusy: (busy: boolean) => void}} hooks
   *   `send` gets the same `client_id` each time a message is sent
   */
  constructor({ outbox, send, onAnswer, onFailure, onWaiting, onBusy }) {
    this.outbox = outbox;
    this.send = send;
    this.onAnswer = onAnswer;
    this.onFailure = onFailure;
    this.onWaiting = onWaiting;
    this.onBusy = onBusy;
  }

  /**
   * Put a message in the line; a failed one may be put in again.
   * @param {string} id
   * @param {Outgoing} message
   */
  push(id, message) {
    this.remember(id, message);
    this.outbox.keep(id, message);
    this.#line.push(id);
    if (!this.#working) this.#work();
  }

  /**
   * Know a message without sending it: it failed, and may be tried again.
   * @param {string} id
   * @param {Outgoing} message
   */
  remember(id, message) {
    this.#messages.set(id, message);
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
   * Give up one message.
   * @param {string} id
   */
  forget(id) {
    this.#messages.delete(id);
    this.outbox.drop(id);
  }

  /** Give up everything, also the message on its way. */
  clear() {
    this.#line = [];
    for (const id of this.#messages.keys()) this.forget(id);
    this.#current?.abort();
    this.wake();
  }

  /** The network is back: go on at once. */
  wake() {
    this.#pause = PAUSE_FIRST_MS;
    this.#wake();
  }

  async #work() {
    this.#working = true;
    while (this.#line.length > 0) {
      const [id] = this.#line;
      const message = this.#messages.get(id);
      const lost = message !== undefined && (await this.#deliver(id, message));
      if (lost) await this.#rest();
      else this.#line = this.#line.filter((other) => other !== id);
    }
    this.#working = false;
    this.onBusy(false);
  }

  /**
   * @param {string} id
   * @param {Outgoing} message
   * @returns {Promise<boolean>} whether the connection was lost: the same message goes again
   */
  async #deliver(id, message) {
    this.onBusy(true);
    this.#current = new AbortController();
    const { signal } = this.#current;
    try {
      const attachments = await Promise.all(message.attachments.map(encodeAttachment));
      const answer = await this.send({ text: message.text, attachments, client_id: id }, signal);
      if (signal.aborted) return false;
      this.#pause = PAUSE_FIRST_MS;
      this.forget(id);
      this.onAnswer(id, answer);
    } catch (error) {
      if (signal.aborted || !this.#messages.has(id)) return false;
      if (error instanceof ApiError && error.lost) {
        this.onBusy(false);
        this.onWaiting(id);
        return true;
      }
      this.onFailure(id, /** @type {Error} */ (error));
    }
    return false;
  }

  /** Wait for the network, or for a while that grows. */
  async #rest() {
    const pause = this.#pause;
    this.#pause = Math.min(PAUSE_MAX_MS, 2 * pause);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    this.#wake = () => {};
  }
}
