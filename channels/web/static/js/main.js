/** Starts the page: builds the parts and connects them. */
import { Api, ApiError } from "./api.js";
import { AttachmentError, placeAttachment, readAudio } from "./attachments.js";
import { bindFiles } from "./attaching.js";
import { Chat } from "./chat.js";
import { Composer, MAX_CHARS } from "./composer.js";
import { connect } from "./connection.js";
import { bindDialogs, hideToast, toast } from "./dialogs.js";
import { byId } from "./dom.js";
import { preferredLanguage, speak, t } from "./i18n.js";
import { bindInstalling } from "./installing.js";
import { bindLeaving } from "./leaving.js";
import { bindLinking } from "./linking.js";
import { currentPlace, LocationError } from "./location.js";
import { MessageList } from "./messages.js";
import { Outbox } from "./outbox.js";
import { PlacePicker } from "./picker.js";
import { readsAnswers } from "./preferences.js";
import { SendQueue } from "./queue.js";
import { RecordingError } from "./recorder.js";
import { Scroller } from "./scroller.js";
import { bindSettings } from "./settings.js";
import { Reader } from "./speech.js";
import { Conversation, windowId } from "./store.js";
import { Tray } from "./tray.js";
import { VoiceStrip } from "./voice.js";
import { renderCity } from "./welcome.js";

const PATIENCE_MS = 5_000;

await speak(preferredLanguage());

const framed = document.documentElement.dataset.framed === "yes";
const api = new Api(framed);
const conversation = new Conversation();
const scroller = new Scroller(byId("scroll"), byId("to-latest"));
const outbox = new Outbox(windowId());
const reader = new Reader((available) => {
  document.documentElement.dataset.speech = available ? "yes" : "no";
});
const queue = new SendQueue({
  outbox,
  send: (message, signal) => api.send(message, signal),
  onAnswer: answered,
  onFailure: failed,
  onWaiting: (id) => chat.waiting(id),
  onBusy: showTyping,
});
const list = new MessageList(byId("log"), {
  onQuick: (entry, index) => chat.choose(entry, index),
  onRetry: (id) => {
    if (!chat.retry(id)) edit(id);
  },
  onEdit: edit,
  onRead: (text, onEnd) => reader.read(text, onEnd),
  onStopReading: () => reader.stop(),
});
const chat = new Chat({ conversation, list, queue, scroller });
const composer = new Composer(submit);
const tray = new Tray(byId("tray"));
const voice = new VoiceStrip({ onRecording: keepRecording, onCancel: () => composer.focus() });
const picker = new PlacePicker({ onPlace: keepPlace, attempt });

/** Send what is written and attached. */
function submit() {
  if (composer.tooLong) {
    toast(t("composer.too_long", { count: MAX_CHARS }));
    return;
  }
  const { text } = composer;
  if (!text && tray.items.length === 0) {
    composer.focus();
    return;
  }
  hideToast();
  chat.say(text, { attachments: tray.take() });
  composer.set("");
}

/**
 * Show an answer; who spoke, or wishes it, also hears it.
 * @param {string} id
 * @param {{replies?: import("./store.js").Reply[]}} answer
 */
function answered(id, answer) {
  chat.answered(id, answer);
  const spoken = conversation.find(id)?.attachments?.some(({ kind }) => kind === "audio");
  const words = (answer.replies ?? []).map(({ speech, text }) => speech || text || "").join("");
  if (words && (spoken || readsAnswers())) reader.read(words, () => {});
}

/**
 * @param {string} id
 * @param {Error} error
 */
function failed(id, error) {
  chat.failed(id, error);
  if (framed && error instanceof ApiError && error.code === "session_missing") {
    toast(t("error.framed"));
  }
}

/**
 * Put a failed message back into the composer, after whatever is written there.
 * @param {string} id
 */
function edit(id) {
  const lost = conversation.find(id)?.attachments?.some(({ kind }) => kind !== "location")
    && !queue.undelivered(id);
  const { text, attachments } = chat.takeBack(id);
  composer.set([composer.text, text].filter(Boolean).join("\n"));
  attachments.forEach((item) => attempt(() => tray.add(item)));
  if (lost) toast(t("error.gone"));
  composer.focus();
}

/**
 * Run a step and show its known refusals; anything else is a defect and goes on up.
 * @param {() => unknown} step
 */
async function attempt(step) {
  try {
    await step();
  } catch (error) {
    const known = [AttachmentError, LocationError, RecordingError];
    if (!known.some((kind) => error instanceof kind)) throw error;
    toast(error.message);
  }
}

let patience = 0;

/**
 * Show or hide that an answer is being prepared.
 * @param {boolean} busy
 */
function showTyping(busy) {
  const line = byId("typing");
  clearTimeout(patience);
  line.hidden = !busy;
  line.textContent = busy ? t("typing") : "";
  if (busy) {
    patience = setTimeout(() => (line.textContent = t("typing.long")), PATIENCE_MS);
    if (scroller.atEnd) scroller.toEnd();
  }
}

/** @param {Iterable<File>} files */
async function addPhotos(files) {
  const refusals = await tray.addPhotos(files);
  if (refusals.length > 0) toast(refusals.join("\n"));
  else hideToast();
}

async function addPlace() {
  const button = byId("location");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const place = await currentPlace();
    tray.add(placeAttachment(place));
    if (place.warning) toast(place.warning, "info");
    else hideToast();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** @param {import("./attachments.js").PendingPlace} place */
function keepPlace(place) {
  hideToast();
  attempt(() => tray.add(place));
  composer.focus();
}

/**
 * @param {Blob} blob
 * @param {string} label
 */
function keepRecording(blob, label) {
  attempt(async () => {
    tray.add(await readAudio(blob, label));
    byId("send").focus();
  });
}

function clearPage() {
  reader.stop();
  chat.clear();
  tray.take();
  composer.set("");
}

function bindTools() {
  bindFiles({
    addPhotos,
    addAudio: async (file) => tray.add(await readAudio(file, file.name)),
    attempt,
  });
  byId("location").addEventListener("click", () => attempt(addPlace));
  byId("map").addEventListener("click", () => attempt(() => picker.open()));
  byId("record").addEventListener("click", () => attempt(() => {
    reader.stop();
    return voice.start();
  }));
  byId("human").addEventListener("click", () => chat.say("/ask_human", { shown: t("bar.human") }));
  byId("open-help").addEventListener("click", () => byId("help").showModal());
}

function redraw() {
  renderCity(say);
  chat.redraw();
  tray.redraw();
}

/** @param {string} text */
function say(text) {
  chat.say(text);
}

/** Escape leads back from the frame to the page that holds it. */
function bindFrame() {
  byId("outside").href = `${location.origin}/`;
  document.addEventListener("keydown", (event) => {
    const inside = document.querySelector("dialog[open]") || event.isComposing;
    if (event.key === "Escape" && !inside) parent.postMessage("shimin:close", "*");
  });
}

renderCity(say);
bindDialogs();
bindSettings(redraw);
bindTools();
bindLeaving({ clear: clearPage, end: () => api.end(), outbox });
bindLinking((text, options) => chat.say(text, options));
bindInstalling();
if (framed) bindFrame();
chat.restore(await outbox.load());
byId("log").setAttribute("aria-live", "polite");
window.addEventListener("online", () => queue.wake());
connect({
  api,
  conversation,
  onPush: (push) => chat.pushed(push),
  onUp: () => queue.wake(),
  onSession: ({ recognises, speaks }) => {
    voice.offer(recognises);
    reader.useServer(speaks ? (text) => api.speech(text) : null);
  },
});
