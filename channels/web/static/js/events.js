/** Pushed replies over server-sent events, and whether the connection is up. */

/** A break shorter than this is not worth a word to the citizen. */
const GRACE_MS = 4_000;
const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MAX_MS = 30_000;

/** Keeps one EventSource alive; the browser itself reconnects ordinary breaks. */
export class EventsLink {
  #source = null;
  #backoff = BACKOFF_FIRST_MS;
  #retryTimer = 0;
  #graceTimer = 0;

  /**
   * @param {{renew: () => Promise<unknown>, position: () => number,
   *   onMessage: (push: {id: number, replies: object[]}) => void,
   *   onState: (state: "up"|"lost"|"offline") => void}} hooks
   *   `renew` re-opens the session before a new attempt after the server refused the stream;
   *   `position` is the last event shown, 0 for none: a new EventSource knows no Last-Event-ID.
   */
  constructor({ renew, position, onMessage, onState }) {
    this.renew = renew;
    this.position = position;
    this.onMessage = onMessage;
    this.onState = onState;
    window.addEventListener("offline", () => this.onState("offline"));
    window.addEventListener("online", () => this.#reopen());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#source?.readyState === EventSource.CLOSED) this.#reopen();
    });
  }

  /** Open the stream. */
  open() {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    const after = this.position();
    const url = after > 0 ? `/web/events?after=${after}` : "/web/events";
    const source = new EventSource(url, { withCredentials: true });
    this.#source = source;
    source.addEventListener("open", () => this.#up());
    source.addEventListener("message", (event) => this.#read(event));
    source.addEventListener("error", () => this.#lost(source));
  }

  /** Note that the stream could not be opened at all, and try again later. */
  failed() {
    this.#announceLoss();
    this.#schedule();
  }

  #up() {
    clearTimeout(this.#graceTimer);
    this.#graceTimer = 0;
    this.#backoff = BACKOFF_FIRST_MS;
    this.onState("up");
  }

  #read(event) {
    let push;
    try {
      push = JSON.parse(event.data);
    } catch {
      return; // not ours: a proxy's noise
    }
    if (push && Array.isArray(push.replies)) this.onMessage(push);
  }

  #lost(source) {
    if (source !== this.#source) return;
    this.#announceLoss();
    if (source.readyState === EventSource.CLOSED) this.#schedule();
  }

  #announceLoss() {
    if (!navigator.onLine) this.onState("offline");
    else if (!this.#graceTimer) {
      this.#graceTimer = setTimeout(() => this.onState("lost"), GRACE_MS);
    }
  }

  #schedule() {
    clearTimeout(this.#retryTimer);
    const wait = this.#backoff * (0.75 + Math.random() / 2);
    this.#backoff = Math.min(BACKOFF_MAX_MS, this.#backoff * 2);
    this.#retryTimer = setTimeout(() => this.#reopen(), wait);
  }

  async #reopen() {
    clearTimeout(this.#retryTimer);
    try {
      await this.renew();
      this.open();
    } catch {
      this.failed();
    }
  }
}
