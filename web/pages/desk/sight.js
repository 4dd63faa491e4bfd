// sight.js: what went to the duty person is blanked wherever it stands on everybody else's screen: its row, the
// row of its group, the pane, the form that writes a question from a group, the twins of another question.
// Whatever somebody types elsewhere stays as it is.

import { $, address, chosen, filters, list, rows, say } from './common.js'

const AT_ONCE = 200                           // as web/pages/desk/views.py
const STILL_ON_ITS_WAY_MS = 30_000            // what was asked for before may come in after
const AGAIN_MS = 2000

const shownIds = () => [...new Set([
  ...rows().map(row => row.dataset.row).filter(id => /^\d+$/.test(id)),
  ...[...chosen.querySelectorAll('[data-shows], .pane[data-id]')].map(one => one.dataset.shows || one.dataset.id)
])]

// Asked until there is an answer: a screen must not keep a text because the network was gone for a moment.
let asking = false, once_more = false, later
export async function lookAgain () {
  clearTimeout(later)
  if (asking) { once_more = true; return }
  asking = true
  try {
    do {
      once_more = false
      const ids = shownIds()
      for (let i = 0; i < ids.length; i += AT_ONCE) {
        const asked = await got('unseen', ids.slice(i, i + AT_ONCE).map(id => ['id', id]))
        for (const id of (await asked.json()).ids) blank(String(id))
      }
      await regroup()
    } while (once_more)
  } catch { later = setTimeout(lookAgain, AGAIN_MS) } finally { asking = false }
}
async function got (what, asked) {
  const answer = await fetch(address(what) + asked.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join(''))
  if (!answer.ok && ![401, 403, 404].includes(answer.status)) throw new Error(String(answer.status))
  return answer.ok ? answer : { json: () => ({ ids: [] }), text: () => null }
}

const said = (tag = 'p') => Object.assign(document.createElement(tag), { className: 'empty', textContent: say('st_escalated') })
function blank (id) {
  const row = $('row-' + id), pick = row?.querySelector('[data-pick]')
  if (row) empty(row, say('st_escalated'))
  if (pick?.checked) pick.click()
  if (pick) pick.disabled = true
  for (const one of chosen.querySelectorAll(`[data-shows="${id}"]`)) one.classList.contains('order') ? leaveOut(one) : one.replaceChildren(said())
  const pane = chosen.querySelector(`.pane[data-id="${id}"]`)
  document.dispatchEvent(new CustomEvent('pingyi:unseen', { detail: { id } }))
  if (!pane) return
  const focused = pane.contains(document.activeElement)
  chosen.replaceChildren(said())
  if (focused) chosen.focus()
}
function empty (row, words) {
  row.querySelector('.row-title')?.remove()
  row.querySelector('.row-text').textContent = words
  row.querySelector('.row-facts').replaceChildren()
  row.classList.add('left')
}
// An order that a question was to be written from: the question is written from the others.
function leaveOut (order) {
  const [typical, taken] = order.querySelectorAll('input')
  order.querySelector('.grow').replaceChildren(said())
  taken.checked = false
  if (typical.checked) { const other = [...chosen.querySelectorAll('[name="typical"]')].find(one => one !== typical && !one.disabled); if (other) other.checked = true }
  typical.disabled = taken.disabled = true
}

// A group's row shows one of its orders, and which one is not known here: the rows get the words that they
// have now, where they stand. Those that are gone keep none.
async function regroup () {
  const shown = rows().filter(row => row.querySelector('[data-group]'))
  if (!shown.length) return
  const { value } = filters.elements.subject
  const page = await (await got('groups', value ? [['subject', value]] : [])).text()
  if (page === null) return
  const box = document.createElement('template')
  box.innerHTML = page
  for (const row of shown) {
    const now = box.content.querySelector(`[data-row="${CSS.escape(row.dataset.row)}"]`)
    if (now) row.querySelector('.row-button').replaceChildren(...now.querySelector('.row-button').childNodes)
    else empty(row, say('group_moved'))
  }
}

// A snapshot after the first is a reconnection: nobody knows what was missed.
let since = -Infinity, met = false
document.addEventListener('pingyi:cue', ({ detail }) => {
  const missed = detail.type === 'snapshot' && met
  met ||= detail.type === 'snapshot'
  if (detail.event !== 'question_escalated' && !missed) return
  since = performance.now()
  lookAgain()
})
const cameIn = new MutationObserver(() => { if (performance.now() - since < STILL_ON_ITS_WAY_MS) lookAgain() })
cameIn.observe(list, { childList: true })
cameIn.observe(chosen, { childList: true })
