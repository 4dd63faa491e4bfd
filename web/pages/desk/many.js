// many.js: one decision about many questions, and the whole of it taken back, as is the last act on a single
// one; and one question written from many orders.

import { toast } from '../../act.js'
import { $, chosen, list, rows, say, send, slug } from './common.js'

const path = `/api/v1/hearings/${slug}/desk/bulk`
const bar = $('many'), undo = $('undo')
const boxes = () => [...list.querySelectorAll('[data-pick]')]
export const picked = () => boxes().filter(box => box.checked).map(box => +box.dataset.pick)
const TOLD_MS = 10_000
// What Z takes back (`last`): the last act, on many questions or on one.
let last = null, anchor = null, told_for

function told () {
  const n = picked().length
  bar.hidden = n === 0
  $('many-reasons').hidden = true
  bar.querySelector('[data-part="picked"]').textContent = say('picked', { n })
  for (const box of boxes()) box.closest('li').classList.toggle('picked', box.checked)
}
export function unpicked () { for (const box of boxes()) box.checked = false; anchor = null; told() }
list.addEventListener('click', event => {
  const box = event.target.closest('[data-pick]')
  if (!box) return
  if (event.shiftKey && anchor) {             // from the one before to this one
    const all = boxes(), [a, b] = [all.indexOf(anchor), all.indexOf(box)].sort((x, y) => x - y)
    for (const one of all.slice(a, b + 1)) one.checked = box.checked
  }
  anchor = box
  told()
})

async function act (what, more = {}) {
  const ids = picked()
  if (!ids.length) return
  bar.setAttribute('aria-busy', 'true')
  const answer = await send('POST', path, { act: what, ids, ...more })
  bar.removeAttribute('aria-busy')
  if (!answer.ok) return
  last = answer.undo ? { path: `${path}/${answer.undo}` } : null
  const done = new Set(answer.done.map(one => String(one.id)))
  const status = { approve: 'approved', reject: 'rejected', shortlist: 'shortlisted', merge: 'merged' }[what]
  for (const row of rows()) {
    if (!done.has(row.dataset.row) || !status) continue
    const chip = row.querySelector('.row-facts .chip')
    chip.textContent = say('st_' + status)
    chip.className = 'chip st-' + status
    row.classList.add('left')
  }
  unpicked()
  tell(answer, 'done_many')
  document.dispatchEvent(new CustomEvent('pingyi:many'))
}
function tell (answer, word) {
  const why = [...new Set(answer.refused.map(one => one.message))].join(' ')
  stands(say(word, { n: answer.done.length }) +
    (answer.refused.length ? ' ' + say('refused_many', { n: answer.refused.length, why }) : ''), answer.refused.length > 0)
}
function stands (words, warn = false, alone = false) {
  undo.hidden = false
  undo.classList.toggle('warn', warn)
  undo.classList.toggle('alone', alone)
  undo.querySelector('[data-part="done"]').textContent = words
  undo.querySelector('button').hidden = !last
  undo.querySelector('button').firstChild.textContent = say(alone ? 'undo_one' : 'undo_all') + ' '
  clearTimeout(told_for)
  if (alone) told_for = setTimeout(gone, TOLD_MS)
}
// Of a single act it is told for a while, over the list, so that nothing moves; not taken from under a hand.
function gone () {
  if (undo.matches(':hover, :focus-within')) told_for = setTimeout(gone, TOLD_MS)
  else undo.hidden = true
}
// After an act on one question (`act` as in data-act): it can be taken back until there is another, or until
// something else is done to the same one.
export function remember (act, id, answer) {
  if (/^POST .*\/(approval|rejection|shortlisting|merging)$/.test(act)) {
    last = { path: act.slice(5), id, version: answer.version, code: answer.code }
    stands(`${say('st_' + answer.status)} ${answer.code}`, false, true)
  } else if (last?.id === id) { last = null; undo.hidden = true }
}
async function back () {
  if (!last || undo.getAttribute('aria-busy')) return
  const taken = last
  undo.setAttribute('aria-busy', 'true')
  const answer = await send('DELETE', taken.path, taken.id ? { version: taken.version } : {})
  undo.removeAttribute('aria-busy')
  if (taken.id) return backOne(taken, answer)
  if (!answer.ok) return
  if (last === taken) last = null
  tell(answer, 'undone')
  const done = new Set(answer.done.map(one => String(one.id)))
  for (const row of rows()) if (done.has(row.dataset.row)) row.classList.remove('left')
  document.dispatchEvent(new CustomEvent('pingyi:many'))
}
function backOne (taken, answer) {
  // Somebody has worked on it since: it is his now, and stays as it is.
  if (answer.error?.code === 'version_stale') toast(`${taken.code} ${answer.error.message}`, true)
  if (!answer.ok) return
  if (last === taken) { last = null; stands(say('undone_one', { code: taken.code }), false, true) }
  const row = $('row-' + taken.id), chip = row?.querySelector('.row-facts .chip')
  if (chip && say('st_' + answer.status)) { chip.textContent = say('st_' + answer.status); chip.className = 'chip st-' + answer.status }
  row?.classList.remove('left')
  document.dispatchEvent(new CustomEvent('pingyi:back', { detail: { id: taken.id } }))
}
undo.querySelector('button').addEventListener('click', back)
const acts = {
  approve: () => act('approve'), shortlist: () => act('shortlist'), none: unpicked,
  reject: () => { $('many-reasons').hidden = !$('many-reasons').hidden },
  merge: () => { const ids = picked(); if (ids.length > 1) act('merge', { into: Math.min(...ids) }) }
}
bar.addEventListener('click', event => {
  const button = event.target.closest('button')
  if (button?.dataset.reason) act('reject', { reason: button.dataset.reason })
  else if (button) acts[button.dataset.many]?.()
})
$('many-subject').addEventListener('change', event => { if (event.target.value) act('assign', { subject: event.target.value }); event.target.value = '' })
$('many-tags').addEventListener('keydown', event => {
  if (event.key !== 'Enter' || event.isComposing) return
  event.preventDefault()
  const tags = event.target.value.split(/[\s,，、]+/).filter(Boolean)
  if (tags.length) { act('tag', { tags }); event.target.value = '' }
})

