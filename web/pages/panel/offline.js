// offline.js: what the tablet keeps so that its page opens without a network (worker.js gives it out).
//
// Browsers allow that only over a connection that they trust. Where they do not (plain http in the hall),
// the page says so; drafts and unsent sheets do not depend on it, they lie in localStorage.

const { slug } = document.body.dataset
const scope = `/h/${slug}/panel`
const name = 'pingyi-panel:' + scope
let ready = false

// Whether the page will open without a network.
export async function install () {
  if (!isSecureContext || !('serviceWorker' in navigator) || !('caches' in self)) return false
  try {
    await navigator.serviceWorker.register(`${scope}/worker.js`, { scope })
    await navigator.serviceWorker.ready
    ready = true
    await keepPage().catch(() => {})          // opened without a network: what was kept stays
    return !!await (await caches.open(name)).match(location.href, { ignoreSearch: true })
  } catch { return ready = false }
}

// The page as it is now, and every file that it has loaded; files of an older page go.
export async function keepPage () {
  if (!ready) return
  const cache = await caches.open(name)
  const files = performance.getEntriesByType('resource').map(one => one.name.split('#')[0]).filter(one => new URL(one).pathname.startsWith('/static/'))
  for (const file of new Set(files)) if (!(await cache.match(file))) await cache.add(file)
  const page = await fetch(location.href)
  if (page.ok && !page.redirected) await cache.put(location.href, page)
  for (const { url } of await cache.keys()) if (new URL(url).pathname.startsWith('/static/') && !files.includes(url)) await cache.delete(url)
}
// A sheet that was fetched before the worker was there to see it.
export async function keepSheet (address, html) {
  if (ready) await (await caches.open(name)).put(address, new Response(html, { headers: { 'Content-Type': 'text/html; charset=utf-8' } }))
}
// This device is the seat's no longer.
export async function forgetPage () {
  if ('caches' in self) await caches.delete(name)
}
