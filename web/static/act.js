// act.js sends what a person does on a staff page to the API, and says what came of it.
//
// <button data-act="PUT /api/v1/…" data-body='{"cleared":true}'> sends on a click; with data-held it
// must be held for a second. <form data-act="POST /api/v1/…"> sends its fields as JSON: an empty
// field is left out unless it has data-empty; data-type="number" or "json" converts it; a field called
// "settings.host" is a member of an object.
// With data-read the version goes along of what the page shows (data-version of what it stands in); that it
// is no longer the latest is for the page to say.
// A refusal's sentence is shown in #toast, and nothing on the page is lost.

import { newKey } from './live.js'

const HELD_MS = 1000

// Each window is a console of its own: a control taken in one is not held by the other.
function windowName () {
  try { return sessionStorage.pingyiWindow ||= newKey() } catch { return windowName.kept ||= newKey() }
}

export async function api (method, path, data, key = newKey()) {
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': document.body.dataset.lang }
  if (document.body.dataset.seat) headers['X-Pingyi-Seat'] = document.body.dataset.seat
  headers['X-Pingyi-Window'] = windowName()
  if (method !== 'GET') headers['Idempotency-Key'] = key
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(path, { method, headers, body: method === 'GET' ? undefined : JSON.stringify(data || {}) })
      const json = await answer.json().catch(() => ({}))
      if (answer.status === 503 && tries < 20) { await pause(tries); continue }
      return { ok: answer.ok, status: answer.status, ...json }
    } catch (error) {                         // the network is gone: the same key goes again
      if (tries >= 20) throw error
      await pause(tries)
    }
  }
}
const pause = tries => new Promise(resolve => setTimeout(resolve, Math.min(8000, 300 * 2 ** tries) * Math.random() + 100))

// `heard` is no when the sentence for everybody already says it: an act is heard once.
export function toast (text, bad, heard = true) {
  const place = document.getElementById('toast')
  if (!place) return
  place.setAttribute('aria-live', heard ? 'assertive' : 'off')
  place.textContent = text
  place.dataset.bad = bad ? 'yes' : 'no'
  place.hidden = false
  clearTimeout(toast.timer)
  toast.timer = setTimeout(() => { place.hidden = true }, bad ? 8000 : 2500)
}

export async function perform (element, data) {
  const [method, path] = element.dataset.act.split(' ')
  const read = element.dataset.read === undefined ? null : element.closest('[data-version]')
  if (read) data = { ...data, version: +read.dataset.version }
  element.setAttribute('aria-busy', 'true')
  const answer = await api(method, path, data).catch(() => ({ ok: false, error: { message: document.body.dataset.offline } }))
  element.removeAttribute('aria-busy')
  if (!answer.ok && !(read?.isConnected && answer.error?.code === 'version_stale')) toast(answer.error?.message || String(answer.status), true)
  else if (answer.ok && element.dataset.done) toast(element.dataset.done)
  element.dispatchEvent(new CustomEvent('pingyi:answer', { bubbles: true, detail: answer }))
  return answer
}

function fields (form) {
  const data = {}
  for (const field of form.elements) {
    if (!field.name || ((field.type === 'radio' || field.type === 'checkbox') && !field.checked)) continue
    if (field.value === '' && field.dataset.empty === undefined) continue
    const path = field.name.split('.'), last = path.pop()
    path.reduce((part, name) => (part[name] ||= {}), data)[last] = field.dataset.type === 'number' ? +field.value : field.dataset.type === 'json' ? JSON.parse(field.value) : field.value
  }
  return data
}

document.addEventListener('submit', async event => {
  const form = event.target.closest('form[data-act]')
  if (!form) return
  event.preventDefault()
  if (form.getAttribute('aria-busy')) return      // pressed twice is one act
  const answer = await perform(form, fields(form))
  if (answer.ok && form.dataset.reset !== undefined) form.reset()
})
document.addEventListener('click', event => {
  const button = event.target.closest('button[data-act]')
  if (!button || button.dataset.held !== undefined) return
  event.preventDefault()
  if (button.getAttribute('aria-busy')) return
  if (event.detail) letGo(button)
  perform(button, button.dataset.body ? JSON.parse(button.dataset.body) : {})
})

// A button that was pressed keeps the focus, and may be another one a moment later (开始 becomes 暂停): the
// space bar would press that. Whoever came to it by keys and pressed shortly stays where he is.
function letGo (button) {
  if (document.activeElement === button) (document.querySelector('main[tabindex]') || button).focus({ preventScroll: true })
  if (document.activeElement === button) button.blur()
}

// What closes, certifies, publishes or voids is held for a second, by pointer or by key. The act may
// put another button under the finger that still presses (宣布开始 becomes 暂停), or somebody else's act
// may do so meanwhile: the release clicks nothing, and what the button has become is not done.
let holding, spent = false
function begin (event) {
  if (!event.repeat) spent = false
  const button = event.target.closest?.('button[data-held]')
  if (!button || button.disabled || (event.type === 'keydown' && (event.repeat || !['Enter', ' '].includes(event.key)))) return
  if (event.type === 'keydown') event.preventDefault()
  cancel()
  button.dataset.holding = ''
  const meant = button.dataset.act
  holding = { button, timer: setTimeout(() => { cancel(); spent = true; letGo(button); if (button.dataset.act === meant && button.dataset.held !== undefined) perform(button, held(button)) }, HELD_MS) }
}
document.addEventListener('click', event => { if (spent) { event.preventDefault(); event.stopImmediatePropagation() } }, true)
function held (button) {
  const data = button.dataset.body ? JSON.parse(button.dataset.body) : {}
  const form = button.form
  return form ? { ...data, ...fields(form) } : data
}
function cancel () {
  if (spent) setTimeout(() => { spent = false }, 400)
  if (!holding) return
  clearTimeout(holding.timer)
  delete holding.button.dataset.holding
  holding = undefined
}
for (const name of ['pointerdown', 'keydown']) document.addEventListener(name, begin)
for (const name of ['pointerup', 'pointercancel', 'keyup', 'blur']) document.addEventListener(name, cancel)
