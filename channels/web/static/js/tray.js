/** The strip of attachments waiting to be sent. */
import { AttachmentError, MAX_PHOTOS, MAX_TOTAL_BYTES, readPicture } from "./attachments.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("./attachments.js").Pending} Pending */

export class Tray {
  /** @type {Pending[]} */
  items = [];

  /**
   * @param {HTMLElement} list the strip
   */
  constructor(list) {
    this.list = list;
  }

  /**
   * Add an attachment; one place, recording and video at a time, the newer replaces the older.
   * @param {Pending} item
   * @throws {AttachmentError} when a limit of one message would be passed
   */
  add(item) {
    const kept = this.items.filter((other) => other.kind === "photo" || other.kind !== item.kind);
    if (item.kind === "photo" && this.#photos() >= MAX_PHOTOS) {
      throw new AttachmentError(t("file.many_photos", { count: MAX_PHOTOS }));
    }
    if (kept.reduce((sum, i) => sum + i.size, item.size) > MAX_TOTAL_BYTES) {
      throw new AttachmentError(t("file.all_large"));
    }
    this.items = [...kept, item];
    this.#render();
  }

  /**
   * Check and add photos and videos; every refusal is collected, the good ones are kept.
   * @param {Iterable<File>} files
   * @returns {Promise<string[]>} the reasons, each once
   */
  async addPhotos(files) {
    const refusals = new Set();
    for (const file of files) {
      try {
        this.add(await readPicture(file));
      } catch (error) {
        if (!(error instanceof AttachmentError)) throw error;
        refusals.add(error.message);
      }
    }
    return [...refusals];
  }

  /**
   * Everything waiting, and an empty strip.
   * @returns {Pending[]}
   */
  take() {
    const items = this.items;
    this.items = [];
    this.#render();
    return items;
  }

  /** Show everything anew, in the language of the page. */
  redraw() {
    this.#render();
  }

  #photos() {
    return this.items.filter((item) => item.kind === "photo").length;
  }

  #remove(item) {
    const at = this.items.indexOf(item);
    this.items = this.items.filter((other) => other !== item);
    if (item.kind !== "location") URL.revokeObjectURL(item.previewUrl);
    this.#render();
    const buttons = this.list.querySelectorAll("button");
    buttons[Math.min(at, buttons.length - 1)]?.focus();
  }

  #render() {
    this.list.replaceChildren(...this.items.map((item) => this.#tile(item)));
    this.list.hidden = this.items.length === 0;
  }

  #tile(item) {
    const remove = h("button", {
      type: "button", class: "remove", "data-testid": "attachment-remove",
      "aria-label": t("file.remove", { name: item.label }), on: { click: () => this.#remove(item) },
    }, icon("close"));
    return h("li", { class: `attachment attachment-${item.kind}`, "data-testid": "attachment" },
      ...preview(item), remove);
  }
}

/**
 * What a waiting attachment looks like.
 * @param {Pending} item
 * @returns {HTMLElement[]}
 */
function preview(item) {
  if (item.kind === "photo") return [photo(item)];
  if (item.kind === "video") {
    return [h("video", {
      src: item.previewUrl, controls: true, muted: true, playsinline: true, preload: "metadata",
      "aria-label": item.label,
    })];
  }
  if (item.kind === "audio") {
    return [h("audio", {
      src: item.previewUrl, controls: true, preload: "metadata", "aria-label": item.label,
    })];
  }
  const chip = h("span", { class: "place" });
  chip.append(icon("pin"), item.label);
  return [chip];
}

/**
 * A photo, or its name where the browser cannot show its format (HEIC).
 * @param {import("./attachments.js").PendingFile} item
 * @returns {HTMLElement}
 */
export function photo(item) {
  const image = h("img", { src: item.previewUrl, alt: item.label });
  const named = () => {
    const chip = h("span", { class: "place" });
    chip.append(icon("image"), item.label);
    image.replaceWith(chip);
  };
  image.addEventListener("error", named, { once: true });
  return image;
}
