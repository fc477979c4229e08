/** The help sheet, the question before something is lost, and short page messages. */
import { byId, h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** Long enough for a slow reader; the citizen can also close it. */
const TOAST_MS = 12_000;
let toastTimer = 0;

/** Let every close button, and a click beside the sheet, close its dialog. */
export function bindDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (target === dialog || target.closest("[data-close]")) dialog.close();
    });
  }
}

/**
 * Ask before doing something that cannot be undone.
 * @param {{title: string, text: string, yes: string}} words
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes }) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  return new Promise((resolve) => {
    let agreed = false;
    byId("confirm-yes").onclick = () => {
      agreed = true;
      dialog.close();
    };
    byId("confirm-no").onclick = () => dialog.close();
    dialog.addEventListener("close", () => resolve(agreed), { once: true });
    dialog.showModal();
    byId("confirm-no").focus();
  });
}

/**
 * Tell the citizen something about the page itself; several lines may be given.
 * @param {string} text
 * @param {"error"|"info"} [tone]
 */
export function toast(text, tone = "error") {
  const box = byId("toast");
  const close = h("button", { type: "button", class: "icon-button", "aria-label": t("understood") });
  close.append(icon("close"));
  close.addEventListener("click", hideToast);
  box.replaceChildren(h("p", { text }), close);
  box.dataset.tone = tone;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(hideToast, TOAST_MS);
}

/** Take the page message away. */
export function hideToast() {
  clearTimeout(toastTimer);
  byId("toast").hidden = true;
}
