/**
 * Messages on their way, photos and recordings included, kept in IndexedDB until the server has
 * answered: a reload or a lost connection loses none. Each belongs to the window that wrote it.
 */

const NAME = "shimin";
const STORE = "outgoing";
/** What nobody came back for is deleted then. The server remembers answers longer. */
const KEEP_MS = 24 * 3600 * 1000;

/**
 * @typedef {import("./queue.js").Outgoing} Outgoing
 * @typedef {{id: string, owner: string, at: number, message: Outgoing}} Kept
 */

/** Works in memory alone where the browser forbids storage: then only a reload loses messages. */
export class Outbox {
  /**
   * @param {string} owner the window's own id
   */
  constructor(owner) {
    this.owner = owner;
    /** @type {Promise<IDBDatabase|null>} */
    this.database = open();
  }

  /**
   * Everything this window has not delivered, oldest first. What is too old is deleted.
   * @returns {Promise<Map<string, Outgoing>>} by message id
   */
  async load() {
    /** @type {Kept[]} */
    const all = (await this.#ask("readonly", (store) => store.getAll())) ?? [];
    const old = all.filter(({ at }) => Date.now() - at > KEEP_MS);
    await Promise.all(old.map(({ id }) => this.drop(id)));
    const mine = all.filter((kept) => kept.owner === this.owner && !old.includes(kept));
    mine.sort((one, other) => one.at - other.at);
    return new Map(mine.map(({ id, message }) => [id, revived(message)]));
  }

  /**
   * Keep a message.
   * @param {string} id
   * @param {Outgoing} message
   */
  async keep(id, message) {
    const kept = { id, owner: this.owner, at: Date.now(), message };
    await this.#ask("readwrite", (store) => store.put(kept));
  }

  /**
   * Let a message go.
   * @param {string} id
   */
  async drop(id) {
    await this.#ask("readwrite", (store) => store.delete(id));
  }

  /** Let everything go, of other windows as well. */
  async clear() {
    await this.#ask("readwrite", (store) => store.clear());
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} request
   * @returns {Promise<any>} undefined when the browser refused
   */
  async #ask(mode, request) {
    const database = await this.database;
    if (!database) return undefined;
    try {
      return await finished(request(database.transaction(STORE, mode).objectStore(STORE)));
    } catch {
      return undefined; // full or forbidden: the message still waits in memory
    }
  }
}

/**
 * @returns {Promise<IDBDatabase|null>} null where storage is forbidden
 */
async function open() {
  try {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    return await finished(opening);
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function finished(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Addresses of blobs end with the page that made them.
 * @param {Outgoing} message
 * @returns {Outgoing}
 */
function revived(message) {
  const attachments = message.attachments.map((item) =>
    item.kind === "location" ? item : { ...item, previewUrl: URL.createObjectURL(item.blob) });
  return { ...message, attachments };
}
