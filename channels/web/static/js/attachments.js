/** Photos, recordings and places that wait to be sent: checks, labels, wire form. */
import { freshId } from "./dom.js";
import { t } from "./i18n.js";
import { toWav } from "./wav.js";

/**
 * @typedef {{id: string, kind: "photo"|"video"|"audio", label: string, blob: Blob, contentType: string,
 *   previewUrl: string, size: number}} PendingFile
 * @typedef {{id: string, kind: "location", label: string, latitude: number, longitude: number,
 *   size: 0}} PendingPlace
 * @typedef {PendingFile|PendingPlace} Pending
 */

export const MAX_PHOTOS = 9;
const MB = 1024 * 1024;
const MAX_PHOTO_BYTES = 10 * MB;
const MAX_VIDEO_BYTES = 30 * MB;
const MAX_AUDIO_BYTES = 5 * MB;
/** All files of one message together; encoded they stay under the server's request limit. */
export const MAX_TOTAL_BYTES = 42 * MB;

/** A file that cannot be taken, with the reason, ready to show. */
export class AttachmentError extends Error {}

const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/**
 * The type told by the first bytes; file names and declared types are often wrong.
 * @param {Blob} blob
 * @returns {Promise<"image/jpeg"|"image/png"|"image/webp"|"image/heic"|"video/mp4"|"video/quicktime"|
 *   "video/webm"|null>}
 */
async function sniff(blob) {
  const head = new Uint8Array(await blob.slice(0, 12).arrayBuffer());
  const ascii = String.fromCharCode(...head);
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return "image/jpeg";
  if (ascii.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (ascii.startsWith("RIFF") && ascii.slice(8, 12) === "WEBP") return "image/webp";
  if (ascii.slice(4, 8) === "ftyp") {
    const brand = ascii.slice(8, 12);
    if (HEIC_BRANDS.includes(brand)) return "image/heic";
    return brand === "qt  " ? "video/quicktime" : "video/mp4";
  }
  return ascii.startsWith("\x1aE\xdf\xa3") ? "video/webm" : null;
}

/**
 * Check one photo or video.
 * @param {File} file
 * @returns {Promise<PendingFile>}
 * @throws {AttachmentError}
 */
export async function readPicture(file) {
  if (file.size === 0) throw new AttachmentError(t("file.empty", { name: file.name }));
  const size = (file.size / MB).toFixed(1);
  const contentType = await sniff(file);
  if (contentType?.startsWith("video/")) {
    if (file.size > MAX_VIDEO_BYTES) {
      throw new AttachmentError(t("file.video_large", { name: file.name, size }));
    }
    return pendingFile("video", file, contentType, file.name || t("file.video"));
  }
  if (file.size > MAX_PHOTO_BYTES) {
    throw new AttachmentError(t("file.photo_large", { name: file.name, size }));
  }
  if (!contentType) {
    throw new AttachmentError(t("file.unusable", { name: file.name }));
  }
  return pendingFile("photo", file, contentType, file.name || t("file.photo"));
}

/**
 * Check one audio file and turn it into plain 16 kHz speech when the browser can read it.
 * @param {Blob} blob a recording or an audio file
 * @param {string} label
 * @returns {Promise<PendingFile>}
 * @throws {AttachmentError}
 */
export async function readAudio(blob, label) {
  const declared = blob.type.split(";")[0].toLowerCase();
  if (blob.size === 0) throw new AttachmentError(t("file.no_sound"));
  if (!declared.startsWith("audio/") && declared !== "video/webm") {
    throw new AttachmentError(t("file.not_audio"));
  }
  const wav = await toWav(blob);
  const chosen = wav && wav.size <= MAX_AUDIO_BYTES ? wav : blob;
  if (chosen.size > MAX_AUDIO_BYTES) {
    throw new AttachmentError(t("file.audio_long"));
  }
  const contentType = chosen === wav ? "audio/wav" : declared.replace("video/", "audio/");
  return pendingFile("audio", chosen, contentType, label);
}

/**
 * A place as an attachment.
 * @param {{latitude: number, longitude: number, label: string}} place WGS 84 degrees
 * @returns {PendingPlace}
 */
export function placeAttachment({ latitude, longitude, label }) {
  return { id: freshId(), kind: "location", label, latitude, longitude, size: 0 };
}

/**
 * @param {"photo"|"video"|"audio"} kind
 * @param {Blob} blob
 * @param {string} contentType
 * @param {string} label
 * @returns {PendingFile}
 */
function pendingFile(kind, blob, contentType, label) {
  const previewUrl = URL.createObjectURL(blob);
  return { id: freshId(), kind, label, blob, contentType, previewUrl, size: blob.size };
}

/**
 * The attachment as the Chat API takes it.
 * @param {Pending} item
 * @returns {Promise<object>}
 */
export async function encodeAttachment(item) {
  if (item.kind === "location") {
    return { type: "location", latitude: item.latitude, longitude: item.longitude };
  }
  return { type: item.kind, content_type: item.contentType, data: await base64(item.blob) };
}

/**
 * Base64 of a blob, without the data-URL prefix.
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(new AttachmentError(t("file.unreadable")));
    reader.readAsDataURL(blob);
  });
}
