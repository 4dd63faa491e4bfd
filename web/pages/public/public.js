// public.js: what this browser did (网络评价, 同问, 点赞) and its viewer token.
//
// Fragments are the same for everyone; what is mine is put on here after each of them. The token is
// made at the first act, not on arrival, and only a browser that has one asks what it has done.
import { act, flush, newKey, send } from '../../live.js'
import { holds } from './offline.js'

const { slug } = document.body.dataset
const name = 'pingyi-viewer'
export const mine = { votes: {}, supports: new Set(), questions: [] }
let token = stored()
let making

function stored () { try { return localStorage.getItem(name) } catch { return null } }

// ── the viewer token ──
async function make () {
  const answer = await fetch('/api/v1/viewers', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })
  if (!answer.ok) throw new Error(String(answer.status))
  token = (await answer.json()).viewer
  try { localStorage.setItem(name, token) } catch { /* private mode: good until the page goes */ }
}
async function viewer (again) {
  if (again) token = null
  if (!token) await (making ||= make().finally(() => { making = undefined }))
  send({ type: 'viewer', viewer: token })
}
// Does an act as this viewer; resolves with its ack or refusal.
export function perform (frame) { return holds(carried(frame)) }
async function carried (frame) {
  frame.key ||= newKey()
  for (let tries = 0; !token; tries++) {
    try { await viewer() } catch { await new Promise(resolve => setTimeout(resolve, Math.min(8000, 500 * 2 ** tries))) }
  }
  return act(frame)
}
document.addEventListener('pingyi:up', () => { if (token) send({ type: 'viewer', viewer: token }) })
document.addEventListener('pingyi:viewer', () => viewer(true).then(flush, () => setTimeout(() => viewer(true).then(flush), 3000)))

// ── mine ──
async function remember () {
  if (!token) return
  const answer = await fetch('/api/v1/viewers/me?hearing=' + encodeURIComponent(slug), {
    headers: { Authorization: 'Bearer ' + token }, cache: 'no-store'
  }).catch(() => null)
  if (!answer?.ok) return
  const found = await answer.json()
  mine.votes = { ...found.votes, ...mine.votes }
  for (const code of found.supports || []) mine.supports.add(code)
  mine.questions = found.questions || []
  show()
  document.dispatchEvent(new CustomEvent('pingyi:mine'))
}
function press (button, on) {
  if (button.getAttribute('aria-pressed') !== String(on)) button.setAttribute('aria-pressed', on)
}
function show () {
  for (const form of document.querySelectorAll('form[data-vote]')) {
    for (const button of form.querySelectorAll('[name=choice]')) press(button, mine.votes[form.dataset.vote] === button.value)
  }
  for (const button of document.querySelectorAll('[data-support]')) press(button, mine.supports.has(button.dataset.support))
}
document.addEventListener('pingyi:swapped', show)
document.addEventListener('pingyi:ack', ({ detail }) => {      // also of acts sent before a reload
  if (detail.round) mine.votes[detail.round] = detail.choice
  if (detail.question) {
    mine.supports[detail.on ? 'add' : 'delete'](detail.question)
    for (const slot of document.querySelectorAll(`[data-pulse="support:${detail.question}"]`)) slot.textContent = detail.support
  }
  show()
})

// ── acts ──
const say = text => { document.getElementById('say').textContent = text }
function toast (text) {
  const place = document.getElementById('toast')
  place.textContent = text
  place.dataset.bad = 'yes'
  place.hidden = false
  clearTimeout(toast.timer)
  toast.timer = setTimeout(() => { place.hidden = true }, 6000)
}
async function carry (button, frame, done) {
  if (button.getAttribute('aria-busy')) return
  button.setAttribute('aria-busy', 'true')
  const answer = await perform(frame)
  document.getElementById(button.id)?.removeAttribute('aria-busy')
  button.removeAttribute('aria-busy')
  if (answer.type === 'refusal') toast(answer.message)
  else if (answer.type === 'ack') say(done)
}
document.addEventListener('submit', event => {
  const form = event.target.closest('form[data-vote]')
  if (!form) return
  event.preventDefault()
  const button = event.submitter || document.activeElement     // Safari 15.0–15.3 has no submitter
  if (button?.name !== 'choice') return
  const label = button.firstElementChild.textContent
  if (form.dataset.sure && !mine.votes[form.dataset.vote] && !confirm(`${form.dataset.sure} “${label}”`)) return
  carry(button, { type: 'vote', round: form.dataset.vote, choice: button.value }, label)
})
document.addEventListener('click', event => {
  const button = event.target.closest('[data-support]')
  if (!button) return
  const code = button.dataset.support
  carry(button, { type: 'support', question: code, on: !mine.supports.has(code) }, button.textContent)
})

// Taps on 点赞 are gathered and sent at most twice a second, ten at a time. Without a connection they
// are kept and the page says so; they belong to the run that was on this page when they were made.
const like = document.querySelector('[data-like]')
let taps = 0, sending, counted
async function applaud () {
  if (!taps || sending) return
  if (!token) await viewer().catch(() => {})
  const n = Math.min(10, taps)
  if (!n || sending) return
  if (navigator.onLine === false || !send({ type: 'like', n, epoch: document.body.dataset.epoch })) {
    if (!counted) holds(new Promise(resolve => { counted = resolve }))
    return
  }
  taps -= n
  counted = counted?.()
  sending = setTimeout(() => { sending = undefined; applaud() }, 500)
}
document.addEventListener('pingyi:up', applaud)
document.addEventListener('pingyi:pulse', applaud)   // back online on the same socket: it is heard again
if (like) {
  like.hidden = false
  like.addEventListener('click', () => {
    like.dataset.tapped = ''
    setTimeout(() => { delete like.dataset.tapped }, 160)
    taps++
    applaud()
  })
}

document.documentElement.classList.add('scripted')
show()
remember()
