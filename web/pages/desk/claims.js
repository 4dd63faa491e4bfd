// claims.js: who works on what. Opening something to be filled in shows the others who has it open, and keeps
// them from opening it too; C claims it firmly, so that nobody else decides. Either is renewed while the
// question stays open and given back when he moves on.

import { $, address, chosen, list, me, questionPath, say, send } from './common.js'
import { api } from '../../act.js'
import { now } from '../../live.js'

const LAPSES_MS = 10 * 60_000                 // as server/domain/claims.py
const RENEWED_MS = 60_000
let held = null, renewing

const claimOf = id => document.querySelector(`#claims [data-claimed="${id}"]`)?.dataset
// By the server's clock, which said when it was claimed: this desk's own may be minutes off.
const fresh = claim => claim && now() - claim.at < LAPSES_MS

// Marks every row that somebody works on, and says it over the chosen question.
export function claimed (current) {
  for (const row of list.querySelectorAll('[data-row]')) {
    const claim = claimOf(row.dataset.row), place = row.querySelector('.held')
    if (!place) continue
    place.hidden = !fresh(claim)
    place.textContent = fresh(claim) ? (claim.by === me ? say('mine_now') : say('claimed', { name: claim.name })) : ''
    place.classList.toggle('mine', claim?.by === me)
  }
  const note = chosen.querySelector('[data-part="claim"]'), claim = claimOf(current)
  if (!note) return
  const mine = claim?.by === me
  note.hidden = !fresh(claim)
  if (note.hidden) return
  note.classList.toggle('warn', !mine)
  note.querySelector('[data-part="claimant"]').textContent = mine ? say('mine_now') : say('claimed', { name: claim.name })
  note.querySelector('button').firstChild.textContent = (!mine ? say('take_over') : 'firm' in claim ? say('let_go') : say('claim')) + ' '
}
document.addEventListener('pingyi:swapped', () => claimed(chosen.querySelector('.pane')?.dataset.id))

// Whoever else has it open, or nobody.
export function heldBy (id) {
  const claim = claimOf(id)
  return fresh(claim) && claim.by !== me ? claim.name : ''
}
export async function hold (id) {
  if (!id || held === id || heldBy(id)) return
  const answer = await api('PUT', questionPath(id) + '/claim', { firm: false }).catch(() => ({}))
  if (answer.ok) keepUp(id)
}
function keepUp (id) {
  held = id
  clearInterval(renewing)
  renewing = setInterval(() => api('PUT', questionPath(id) + '/claim', { firm: false }).catch(() => {}), RENEWED_MS)
}
// Taken over from somebody, claimed when nobody has it, given back when it is mine.
export async function takeOver (id) {
  if (!id) return
  const claim = claimOf(id)
  if (fresh(claim) && claim.by === me && 'firm' in claim) { held = id; return release() }
  const answer = await send('PUT', questionPath(id) + '/claim', { take_over: true })
  if (answer.ok) keepUp(id)
}
// Of a question that is out of his sight the server has dropped it already, and knows it no more.
export function dropped () {
  clearInterval(renewing)
  held = null
}
export function release () {
  clearInterval(renewing)
  if (!held) return
  const id = held
  held = null
  if (claimOf(id)?.by === me || !claimOf(id)) api('DELETE', questionPath(id) + '/claim', {}).catch(() => {})
}

// ── what waits for the duty person ──
const duty = $('duty')
let shown = ''
// Put in only when it says something else: what is held down or folded open stays as it is. What was open stays
// open when all of it is acknowledged.
async function watch () {
  const answer = await fetch(address('duty')).catch(() => null)
  const text = answer?.ok ? await answer.text() : shown
  if (text === shown) return
  const open = duty.querySelector('details')?.open
  duty.innerHTML = shown = text
  if (open && duty.firstElementChild) duty.firstElementChild.open = true
}
if ('duty' in document.body.dataset) {
  watch()
  duty.addEventListener('pingyi:answer', watch)
  document.addEventListener('pingyi:cue', event => { if (event.detail.type === 'snapshot' || /escalat|moderated/.test(event.detail.event || '')) watch() })
}
