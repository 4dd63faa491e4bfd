// host.js: the console's keys, dialogs, controls and turnout. What ends or publishes something is
// never on a key: it is held for a second, by hand, on its own button.

import { api, toast } from '../../act.js'
import { ordered } from './order.js'

const { slug, seat } = document.body.dataset
const words = JSON.parse(document.body.dataset.words)
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
const at = path => `/api/v1/hearings/${slug}${path}`
const $ = id => document.getElementById(id)
const tell = sentence => { $('say').textContent = sentence }
function stored (name, value) {
  try {
    // A control is held by one window, everything else is remembered for the browser.
    const shelf = name.startsWith('lease-') ? sessionStorage : localStorage
    if (value === undefined) return shelf.getItem(`pingyi-host:${slug}:${seat}:${name}`)
    shelf.setItem(`pingyi-host:${slug}:${seat}:${name}`, value)
  } catch { /* private mode */ }
  return null
}

// ── refusals: a control that somebody else holds is offered for taking over ──
function refused (answer) {
  if (answer.error?.code !== 'lease_elsewhere') return
  const { lease, holder } = answer.error.detail
  const bar = $('takeover')
  bar.querySelector('span').textContent = say('lease', { lease: words['lease_' + lease], holder })
  bar.querySelector('button').dataset.kind = lease
  bar.hidden = false
  $('toast').hidden = true
  bar.querySelector('button').focus()
}
document.addEventListener('pingyi:answer', event => {
  const { detail, target } = event
  if (!detail.ok) return unreviewed(target, detail) || refused(detail)
  const kind = target.dataset?.act?.match(/\/leases\/(\w+)$/)?.[1]
  if (kind) mine(kind, detail.at)
})
async function send (method, path, body) {
  const answer = await api(method, path, body).catch(() => ({ ok: false, error: { message: document.body.dataset.offline } }))
  if (!answer.ok) { toast(answer.error?.message || String(answer.status), true); refused(answer) }
  return answer
}
$('takeover').querySelector('button').addEventListener('click', async event => {
  const { kind } = event.target.dataset
  const answer = await send('PUT', at('/leases/' + kind))
  if (!answer.ok) return
  mine(kind, answer.at)
  $('takeover').hidden = true
  toast(say('taken'))
})
// The fragment tells who holds a control and since when; that moment, kept here, tells “this console”.
function mine (kind, when) { stored('lease-' + kind, String(when)); marks() }
function marks () {
  for (const line of document.querySelectorAll('[data-lease]')) {
    if (line.dataset.at !== '0' && stored('lease-' + line.dataset.lease) === line.dataset.at) line.dataset.state = 'mine'
    else delete line.dataset.state
  }
}

// ── two acts with one press: answered, and the next question on stage ──
document.addEventListener('click', async event => {
  const button = event.target.closest('[data-chain]')
  if (!button || button.getAttribute('aria-busy')) return
  button.setAttribute('aria-busy', 'true')
  for (const [act, body] of JSON.parse(button.dataset.chain)) {
    const [method, path] = act.split(' ')
    if (!(await send(method, path, body)).ok) break
  }
  button.removeAttribute('aria-busy')
})

