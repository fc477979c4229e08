/** The gateway's web endpoints: session and messages. */
import { t } from "./i18n.js";

const HEADERS = { "X-Shimin-Web": "1" };
/** Base waiting time of one answer, and what each kilobyte sent adds for slow networks. */
const TIMEOUT_MS = 45_000;
const TIMEOUT_MS_PER_KB = 25;
const TIMEOUT_MAX_MS = 300_000;

/** A failure with a sentence for the citizen. */
export class ApiError extends Error {
  /**
   * @param {string} code the server's error code, or network, timeout, server
   * @param {string} message ready to show
   * @param {number} [status] HTTP status; 0 when no answer arrived
   */
  constructor(code, message, status = 0) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }

  /** @returns {boolean} whether no answer arrived: the server may have the message or not */
  get lost() {
    return this.status === 0;
  }
}

/**
 * POST JSON and read JSON.
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} [outer] aborts the request from outside
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
async function post(path, body, outer) {
  const json = JSON.stringify(body);
  const limit = Math.min(TIMEOUT_MAX_MS, TIMEOUT_MS + (json.length / 1024) * TIMEOUT_MS_PER_KB);
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), limit);
  const abort = () => control.abort();
  outer?.addEventListener("abort", abort);
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { ...HEADERS, "Content-Type": "application/json" },
      body: json,
      signal: control.signal,
    });
    const answer = await response.json().catch(() => null);
    if (response.status === 204 || (response.ok && answer)) return answer;
    const { code = "server", message = t("error.server") } = answer?.error ?? {};
    throw new ApiError(String(code), String(message), response.status);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (control.signal.aborted) throw new ApiError("timeout", t("error.timeout"));
    throw new ApiError("network", t("error.network"));
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", abort);
  }
}

/**
 * @typedef {{conversation: string, recognises: boolean, speaks: boolean}} Session
 *   `recognises`: the server understands recordings; `speaks`: it can read answers aloud
 */

/** The citizen's session with the gateway; opened when first needed. */
export class Api {
  /** @type {Promise<Session>|null} */
  #session = null;

  /**
   * @param {boolean} embedded whether the page stands in another site's frame
   */
  constructor(embedded) {
    this.embedded = embedded;
  }

  /**
   * Open the session, or return the one already open.
   * @param {{again?: boolean}} [options] `again` forgets the old session first
   * @returns {Promise<Session>}
   * @throws {ApiError}
   */
  session({ again = false } = {}) {
    if (again || !this.#session) {
      const opening = post("/web/session", { embedded: this.embedded }).then((answer) => ({
        conversation: String(answer.conversation_id),
        recognises: answer.speech?.recognise === true,
        speaks: answer.speech?.synthesise === true,
      }));
      opening.catch(() => {
        if (this.#session === opening) this.#session = null;
      });
      this.#session = opening;
    }
    return this.#session;
  }

  /**
   * Send one message. An expired session (401) is renewed once.
   * @param {{text: string, attachments: object[], client_id: string}} message wire form
   * @param {AbortSignal} [signal]
   * @returns {Promise<{transcript: string|null, replies: object[]}>} the Chat API's answer
   * @throws {ApiError}
   */
  async send(message, signal) {
    await this.session();
    try {
      return await post("/web/messages", message, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      await this.session({ again: true });
      return post("/web/messages", message, signal);
    }
  }

  /**
   * A text read aloud by the server.
   * @param {string} text
   * @returns {Promise<Blob>}
   * @throws {ApiError}
   */
  async speech(text) {
    const response = await fetch("/web/speech", {
      method: "POST",
      credentials: "same-origin",
      headers: { ...HEADERS, "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
    });
    if (!response.ok) throw new ApiError("server", t("error.server"), response.status);
    return response.blob();
  }

  /**
   * End the session on this device.
   * @throws {ApiError}
   */
  async end() {
    await post("/web/session/end", {});
    this.#session = null;
  }
}
