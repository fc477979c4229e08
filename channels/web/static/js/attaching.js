/** The ways files get into the tray: chosen, taken by the camera, pasted, dropped. */
import { byId } from "./dom.js";

/**
 * Connect the inputs of the page.
 * @param {{addPhotos: (files: File[]) => unknown, addAudio: (file: File) => unknown,
 *   attempt: (step: () => unknown) => Promise<void>}} hooks
 */
export function bindFiles({ addPhotos, addAudio, attempt }) {
  onFiles("photo-input", addPhotos);
  onFiles("camera-input", addPhotos);
  onFiles("audio-input", ([file]) => addAudio(file));
  byId("text").addEventListener("paste", (event) => {
    const files = images(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    attempt(() => addPhotos(files));
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    attempt(() => addPhotos(images(event.dataTransfer)));
  });

  /** Hand over the chosen files and make the input ready for the same file again. */
  function onFiles(id, handler) {
    const input = byId(id);
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      if (files.length > 0) attempt(() => handler(files));
    });
  }
}

/**
 * @param {DataTransfer|null} transfer
 * @returns {File[]}
 */
function images(transfer) {
  return [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));
}
