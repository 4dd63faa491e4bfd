// live.js owns the page's one socket: resume, backoff, keys, unsent acts (see docs/live-pages.md).
//
// The page says where it stands on <body>: data-socket, data-epoch, data-version. A frame's
// `content` is a string of fragments, each with its target's id:
//   an id that is on the page        → that element is morphed (focus and input inside survive)
//   data-into="LIST" and a new id    → a list item (lists.js)
//   data-gone                        → the element with that id leaves the page
//   data-only="LIST" data-ids="…"    → all that LIST holds now
// Pulses are numbers: they go into [data-pulse] slots and [data-bar] widths, never into markup.
// Law 7: nothing here touches an element that is, or holds, a [data-own] (forms live in those).

import { drop, keep, put, settle } from './lists.js'
import { anchor } from './steady.js'

const body = document.body
const unsentName = 'pingyi-unsent:' + location.pathname
const own = '[data-own]'
let socket, retry = { base_ms: 500, cap_ms: 30000 }, tries = 0, timer, heard = 0, notBefore = 0
let epoch = body.dataset.epoch || '', version = +(body.dataset.version || 0)
let skew = 0, chain = Promise.resolve()
const unsent = new Map(read())               // key → frame of an act that has no answer yet
const sent = new Map([...unsent.keys()].map(key => [key, 1]))   // key → how often it went out: what a reload finds, perhaps once
const timers = new Map()                     // key → when it goes again
const waiting = new Map()                    // key → resolve of an act that awaits its answer

