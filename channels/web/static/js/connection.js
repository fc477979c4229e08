/** The line to the server: session, pushed news, and what the citizen is told about both. */
import { byId, icon } from "./dom.js";
import { EventsLink } from "./events.js";
import { t } from "./i18n.js";
import { pageTitle } from "./welcome.js";

/**
 * Open the session, then the stream of events, which needs its cookie.
 * @param {{api: import("./api.js").Api, conversation: import("./store.js").Conversation,
 *   onPush: (push: {id: number, replies: object[]}) => boolean, onUp: () => void,
 *   onSession: (session: import("./api.js").Session) => void}} parts
 *   `onPush` tells whether the event was new
 */
export async function connect({ api, conversation, onPush, onUp, onSession }) {
  let first = true;
  const renew = async () => {
    const session = await api.session({ again: !first });
    conversation.follow(session.conversation);
    onSession(session);
    first = false;
  };
  const link = new EventsLink({
    renew,
    position: () => conversation.lastSeen(),
    onMessage: (push) => {
      if (onPush(push) && document.hidden) announce();
    },
    onState: (state) => {
      showState(state);
      if (state === "up") onUp();
    },
  });
  try {
    await renew();
    link.open();
  } catch {
    link.failed();
  }
}

/** @param {"up"|"lost"|"offline"} state */
function showState(state) {
  const banner = byId("offline");
  banner.hidden = state === "up";
  banner.replaceChildren(...(state === "up" ? [] : [icon("offline"), t(`connection.${state}`)]));
}

/** Say in the window's title that there is news, until the citizen looks. */
function announce() {
  document.title = t("notice.title", { title: pageTitle() });
  document.addEventListener("visibilitychange", () => (document.title = pageTitle()), { once: true });
}