// ── dialogs ──
function open (dialog) { dialog.showModal ? dialog.showModal() : dialog.setAttribute('open', '') }
function close (dialog) { dialog.close ? dialog.close() : dialog.removeAttribute('open') }
let task = null                               // what the seat dialog was opened for
const openers = {
  help: () => open($('help-dialog')),
  rules: button => {
    $('rules-title').textContent = button.dataset.title
    const lines = [...document.querySelectorAll(`#rules-${CSS.escape(button.dataset.round)} li`)].map(one => one.cloneNode(true))
    $('rules-dialog').querySelector('ul').replaceChildren(...lines)
    open($('rules-dialog'))
  },
  void: button => {
    $('void-about').textContent = button.dataset.title
    $('void-reason').value = ''
    $('void-go').dataset.act = `POST /api/v1/rounds/${button.dataset.round}/voiding`
    open($('void-dialog'))
  },
  again: button => {
    const suffix = $('again-dialog').dataset.titled, room = $('again-name').maxLength - suffix.length
    $('again-about').textContent = button.dataset.title
    $('again-name').value = button.dataset.title.slice(0, room) + suffix
    $('again-go').dataset.act = `POST /api/v1/rounds/${button.dataset.round}/again`
    open($('again-dialog'))
  },
  deputy: button => {
    $('deputy-about').textContent = button.dataset.title
    $('deputy-name').value = button.dataset.name
    $('deputy-dialog').querySelector('form').dataset.act = `PATCH ${at('/agenda/' + button.dataset.item)}`
    open($('deputy-dialog'))
  },
  give: button => seats({ kind: 'give', question: button.dataset.question, about: button.dataset.title }),
  'off-cuff': button => seats({ kind: 'off-cuff', wish: button?.dataset.wish, seat: button?.dataset.seat, text: button?.dataset.text })
}
function seats (wanted) {
  task = wanted
  const off = wanted.kind === 'off-cuff'
  $('seat-title').textContent = say(off ? 'off_cuff' : 'give')
  $('seat-about').textContent = wanted.about || ''
  $('seat-about').hidden = !wanted.about
  for (const part of document.querySelectorAll('#seat-dialog [data-only]')) part.hidden = !off
  $('seat-number').value = wanted.seat || ''
  $('seat-name').value = ''
  $('seat-text').value = wanted.text || ''
  open($('seat-dialog'))
  $('seat-number').focus()
}
document.addEventListener('click', event => {
  const opener = event.target.closest('[data-open]')
  if (opener && !opener.disabled) openers[opener.dataset.open](opener)
  const closer = event.target.closest('[data-close]')
  if (closer) close(closer.closest('dialog'))
  const chosen = event.target.closest('#seat-dialog [data-seat-number]')
  if (chosen) choose(chosen.dataset.seatNumber)
})
$('seat-dialog').querySelector('form').addEventListener('submit', event => {
  event.preventDefault()
  const number = $('seat-number').value.trim(), name = $('seat-name').value.trim()
  if (number && !document.querySelector(`#seat-dialog [data-seat-number="${CSS.escape(number)}"]`)) return toast(say('no_seat', { n: number }), true)
  if (!number && !(name && task.kind === 'off-cuff')) return toast(say('nobody'), true)
  choose(number || name, !number)
})
async function choose (asker, byName) {
  const { kind, question, wish } = task
  const value = byName ? asker : +asker
  const answer = kind === 'give'
    ? await send('PUT', at(`/queue/${question}/asker`), { seat: value })
    : await send('PUT', at('/stage'), { asker: value, ...($('seat-text').value.trim() && { text: $('seat-text').value.trim() }) })
  if (!answer.ok) return
  close($('seat-dialog'))
  if (wish) send('POST', at(`/floor/${wish}/outcome`), { outcome: 'granted' })
}
// A question that nobody has seconded or verified goes on stage for a reason that is given here, by name.
let unready = null
function unreviewed (target, { error }) {
  if (!['not_seconded', 'not_verified'].includes(error?.code) || !target.dataset?.body) return false
  unready = JSON.parse(target.dataset.body)
  $('override-about').textContent = error.message
  $('override-reason').value = ''
  $('toast').hidden = true
  open($('override-dialog'))
  return true
}
$('override-dialog').querySelector('form').addEventListener('submit', async event => {
  event.preventDefault()
  const override = $('override-reason').value.trim()
  if (override && (await send('PUT', at('/stage'), { ...unready, override })).ok) close($('override-dialog'))
})
for (const id of ['void-dialog', 'again-dialog', 'deputy-dialog']) $(id).addEventListener('pingyi:answer', event => event.detail.ok && close($(id)))

// The text of a question that was asked off the cuff, typed while it is being answered or after. The
// form stays with its question while somebody types or has typed, whatever comes on stage meanwhile;
// what is typed is kept on the device with the question it is for.
const later = $('later-text')
let own = {}                                  // the question that the form is for, and its version
try { own = JSON.parse(stored('later')) || {} } catch { /* nothing was kept */ }
later.value = own.text || ''
function follow () {
  const { question, version, needsText } = $('stage').dataset
  if (!later.value && document.activeElement !== later) own = needsText ? { question } : {}
  if (own.question === question && needsText) own.version = +version
  $('later').hidden = !own.question
  $('later-left').hidden = !own.question || own.question === question
}
later.addEventListener('input', () => stored('later', JSON.stringify(later.value ? { ...own, text: later.value } : {})))
later.addEventListener('blur', () => setTimeout(follow, 1000))   // not between a press and its release: what lies below moves up
$('later').addEventListener('submit', async event => {
  event.preventDefault()
  if (event.target.getAttribute('aria-busy')) return
  const { question, version } = own, text = later.value
  event.target.setAttribute('aria-busy', 'true')
  const answer = await record(question, version, text)
  event.target.removeAttribute('aria-busy')
  if (!answer.ok) return
  own.version = answer.version
  if (later.value !== text) return
  later.value = ''
  stored('later', '{}')
  own = {}
  follow()
})
async function record (question, version, text) {
  const path = at('/desk/questions/' + question)
  const answer = await api('PATCH', path, { version, text }).catch(() => ({ ok: false, error: { message: document.body.dataset.offline } }))
  const now = answer.error?.code === 'version_stale' && answer.error.detail.current
  if (now && !now.text && now.version > version) return record(question, now.version, text)   // only its state has moved
  if (!answer.ok) toast(answer.error?.message || String(answer.status), true)
  return answer
}