export const now = () => Date.now() + skew   // the server's clock, as well as frames tell it
export function newKey () {                  // crypto.randomUUID does not exist over plain http
  return [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
}
function read () { try { return JSON.parse(localStorage.getItem(unsentName)) || [] } catch { return [] } }
function store () { try { localStorage.setItem(unsentName, JSON.stringify([...unsent])) } catch { /* private mode */ } }
function tell (name, detail) { return document.dispatchEvent(new CustomEvent('pingyi:' + name, { detail, cancelable: true })) }

function connect () {
  clearTimeout(timer)
  const url = new URL(body.dataset.socket, location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  const ask = { as: 'html', lang: body.dataset.lang, seat: body.dataset.seat }
  if (epoch) Object.assign(ask, { epoch, version })
  for (const [name, value] of Object.entries(ask)) if (value !== undefined) url.searchParams.set(name, value)
  socket = new WebSocket(url)
  socket.onopen = () => { tell('up'); flush() }
  socket.onmessage = event => {
    heard = Date.now()
    const frame = JSON.parse(event.data)
    if (frame.type === 'wait') comeBack(frame.retry_ms)
    chain = chain.then(() => take(frame)).catch(e => console.error(e))
  }
  socket.onclose = event => {
    tell('down', event.code)
    if (event.code === 4401 || event.code === 4403) return tell('out', event.code)
    if (event.code === 1012) comeBack(+event.reason)
    again()
  }
}
function comeBack (ms) { notBefore = performance.now() + (ms || 0) }
function again () {                          // full jitter: 16,000 pages must not return as one
  const cap = Math.min(retry.cap_ms, retry.base_ms * 2 ** tries++)
  timer = setTimeout(connect, Math.max(0, notBefore - performance.now()) + Math.random() * cap)
}
function wake () {                           // back from sleep or a dead network: do not wait
  if (performance.now() < notBefore) return  // but for a server that is full or restarts and said how long
  if (!socket || socket.readyState > 1 || Date.now() - heard > 45000) { tries = 0; socket?.close(); clearTimeout(timer); connect() }
}
addEventListener('online', wake)
document.addEventListener('visibilitychange', () => document.hidden || wake())
setInterval(() => { if (socket?.readyState === 1 && Date.now() - heard > 45000) socket.close() }, 5000)

async function take (frame) {
  skew = frame.at - Date.now()
  if (frame.type === 'pulse') return pulse(frame)
  if (frame.type === 'ack' || frame.type === 'refusal') return answered(frame)
  if (frame.type === 'unknown') return later(frame)
  if (frame.type === 'wait') return
  tries = 0
  if (frame.type === 'snapshot') {
    if (frame.retry) retry = frame.retry
    const fresh = frame.epoch !== epoch
    epoch = frame.epoch
    version = frame.version
    if (fresh && body.dataset.epoch) return renew()             // another run: another page
    body.dataset.epoch = epoch
    await swap(frame.content, true)
  } else if (frame.type === 'cue') {
    version = frame.version
    await swap(frame.content, false)
    if (frame.say) say(frame.say)
  }
  body.dataset.version = version
  tell('cue', frame)
}

async function renew () {                    // never a browser's error page on a screen (law 15)
  const there = () => fetch(location.href, { cache: 'reload' }).then(answer => answer.ok, () => false)
  while (!await there()) await new Promise(resolve => setTimeout(resolve, 1000 + 2000 * Math.random()))
  location.reload()
}

export async function swap (content, whole) {
  if (!content) return
  const steady = anchor()
  const holder = document.createElement('template')
  holder.innerHTML = content
  for (const piece of [...holder.content.children]) {
    if (piece.dataset.only) { keep(piece); continue }
    const target = document.getElementById(piece.id)
    if (piece.hasAttribute('data-gone')) { if (target && !target.closest(own)) target.remove(); drop(piece.id) }
    else if (target) {
      if (target.closest(own)) continue
      await htmx.swap({ target, sourceElement: target, text: piece.outerHTML, swap: 'outerMorph' })
    } else if (piece.dataset.into) put(piece, whole)
  }
  settle(whole)
  tell('swapped')                            // what scripts put on it now (countdowns, mine) may change its height too
  steady()
}
// ── numbers ──
function set (name, value) { for (const slot of document.querySelectorAll(`[data-pulse="${name}"]`)) if (slot.textContent !== String(value)) slot.textContent = value }
function pulse (frame) {
  if (frame.viewers !== undefined) set('viewers', frame.viewers)
  if (frame.likes !== undefined) set('likes', frame.likes)
  for (const kind of ['support', 'fates', 'reasons']) for (const [name, n] of Object.entries(frame[kind] || {})) set(`${kind}:${name}`, n)
  for (const [id, round] of Object.entries(frame.rounds || {})) {
    set('cast:' + id, round.cast)
    for (const [choice, n] of Object.entries(round.counts || {})) {   // perhaps not of every choice
      set(`count:${id}:${choice}`, n)
      for (const bar of document.querySelectorAll(`[data-bar="${id}:${choice}"]`)) bar.style.width = (round.cast ? 100 * n / round.cast : 0) + '%'
    }
  }
  tell('pulse', frame)
}

// One polite sentence for each act; counts and countdowns stand outside live regions. A page that has
// said it to this person in words of its own prevents it.
function say (sentence) { const ear = document.getElementById('say'); if (ear && tell('say', sentence)) ear.textContent = sentence }

// ── acts ──
// Sends a frame with a key of its own; resolves with its ack or refusal, however often the
// connection breaks meanwhile: the same key is sent again until there is an answer. It bears the
// run's epoch: what was held up on its way out of a rehearsal is refused by the real run. A vote gives
// up an earlier one of its round that still waits: sent after it, that one would replace it.
export function act (frame) {
  for (const [key, { round }] of unsent) if (round && round === frame.round) answered({ type: 'given_up', key })
  frame.key ||= newKey()
  frame.epoch = epoch
  unsent.set(frame.key, frame)
  store()
  resend(frame.key)
  return new Promise(resolve => waiting.set(frame.key, resolve))
}
export function send (frame) {                // false = there is no connection
  if (socket?.readyState !== 1) return false
  socket.send(JSON.stringify(frame))
  return true
}
export function flush () { for (const key of unsent.keys()) resend(key) }
function resend (key) {
  clearTimeout(timers.get(key))
  const frame = unsent.get(key)
  if (frame && send(frame)) sent.set(key, (sent.get(key) || 0) + 1)
}
// Not before the time that the frame tells, each time later, and no two pages at the same moment: a
// key that is sent thirty times a minute is refused itself.
function later ({ key, retry_ms: told = 800 }) {
  const wait = Math.max(told, Math.min(10000, 800 * 2 ** ((sent.get(key) || 1) - 1)))
  clearTimeout(timers.get(key))
  timers.set(key, setTimeout(resend, wait * (1 + Math.random() / 2), key))
}
// Too many at once: a vote or a 同问 waits and goes again. Who asks too much is told so and keeps his
// text; but a question that went out before may be there already, and only its key brings its answer.
function goesAgain ({ code, key }) {
  return code === 'too_many' && unsent.has(key) && (unsent.get(key).type !== 'ask' || sent.get(key) > 1)
}
function answered (frame) {
  // Not refused for good: the page gets itself a viewer token and flushes.
  if (frame.code === 'viewer_needed' && unsent.has(frame.key)) return tell('viewer', frame)
  if (goesAgain(frame)) return later(frame)
  for (const kept of [unsent, sent, timers]) kept.delete(frame.key)
  store()
  waiting.get(frame.key)?.(frame)
  waiting.delete(frame.key)
  tell(frame.type, frame)
}
// Every module of the page has run by then and listens: the first frames find them all.
if (body.dataset.socket) document.readyState === 'complete' ? connect() : document.addEventListener('DOMContentLoaded', connect)