// A key that means many: true when it was one.
export function manyKey (key, shift, current) {
  if (key === ' ') {
    if (shift) for (const box of boxes()) box.checked = true
    else { const box = list.querySelector(`[data-pick="${current}"]`); if (!box) return false; box.checked = !box.checked; anchor = box }
    told()
    return true
  }
  if (key.toLowerCase() === 'z') { back(); return true }
  if (!picked().length) return false
  if (key === 'Escape') { unpicked(); return true }
  if (/^[1-8]$/.test(key) && !$('many-reasons').hidden) { $('many-reasons').children[key - 1].click(); return true }
  const name = { a: 'approve', r: 'reject', s: 'shortlist', m: 'merge' }[key.toLowerCase()]
  if (name) acts[name]()
  return Boolean(name)
}

// ── a question from a group ──
chosen.addEventListener('input', event => {
  if (event.target.id === 'write-text') $('write-count').textContent = say('chars', { n: [...event.target.value].length })
})
chosen.addEventListener('submit', async event => {
  if (event.target.id !== 'write') return
  event.preventDefault()
  const form = event.target
  if (form.getAttribute('aria-busy')) return
  const from = [...form.querySelectorAll('[name="order"]:checked')].map(box => +box.value)
  const typical = +form.elements.typical.value
  const body = { text: form.elements.text.value, from, subject: form.elements.subject.value || null }
  if (from.includes(typical)) body.typical = typical
  form.setAttribute('aria-busy', 'true')
  const answer = await send('POST', form.dataset.path, body)
  form.removeAttribute('aria-busy')
  if (!answer.ok) return
  toast(say('written', { code: answer.code, n: from.length }))
  document.dispatchEvent(new CustomEvent('pingyi:written', { detail: { id: answer.id } }))
})