// ── turnout: one letter an entitled seat, in the order of the map ──
const states = { c: 'cast', b: 'begun', '-': 'none' }
const turnout = new Map()
let tablets = {}                              // seat → how its tablet is
function seatmap () {
  for (const box of document.querySelectorAll('[data-turnout]')) {
    const one = turnout.get(box.dataset.turnout)
    if (!one) continue
    const slot = name => box.querySelector(`[data-pulse="${name}:${CSS.escape(box.dataset.turnout)}"]`)
    slot('begun').textContent = one.begun
    slot('none').textContent = one.due - one.cast - one.begun
    ;[...box.querySelectorAll('.seatmap li')].forEach((cell, i) => {
      const link = tablets[cell.textContent.trim()]?.state
      const state = (states[one.seats[i]] || 'none') + (link === 'gone' || link === 'silent' ? '-' + link : '')
      if (cell.dataset.state !== state) cell.dataset.state = state
    })
  }
}
function count (rounds) {
  for (const [id, one] of Object.entries(rounds || {})) turnout.set(id, one)
  seatmap()
}
// ── load: which numbers the public is told less often, and that nothing else is touched ──
function load (step) {
  if (step === undefined) return
  $('load').hidden = step === 0
  $('load').textContent = $('load').title = step ? say('load', { step, what: words['load_' + step] }) : ''
}
function numbers ({ turnout, load: step }) { count(turnout); load(step) }
document.addEventListener('pingyi:pulse', event => numbers(event.detail))
async function lookAtNumbers () {
  try {
    const answer = await fetch(`/h/${slug}/host/numbers`, { headers: { 'X-Pingyi-Seat': seat || '' } })
    if (answer.ok) numbers(await answer.json())
  } catch { /* the next pulse brings them */ }
}

// ── the panel's tablets: a sign and a word for each, the battery where its browser tells ──
const signs = { up: '●', silent: '▲', gone: '✕', never: '○' }
const LOW = 20                                // percent, where it is not on the mains
const time = at => new Date(at + 8 * 3600e3).toISOString().slice(11, 19)
function showTablets () {
  const sum = { up: 0, silent: 0, gone: 0, never: 0 }, trouble = []
  for (const cell of document.querySelectorAll('#tablets-map li')) {
    const { seatNumber: n, name } = cell.dataset
    const one = tablets[n]
    if (!one) continue
    const { state, seen, battery, charging } = one
    const low = state === 'up' && battery !== null && battery < LOW && !charging
    sum[state]++
    cell.dataset.state = low ? 'low' : state
    const [sign, word] = cell.querySelectorAll('span')
    const level = battery === null || battery === undefined || state !== 'up' ? '' : `${battery}%` + (charging ? '⚡' : '')
    sign.textContent = `${signs[state]} ${level}`.trim()
    word.textContent = [words['tablet_' + state], level && say('tablet_battery', { battery: battery + '%' }), charging && words.tablet_charging].filter(Boolean).join('，')
    cell.title = `${n} ${name} · ${word.textContent}`
    if (state === 'gone' || state === 'silent') trouble.push(say('tablet_seen', { n, name, what: words['tablet_' + state], at: time(seen) }))
    if (low) trouble.push(say('tablet_low', { n, name, battery: battery + '%' }))
  }
  $('tablets-sum').textContent = say('tablets_sum', sum)
  $('tablets-trouble').replaceChildren(...trouble.map(text => Object.assign(document.createElement('li'), { textContent: text })))
  seatmap()
}
async function lookAtTablets () {
  try {
    const answer = await fetch(`/h/${slug}/host/tablets`, { headers: { 'X-Pingyi-Seat': seat || '' }, signal: AbortSignal.timeout(10000) })
    if (answer.ok) tablets = await answer.json()
    showTablets()
  } catch { /* the next look shows it */ }
}
setInterval(lookAtTablets, 3000)

