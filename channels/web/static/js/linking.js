/** Linking this conversation with one on another channel, without having to know the words. */
import { ask } from "./dialogs.js";
import { byId } from "./dom.js";
import { t } from "./i18n.js";

/** Digits of a code (enquiries/linking/words.py). */
const CODE_DIGITS = 8;

/**
 * Connect the buttons and the field of the settings sheet; the answers come as messages.
 * @param {(text: string, options?: {shown: string}) => void} say sends a message of the citizen
 */
export function bindLinking(say) {
  const press = (wish) => {
    byId("settings").close();
    say(`/link_${wish}`, { shown: t(`link.${wish}`) });
    byId("text").focus();
  };
  byId("link-code").addEventListener("click", () => press("code"));
  byId("link-status").addEventListener("click", () => press("status"));
  byId("link-leave").addEventListener("click", async () => {
    const words = { title: t("link.leave_title"), text: t("link.leave_text"), yes: t("link.leave") };
    byId("settings").close();
    if (await ask(words)) press("leave");
  });
  bindEntry(say);
}

/**
 * The field for a code from another channel: its words are those one would write.
 * @param {(text: string) => void} say
 */
function bindEntry(say) {
  const field = /** @type {HTMLInputElement} */ (byId("link-digits"));
  field.addEventListener("input", () => field.setCustomValidity(""));
  byId("link-entry").addEventListener("submit", (event) => {
    event.preventDefault();
    const digits = field.value.normalize("NFKC").replace(/[\s-]/g, "");
    if (!new RegExp(`^\\d{${CODE_DIGITS}}$`).test(digits)) {
      field.setCustomValidity(t("link.wrong"));
      field.reportValidity();
      return;
    }
    field.value = "";
    byId("settings").close();
    say(`关联 ${digits.slice(0, 4)} ${digits.slice(4)}`);
    byId("text").focus();
  });
}
