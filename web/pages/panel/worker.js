// worker.js: the panel page's service worker; it makes the page open without a network, and nothing else.
//
// It exists only where the browser trusts the connection (https, or this machine itself). Its scope is
// the panel page of one hearing. What it keeps is put there by offline.js and by its own answers:
//   the page and the sheets   the network's where it answers, else as they were last
//   /static/…                 as kept: such a name never changes its content
// All else (acts, answers, the socket) goes to the network as if it were not here.

const scope = new URL(self.registration.scope).pathname
const name = 'pingyi-panel:' + scope
const PATIENCE_MS = 5000

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', event => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return
  if (url.pathname.startsWith('/static/')) event.respondWith(asKept(request))
  else if (url.pathname === scope && request.mode === 'navigate') event.respondWith(asItIs(request))
  else if (url.pathname.startsWith(scope + '/sheet/')) event.respondWith(asItIs(request))
})

async function asKept (request) {
  const cache = await caches.open(name)
  return (await cache.match(request.url)) || fetch(request)
}

async function asItIs (request) {
  const cache = await caches.open(name)
  try {
    const answer = await inTime(fetch(request))
    if (answer.ok) await cache.put(request.url, answer.clone())
    if (answer.status < 500) {
      // A seat that has signed out, or has another tablet now, is kept here no longer.
      if (!answer.ok) await cache.delete(request.url)
      return answer
    }
    return (await kept(cache, request)) || answer
  } catch {
    return (await kept(cache, request)) || Response.error()
  }
}
// A network that never answers is as good as none.
function inTime (answer) {
  return new Promise((resolve, reject) => { answer.then(resolve, reject); setTimeout(reject, PATIENCE_MS, new Error('late')) })
}
// Under its address, or for a page that is opened under a shorter one (without its language), any of it.
async function kept (cache, request) {
  const found = await cache.match(request.url)
  return found || (request.mode === 'navigate' ? cache.match(request.url, { ignoreSearch: true }) : undefined)
}
