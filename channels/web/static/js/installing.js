/** The page as an app: its service worker, and the button that puts it on the home screen. */
import { byId } from "./dom.js";

/** Inside another site's frame the page is a guest and installs nothing. */
export function bindInstalling() {
  if (document.documentElement.dataset.framed) return;
  navigator.serviceWorker?.register("/worker.js").catch(() => {
    // forbidden by the browser: the page works, but does not open without a network
  });
  /** @type {any} */
  let offer = null;
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    byId("install-box").hidden = false;
  });
  byId("install").addEventListener("click", async () => {
    await offer?.prompt();
    byId("install-box").hidden = true;
  });
}
