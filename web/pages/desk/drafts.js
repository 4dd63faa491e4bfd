// drafts.js: what officials' offices propose to reply in writing. The link to the briefs carries how many wait,
// the pane says so of its question, and the field of a reply that nobody has begun starts from it.

import { $, address, chosen, say } from './common.js'

const drafts = new Map()

// Asked for at the start, when one has come, and while some wait, when questions change: a reply that was
// given waits no more.
async function look () {
  const answer = await fetch(address('drafts')).catch(() => null)
  if (!answer?.ok) return
  drafts.clear()
  for (const one of (await answer.json()).items) drafts.set(String(one.id), one.text)
  const place = $('drafts')
  if (place) {
    place.hidden = drafts.size === 0
    place.textContent = say('drafts', { n: drafts.size })
  }
  drafted()
}

// In the pane as it stands. A closed form that nobody has written in starts from the draft; in an open one, or
// one with other words, nothing is replaced: the draft stands below the field.
export function drafted () {
  const form = $('reply'), mark = chosen.querySelector('[data-part="draft-waits"]')
  if (!form || !mark) return
  const field = form.elements.reply, draft = drafts.get(chosen.querySelector('.pane').dataset.id) || ''
  const untouched = field.value === (form.dataset.begun || '')
  if (form.hidden && untouched) field.value = form.dataset.begun = draft
  const below = form.querySelector('[data-part="proposed"]')
  below.hidden = !draft || field.value === draft
  below.lastElementChild.textContent = draft
  mark.hidden = !draft
}

document.addEventListener('pingyi:cue', ({ detail }) => {
  if (detail.type === 'snapshot' || detail.event === 'reply_proposed' || (drafts.size && /^question/.test(detail.event || ''))) look()
})
look()
