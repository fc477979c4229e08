/*
 * The service worker. The gateway puts VERSION and SHELL before it (channels/web/shell.py).
 *
 * It keeps the shell of the page, so that the page opens without a network: scripts, styles,
 * words, pictures, the map of the city. Nothing personal: no message, no answer, no photo and no
 * session ever passes through it.
 */

const CACHE = `shimin-shell-${VERSION}`;
const MAP = "/web/city.json";

self.addEventListener("install", (event) => {
  const fresh = [...SHELL, MAP].map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("shimin-shell-") && name !== CACHE);
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname === MAP || SHELL.includes(pathname)) event.respondWith(newestOf(request, pathname));
});

/** The server's word first, so that an update is never missed; what is kept when there is none. */
async function newestOf(request, pathname) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(pathname);
    if (kept) return kept;
    throw error;
  }
}
