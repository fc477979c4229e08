/** Starts the page: builds the parts and connects them. */
import { Api } from "./api.js";
import { AttachmentError, placeAttachment, readAudio } from "./attachments.js";
import { Chat } from "./chat.js";
import { CITY } from "./city.js";
import { Composer, MAX_CHARS } from "./composer.js";
import { ask, bindDialogs, hideToast, toast } from "./dialogs.js";
import { byId, duration, icon } from "./dom.js";
import { EventsLink } from "./events.js";
import { currentPlace, LocationError } from "./location.js";
import { MessageList } from "./messages.js";
import { bindLargeType } from "./preferences.js";
import { SendQueue } from "./queue.js";
import { canRecord, Recorder, RecordingError } from "./recorder.js";
import { Scroller } from "./scroller.js";
import { Reader } from "./speech.js";
import { Conversation } from "./store.js";
import { Tray } from "./tray.js";
import { renderCity } from "./welcome.js";

const PATIENCE_MS = 5_000;
const BANNERS = {
  offline: "网络断开了。写好的内容不会丢，联网后可以再发。",
  lost: "和服务器的连接断了，正在重新连接，进展通知可能会晚到。",
};
const GONE = "刷新页面后照片或录音没有保留，请重新选择后再发。文字已放回输入框。";

const api = new Api();
const conversation = new Conversation();
const scroller = new Scroller(byId("scroll"), byId("to-latest"));
const reader = new Reader((available) => {
  document.documentElement.dataset.speech = available ? "yes" : "no";
});
const queue = new SendQueue({
  send: (message, signal) => api.send(message, signal),
  onAnswer: (id, answer) => chat.answered(id, answer),
  onFailure: (id, error) => chat.failed(id, error),
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
const recorder = new Recorder({ onTick: showElapsed, onDone: keepRecording });

/** Send what is written and attached. */
function submit() {
  if (composer.tooLong) {
    toast(`一次最多写 ${MAX_CHARS} 字，请删减或分几次发送。`);
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
 * Put a failed message back into the composer, after whatever is written there.
 * @param {string} id
 */
function edit(id) {
  const lost = conversation.find(id)?.attachments?.some(({ kind }) => kind !== "location")
    && !queue.undelivered(id);
  const { text, attachments } = chat.takeBack(id);
  composer.set([composer.text, text].filter(Boolean).join("\n"));
  attachments.forEach((item) => attempt(() => tray.add(item)));
  if (lost) toast(GONE);
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
  line.textContent = busy ? "正在为您查询" : "";
  if (busy) {
    patience = setTimeout(() => (line.textContent = "还在查，请稍等"), PATIENCE_MS);
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

/** @param {boolean} recording */
function showRecording(recording) {
  byId("recording").hidden = !recording;
  byId("entry").hidden = recording;
  byId("tools").hidden = recording;
}

/** @param {number} seconds */
function showElapsed(seconds) {
  byId("elapsed").textContent = duration(seconds);
}

/**
 * @param {Blob} blob
 * @param {number} seconds
 */
function keepRecording(blob, seconds) {
  showRecording(false);
  attempt(async () => {
    tray.add(await readAudio(blob, `录音 ${duration(seconds)}`));
    byId("send").focus();
  });
}

async function startRecording() {
  reader.stop();
  await recorder.start();
  showRecording(true);
  byId("record-done").focus();
}

async function clearConversation() {
  byId("help").close();
  const agreed = await ask({
    title: "清空对话？",
    text: "只会清空这个窗口里的聊天记录。已经提交的诉求照常办理，凭编号仍可查询。",
    yes: "清空",
  });
  if (!agreed) return;
  reader.stop();
  chat.clear();
  tray.take();
  composer.set("");
  byId("scroll").scrollTo({ top: 0 });
}

/** Call a handler with the chosen files of an input and make it ready for the same file again. */
function onFiles(id, handler) {
  const input = byId(id);
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length > 0) attempt(() => handler(files));
  });
}

function bindAttachments() {
  onFiles("photo-input", addPhotos);
  onFiles("camera-input", addPhotos);
  onFiles("audio-input", async ([file]) => tray.add(await readAudio(file, file.name)));
  byId("location").addEventListener("click", () => attempt(addPlace));
  byId("record").hidden = !canRecord();
  byId("record").addEventListener("click", () => attempt(startRecording));
  byId("record-done").addEventListener("click", () => recorder.finish());
  byId("record-cancel").addEventListener("click", () => {
    recorder.cancel();
    showRecording(false);
    composer.focus();
  });
  const images = (transfer) =>
    [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));
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
}

function bindBar() {
  bindLargeType(byId("large-type"));
  byId("human").addEventListener("click", () => chat.say("/ask_human", { shown: "转人工" }));
  byId("open-help").addEventListener("click", () => byId("help").showModal());
  byId("clear").addEventListener("click", clearConversation);
}

/** @param {"up"|"lost"|"offline"} state */
function showConnection(state) {
  const banner = byId("offline");
  banner.hidden = state === "up";
  banner.replaceChildren(...(state === "up" ? [] : [icon("offline"), BANNERS[state]]));
}

/** @param {{id: number, replies: object[]}} push */
function showPush(push) {
  if (!chat.pushed(push) || !document.hidden) return;
  const title = `${CITY.product} · ${CITY.title}`;
  document.title = `【新进展】${title}`;
  document.addEventListener("visibilitychange", () => (document.title = title), { once: true });
}

/** Open the session first: the stream of events needs its cookie. */
async function connect() {
  let first = true;
  const renew = async () => {
    conversation.follow(await api.session({ again: !first }));
    first = false;
  };
  const link = new EventsLink({
    renew,
    position: () => conversation.lastSeen(),
    onMessage: showPush,
    onState: showConnection,
  });
  try {
    await renew();
    link.open();
  } catch {
    link.failed();
  }
}

renderCity((text) => chat.say(text));
bindDialogs();
bindBar();
bindAttachments();
chat.restore();
byId("log").setAttribute("aria-live", "polite");
connect();
