{# Keeps what is nobody's: the static files of this version and one page. Never mail. #}const KEPT = "{{ static|escapejs }}";
const AWAY = "{{ away|escapejs }}";
const NAME = `mailhost ${KEPT}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll([AWAY, ...{{ files|safe }}])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function kept(request) {
  const cache = await caches.open(NAME);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.status === 200) await cache.put(request, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { method, url, mode, destination } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith(KEPT)) event.respondWith(kept(event.request));
  else if (mode === "navigate" && destination === "document") {
    event.respondWith(fetch(event.request).catch(() => caches.match(AWAY)));
  }
});
