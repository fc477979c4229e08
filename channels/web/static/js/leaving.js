/** Clearing the conversation, and leaving a shared computer. */
import { ask, toast } from "./dialogs.js";
import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { forgetHistory } from "./store.js";

/**
 * Connect both buttons of the settings sheet.
 * @param {{clear: () => void, end: () => Promise<unknown>,
 *   outbox: import("./outbox.js").Outbox}} parts
 *   `clear` empties the page; `end` ends the session on this device
 */
export function bindLeaving({ clear, end, outbox }) {
  byId("clear").addEventListener("click", async () => {
    if (!(await sure("clear"))) return;
    clear();
    byId("scroll").scrollTo({ top: 0 });
  });
  byId("leave").addEventListener("click", async () => {
    if (!(await sure("leave"))) return;
    clear();
    await outbox.clear();
    forgetHistory();
    try {
      await end();
    } catch {
      toast(t("leave.failed"));
      return;
    }
    location.reload();
  });
}

/**
 * @param {"clear"|"leave"} step
 * @returns {Promise<boolean>}
 */
function sure(step) {
  byId("settings").close();
  return ask({ title: t(`${step}.title`), text: t(`${step}.text`), yes: t(`${step}.yes`) });
}
