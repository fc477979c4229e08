/** Light refresh of the console: lists are replaced, new lines of a conversation are added. */
"use strict";

const LINES_MS = 2_000;

/** Ask the server in the background; a session that ended leads to the login page. */
async function fetched(url) {
  const response = await fetch(url, { headers: { "X-Background": "1" }, credentials: "same-origin" });
  if (response.status === 401) location.assign("/console/login");
  return response;
}

/** Replace a part of the page, and keep the focus where it is. */
function keepFresh(part) {
  const seconds = Number(part.dataset.seconds) || 5;
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const response = await fetched(part.dataset.refresh);
      if (response.status !== 200) return;
      const focused = document.activeElement?.id;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      part.replaceChildren(...fresh.body.childNodes);
      if (focused) document.getElementById(focused)?.focus();
    } catch {
      // the network comes back: the next time
    }
  }, seconds * 1000);
}

/** Add what is said in a conversation, in order and once. */
function follow(log) {
  let last = Number(log.dataset.last);
  let busy = false;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  toEnd();
  setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      const response = await fetched(`${log.dataset.new}?after=${last}`);
      if (response.status === 200) {
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const line of fresh.querySelectorAll("li[data-id]")) {
          const id = Number(line.dataset.id);
          if (id <= last) continue;
          last = id;
          log.append(line);
        }
        toEnd();
      }
    } catch {
      // the network comes back: the next time
    } finally {
      busy = false;
    }
  }, LINES_MS);
}

/** Ctrl+Enter sends; a form is posted once however often the button is pressed. */
function bindReply(form) {
  form.querySelector("textarea")?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("send"));
    }
  });
}

document.querySelectorAll("[data-refresh]").forEach(keepFresh);
document.querySelectorAll("[data-new]").forEach(follow);
document.querySelectorAll("form.compose").forEach(bindReply);
document.querySelectorAll(".log:not([data-new])").forEach((log) => { log.scrollTop = log.scrollHeight; });