// ── spare tablets that ask for a seat: said in the head of the console, wherever one has scrolled ──
function asks () {
  const n = document.querySelectorAll('#takeovers li').length
  $('spare-asks').hidden = !n
  $('spare-asks').textContent = say('spare_asks', { n })
}

// ── link ──
function link (state) { $('link').dataset.state = state; $('link').textContent = words[state] }
document.addEventListener('pingyi:up', () => { link('up'); lookAtNumbers() })
document.addEventListener('pingyi:down', () => link('down'))
document.addEventListener('pingyi:out', () => link('out'))
document.addEventListener('pingyi:swapped', () => { marks(); follow(); seatmap(); asks(); showTablets(); nextPictures() })

// ── keys ──
let pressed = 0
function press (id) {
  const button = $(id)
  if (!button || button.disabled || button.getAttribute('aria-busy') || Date.now() - pressed < 400) return
  pressed = Date.now()                         // a worn clicker sends a press twice
  button.click()
}
$('keys-on').checked = stored('keys') !== 'off'
$('keys-on').addEventListener('change', () => stored('keys', $('keys-on').checked ? 'on' : 'off'))
document.addEventListener('keydown', event => {
  const { target, key } = event
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (target.matches?.('input, textarea, select, [contenteditable]') || document.querySelector('dialog[open]')) return
  const onControl = target.matches?.('button, a, summary, [role="radio"]')
  const act = {
    PageDown: () => press('next'), ArrowRight: () => press('next'),
    ' ': onControl ? null : () => press('next'),        // on a button, space presses that button
    PageUp: () => press('back'), ArrowLeft: () => press('back')
  }[key] ?? (!$('keys-on').checked ? null : {
    b: () => press('clear'), '.': () => press('clear'), o: () => press('off-cuff'), '?': () => openers.help()
  }[key.toLowerCase()])
  if (!act) return
  event.preventDefault()
  act()
})

// ── order of the agenda and of the queue ──
const placed = n => tell(say('place', { n }))
ordered('show', ids => send('PUT', at('/agenda'), { order: ids }), placed)
ordered('queue', (ids, list) => send('PUT', at('/queue'), { version: +list.dataset.version, ids: ids.map(Number) }), placed)

// ── the hall screen at the next step of a reveal: as whom it is fetched only this window knows ──
const pictured = new WeakMap()                // frame → the address that it shows
function nextPictures () {
  for (const frame of document.querySelectorAll('iframe[data-next]')) {
    frame.style.transform = `scale(${frame.parentElement.clientWidth / 1920})`
    const address = `${frame.dataset.next}&seat=${encodeURIComponent(seat || '')}`
    if (pictured.get(frame) === address) continue
    pictured.set(frame, address)
    frame.contentWindow.location.replace(address)
  }
}
nextPictures()
window.addEventListener('resize', nextPictures)

// ── small pictures of the screens ──
function previews (shown) {
  $('previews').hidden = !shown
  $('previews-toggle').setAttribute('aria-expanded', String(shown))
  for (const frame of document.querySelectorAll('#previews iframe')) {
    if (shown && !frame.src) frame.src = frame.dataset.src
    if (!shown) frame.removeAttribute('src')   // a hidden screen needs no socket
  }
  stored('previews', shown ? 'on' : 'off')
}
$('previews-toggle').addEventListener('click', () => previews($('previews').hidden))
previews(stored('previews') === 'on')

marks()
follow()
asks()
lookAtTablets()
lookAtNumbers()

// ── what was asked beside what was received: read while it is open, and seldom, for it counts them all ──
const FAIR_MS = 5000, FAIR_TIMES = 20        // and never for more than a twentieth of the time
let fairAt = 0, fairTook = 0, fairDue
async function fairness () {
  clearTimeout(fairDue)
  fairDue = null
  if (!$('fairness').open) return
  fairAt = Date.now()
  try {
    const address = `/h/${slug}/host/fairness?lang=${document.body.dataset.lang}`
    const answer = await fetch(address, { headers: { 'X-Pingyi-Seat': seat || '' } })
    if (answer.ok) $('fairness').querySelector('[data-part="chart"]').innerHTML = await answer.text()
    fairTook = Date.now() - fairAt
  } catch { /* the next cue asks again */ }
}
$('fairness').addEventListener('toggle', fairness)
document.addEventListener('pingyi:cue', ({ detail }) => {
  if (detail.event?.startsWith('question_') && $('fairness').open && !fairDue) fairDue = setTimeout(fairness, Math.max(300, fairAt + Math.max(FAIR_MS, FAIR_TIMES * fairTook) - Date.now()))
})
