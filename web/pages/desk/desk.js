// desk.js: the moderators' desk. The list and the chosen question are loaded when somebody asks for
// them; what happens meanwhile is marked in place and counted behind a pill, never moved (law 7).

import { api, toast } from '../../act.js'
import { ordered } from '../host/order.js'
import { claimed, dropped, heldBy, hold, release, takeOver } from './claims.js'
import { $, address, bring, chosen, filters, keep, lang, list, questionPath, read, rows, say, seat, send, slug } from './common.js'
import { drafted } from './drafts.js'
import { manyKey, picked, remember, unpicked } from './many.js'
import { differing, outdated } from './reread.js'
import { lookAgain } from './sight.js'

const queuePath = `/api/v1/hearings/${slug}/queue`

// ── the list ──
// What is shown: groups, or a list by states, a lane of its own, or narrowed to a group, to what became
// one question, to one person. `back` leads to what was shown before.
let view = { groups: true }, back = []
const onTheWay = 'received,screened,approved,shortlisted,queued'
function listAddress () {
  const asked = {}
  for (const name of ['q', 'source', 'subject', 'district', 'tag', 'topic', 'heat', 'sort']) {
    const value = filters.elements[name]?.value.trim()
    if (value && !(name === 'sort' && value === 'newest')) asked[name] = value
  }
  for (const name of ['unsolved', 'flagged']) if (filters.elements[name].checked) asked[name] = 'true'
  if (filters.elements.age.value) { const [name, hours] = filters.elements.age.value.split('='); asked[name] = hours }
  const n = Object.keys(asked).filter(name => !['q', 'source', 'subject', 'sort'].includes(name)).length
  $('more-filters').firstElementChild.textContent = n ? say('filters_on', { n }) : say('filters')
  if (view.groups) return address('groups', asked.subject ? { subject: asked.subject } : {})
  if (view.states) asked.status = view.states
  if (view.lane === 'live') asked.source = 'live'
  if (view.lane === 'mine') asked.mine = 'true'
  if (view.lane === 'appealed') asked.appealed = 'true'
  if (view.group) { asked.cluster = view.group; asked.status = onTheWay; if (view.of) asked.subject = view.of }
  if (view.into) asked.into = view.into
  if (view.same) asked.same = view.same
  return address('list', asked)
}
async function loadList () {
  stopLooking()
  $('pill').hidden = true
  unpicked()
  list.setAttribute('aria-busy', 'true')
  const shown = await bring(listAddress(), list)
  if (!shown) return false
  list.removeAttribute('aria-busy')
  list.parentElement.scrollTop = 0
  marks()
  return true
}
async function show (next, keepBack = false) {
  if (keepBack) back.push(view)
  else back = []
  view = next
  $('narrowed').hidden = !view.what
  $('narrowed').firstElementChild.textContent = view.what ? say(view.what) : ''
  return loadList()
}
function goBack () { if (back.length) { const last = back.pop(), rest = back; show(last).then(() => { back = rest }) } }
// Which list is shown is this desk's own matter: a rule of its own marks the button and a heading says
// it, so that the fragment stays as it was sent (law 6).
const sheet = [...document.styleSheets].find(one => one.href?.includes('/desk/desk'))
let ruled = -1
function marks () {
  const which = view.groups ? '[data-groups]' : view.what ? '' : view.lane ? `[data-lane="${view.lane}"]` : `[data-states="${view.states}"]`
  const word = view.groups ? say('groups') : view.what ? say(view.what) : document.querySelector(`#counts ${which}`)?.dataset.word || ''
  if ($('list-title').textContent !== word) {
    $('list-title').textContent = word
    if (ruled >= 0) sheet.deleteRule(ruled)
    ruled = sheet.insertRule(`#counts ${which || 'nothing'} { background: var(--accent-soft); border-color: var(--accent); color: var(--accent); font-weight: 600; box-shadow: inset 0 -3px 0 var(--accent); }`, sheet.cssRules.length)
  }
  const marked = current ?? group
  for (const row of rows()) row.querySelector('.row-button').setAttribute('aria-current', String(row.dataset.row === marked))
  claimed(current)
}
document.addEventListener('click', event => {
  const at = name => event.target.closest(`[data-${name}]`)?.dataset
  const to = at('states') || at('lane') || at('groups') || at('group') || at('into') || at('same') || at('more-of')
  if (at('back')) return goBack()
  if (!to) return
  if (to.group) return openGroup(to.group, to.of)
  if (to.into) return show({ into: to.into, what: 'into_one' }, true)
  if (to.same) return show({ same: to.same, what: 'same_asker' }, true)
  if (to.moreOf) { filters.elements.subject.value = to.moreOf; return show({ groups: true }) }
  if ('groups' in to) return show({ groups: true })
  show({ states: to.lane === 'live' ? 'received,screened' : to.states || '', lane: to.lane })
})
async function openGroup (cluster, of) {
  await leave()
  current = group = null
  const form = bring(address(`group/${cluster}`, of ? { subject: of } : {}), chosen)
  const [, shown] = await Promise.all([show({ group: cluster, of, what: 'group' }, true), form])
  // Another one may have been opened meanwhile: the row is marked of what the pane shows.
  if (shown && current === null) { group = `g${cluster}-${of}`; marks() }
  toPane()
}
let typing
filters.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(filtered, 250) })
filters.addEventListener('submit', event => { event.preventDefault(); clearTimeout(typing); filtered() })
// Words are looked for in every list, and an official's groups are his alone.
function filtered () { if (view.groups && listAddressNarrows()) show({ states: '' }); else loadList() }
function listAddressNarrows () { return ['q', 'source', 'district', 'topic', 'tag', 'heat', 'age'].some(name => filters.elements[name].value.trim()) || filters.elements.unsolved.checked || filters.elements.flagged.checked }
$('pill').addEventListener('click', () => { loadList(); list.focus() })

// After a cue the first page is fetched once more, beside the page: rows that are shown get their new
// words where they stand, a row that left this list says so, and what is new is only counted.
let looking, again = 0
function stopLooking () { clearTimeout(looking); looking = null }
function look () {
  if (looking) return
  looking = setTimeout(async () => {
    const mine = ++again
    looking = null
    try {
      const [page, one] = await Promise.all([
        view.groups ? null : fetch(listAddress()).then(answer => answer.text()),
        current ? api('GET', questionPath(current)) : null
      ])
      if (mine !== again || looking) return
      if (page !== null && !view.groups) compare(page)
      if (one?.status === 404) lookAgain()
      const pane = chosen.querySelector('.pane')
      if (one?.status === 'rejected' && one.appeal && !one.appeal_outcome && !$('uphold')) pane.querySelector('[data-part="moved"]').firstElementChild.textContent = say('appealed')
      if (one?.ok && pane?.dataset.id === String(one.id) && !acting) pane.querySelector('[data-part="moved"]').hidden = +pane.dataset.version >= one.version
    } catch { /* the next cue looks again */ }
  }, 700)
}
function compare (page) {
  const box = document.createElement('template')
  box.innerHTML = page
  const fresh = new Map([...box.content.querySelectorAll('[data-row]')].map(row => [row.dataset.row, row]))
  const shown = rows()
  const newest = Math.max(0, ...shown.map(row => +row.dataset.row))
  const oldest = fresh.size ? Math.min(...[...fresh.keys()].map(Number)) : 0
  for (const row of shown) {
    const now = fresh.get(row.dataset.row)
    if (now && now.dataset.version !== row.dataset.version) {
      row.querySelector('.row-text').textContent = now.querySelector('.row-text').textContent
      row.querySelector('.row-facts').replaceChildren(...now.querySelector('.row-facts').children)
      claimed(current)
      row.dataset.version = now.dataset.version
      row.dataset.status = now.dataset.status
      row.querySelector('[data-pick]').disabled = false   // given back by the duty person
    }
    row.classList.toggle('left', !now && +row.dataset.row >= oldest)
  }
  // An old question may come into the list of appeals.
  const known = new Set(shown.map(row => row.dataset.row))
  const fresher = [...fresh.keys()].filter(id => view.lane === 'appealed' ? !known.has(id) : +id > newest).length
  const all = fresher > 0 && fresher === fresh.size && box.content.querySelector('.more')
  $('pill').hidden = fresher === 0
  $('pill').textContent = say(all ? 'pill_many' : 'pill', { n: fresher })
}
// The chosen question went to the duty person: what stands here of its words goes too, a draft of them as well.
document.addEventListener('pingyi:unseen', event => {
  keep(draftName(event.detail.id), null)
  if (current !== event.detail.id) return
  current = conflict = null
  dropped()
  marks()
})
document.addEventListener('pingyi:cue', event => {
  if (event.detail.type === 'snapshot' || /^(question|queue)/.test(event.detail.event || '')) look()
})

// ── the chosen question ──
let current = null, acting = false
let group = null                              // of the groups' rows, the one whose form is shown
async function leave () { await closeDraft(); release() }
async function select (id, focus) {
  if (String(id) !== current) await leave()
  else await closeDraft()
  current = String(id)
  group = null
  marks()
  const row = $('row-' + current)
  row?.scrollIntoView({ block: 'nearest' })
  if (!await bring(address(`question/${id}`), chosen)) return
  chosen.scrollTop = 0
  restore()
  claimed(current)
  if (focus) row && !stacked() ? row.querySelector('.row-button').focus({ preventScroll: true }) : toPane()
}
document.addEventListener('click', event => {
  const button = event.target.closest('[data-question]')
  if (button) select(button.dataset.question, stacked())
  const code = event.target.closest('[data-code]')
  if (code) find(code.dataset.code).then(found => found[0] && select(found[0].id, stacked()))
  if (event.target.closest('[data-to-list]')) toList()
})
// Where the list and the pane stand below one another, whoever opens something is taken to it, and back.
const narrow = matchMedia('(max-width: 900px)')       // as desk.css
const stacked = () => narrow.matches
function toPane () {
  if (stacked()) chosen.scrollIntoView({ block: 'start' })
  $('pane-title')?.focus({ preventScroll: true })
}
function toList () {
  const row = rows().find(one => one.dataset.row === (current ?? group))
  const place = row?.querySelector('.row-button') || list
  place.focus({ preventScroll: true })
  ;(row || list.parentElement).scrollIntoView({ block: row ? 'center' : 'start' })
}
function step (by) {
  const all = rows()
  const i = all.findIndex(row => row.dataset.row === current)
  const at = i < 0 ? all.indexOf(document.activeElement?.closest('[data-row]')) : i
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by]
  if (next && view.groups) next.querySelector('.row-button').focus()
  else if (next) select(next.dataset.row, true)
  else if (by > 0) list.querySelector('.more button')?.click()
}
// After an act: this row says what became of it; the next one that still waits comes up.
function acted (answer, on) {
  const row = $('row-' + current)
  const chip = row?.querySelector('.row-facts .chip')
  if (chip && say('st_' + answer.status)) { chip.textContent = say('st_' + answer.status); chip.className = 'chip st-' + answer.status }
  if (row && (view.lane === 'appealed' || view.states && !view.states.split(',').includes(answer.status))) row.classList.add('left')
  look()
  const next = rows().slice(rows().indexOf(row) + 1).find(one => !one.classList.contains('left') && !heldBy(one.dataset.row))
  if (on && $('auto-next').checked && row && next) select(next.dataset.row, true)
  else if (answer.status !== 'escalated') select(current, true)
}
chosen.addEventListener('pingyi:answer', event => {
  const { detail, target } = event
  const { id } = target.closest('.pane').dataset
  if (detail.ok && target.id === 'reply') keep(replyName(id), null)
  if (outdated(target, detail)) return look()
  if (target.id === 'unmask') return detail.ok && id === current ? unmasked(detail) : undefined
  if (detail.ok) remember(target.dataset.act, id, detail)
  if (!detail.ok || id !== current) return look()
  if (target.closest('#escalate')) { dropped(); toast(say('escalated')); acted({ status: 'escalated' }, true); return lookAgain() }
  acted(detail, target.dataset.next !== undefined)   // `status` in it is the question's
})

// What was done to it is looked up when somebody asks.
chosen.addEventListener('toggle', event => {
  const { history } = event.target.dataset
  if (history && event.target.open) bring(address(`history/${history}`), event.target.querySelector('.past'))
}, true)

// The original stands here until the pane changes, and nowhere else.
function unmasked ({ text, fields }) {
  const place = $('unmask').querySelector('[data-part="original"]')
  place.querySelector('[data-part="unmasked"]').textContent = text
  place.querySelector('dl').replaceChildren(...Object.entries(fields).flatMap(([name, value]) => [['dt', say('field_' + name) || name], ['dd', value]].map(([tag, words]) => Object.assign(document.createElement(tag), { textContent: words }))))
  place.hidden = false
}

// ── drawers ──
function drawer (id) {
  for (const one of chosen.querySelectorAll('.drawer')) if (one.id !== 'conflict') one.hidden = one.id !== id || !one.hidden
  for (const button of chosen.querySelectorAll('[aria-controls]')) button.setAttribute('aria-expanded', String(!$(button.getAttribute('aria-controls')).hidden))
  const shown = $(id)
  if (shown && !shown.hidden) hold(current)   // nobody else decides meanwhile
  if (shown && !shown.hidden) { shown.querySelector('textarea, input, .reasons button')?.focus(); shown.scrollIntoView({ block: 'nearest' }) }
}
chosen.addEventListener('click', event => {
  const button = event.target.closest('[data-do]')
  if (!button) return
  const name = button.dataset.do, id = +current
  if (['reject', 'edit', 'merge', 'reply', 'close', 'verify', 'unmask', 'escalate', 'uphold'].includes(name)) return name !== 'escalate' && heldBy(current) ? toast(say('held', { name: heldBy(current) }), true) : drawer(name)
  const acts = {
    'take-over': () => takeOver(current), shut: () => drawer(''), reload: () => select(current), queue: () => order(id, ids => [...ids, id]),
    unqueue: () => order(id, ids => ids.filter(one => one !== id)), forget,
    'take-mine': () => save(conflict.mine), 'take-theirs': () => forget(), 'take-both': () => save({ ...conflict.mine, text: $('both-text').value })
  }
  acts[name]?.()
})

// ── rewriting: a draft on this device; when somebody was first, both texts side by side ──
const draftName = id => `pingyi-desk:${slug}:${id}`
const replyName = id => `pingyi-desk-reply:${slug}:${id}`
let conflict = null
function fields () {
  const form = $('edit')
  return { text: form.elements.text.value, subject: form.elements.subject.value, tags: form.elements.tags.value.split(/[\s,，、]+/).filter(Boolean), topic: form.elements.topic?.value.trim() || '' }
}
function original () {
  const form = $('edit')
  return { text: form.elements.text.defaultValue, subject: [...form.elements.subject.options].find(o => o.defaultSelected)?.value || '', tags: form.elements.tags.defaultValue.split(' ').filter(Boolean), topic: form.elements.topic?.defaultValue || '' }
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)
function restore () {
  const form = $('edit'), reply = $('reply-text'), name = replyName(current), written = read(name)
  conflict = null
  reply?.addEventListener('input', () => keep(name, reply.value || null))
  if (reply && written) { reply.value = written; $('reply').hidden = false }
  drafted()
  if (!form) return
  form.addEventListener('input', () => { keepDraft(); counted() })
  form.addEventListener('submit', event => { event.preventDefault(); save(fields()) })
  const kept = read(draftName(current))
  if (kept && !same(kept.fields, original())) {
    form.elements.text.value = kept.fields.text
    form.elements.subject.value = kept.fields.subject
    form.elements.tags.value = kept.fields.tags.join(' ')
    if (form.elements.topic && 'topic' in kept.fields) form.elements.topic.value = kept.fields.topic
    chosen.querySelector('.pane').dataset.draftVersion = kept.version
    form.querySelector('[data-part="draft"]').hidden = false
    form.hidden = false
  }
  counted()
}
function keepDraft () {
  const pane = chosen.querySelector('.pane')
  keep(draftName(pane.dataset.id), { version: +(pane.dataset.draftVersion || pane.dataset.version), fields: fields() })
}
function counted () { $('edit-count').textContent = say('chars', { n: [...$('edit').elements.text.value].length }) }
async function closeDraft () {                // an untouched form leaves nothing behind
  const pane = chosen.querySelector('.pane')
  if (pane && $('edit') && same(fields(), original())) keep(draftName(pane.dataset.id), null)
}
function forget () { keep(draftName(chosen.querySelector('.pane').dataset.id), null); $('edit').reset(); select(current) }
async function save (wanted) {
  const pane = chosen.querySelector('.pane'), form = $('edit'), { id } = pane.dataset
  const before = original(), draft = read(draftName(id))
  const version = conflict ? conflict.version : +(pane.dataset.draftVersion || pane.dataset.version)
  const base = conflict ? conflict.theirs : before
  const body = { version }
  if (wanted.text !== base.text) body.text = wanted.text
  if (wanted.subject !== base.subject) body.subject = wanted.subject
  if (!same(wanted.tags, base.tags)) body.tags = wanted.tags
  if (wanted.topic !== base.topic) body.topic = wanted.topic
  acting = true
  const answer = await send('PATCH', questionPath(id), body)
  acting = false
  const here = current === id && $('edit') === form
  if (answer.ok) {
    const kept = read(draftName(id)), typed = !same(kept, draft)
    keep(draftName(id), typed && kept ? { ...kept, version: answer.version } : null)
    toast(say('saved'))
    look()
    if (!here) return
    if (typed) return rebase(pane, answer)
    form.reset()
    return select(id, true)
  }
  if (here && answer.error?.code === 'version_stale') both(wanted, answer.error.detail.current)
}
// Somebody typed on while it was being saved: the form stays as it is, and goes on from what was saved.
function rebase (pane, saved) {
  const { text, subject, tags, topic } = $('edit').elements, chosenSubject = subject.value
  text.defaultValue = saved.text
  tags.defaultValue = saved.tags.join(' ')
  if (topic) topic.defaultValue = saved.topic || ''
  for (const one of subject.options) one.defaultSelected = one.value === (saved.subject || '')
  subject.value = chosenSubject
  pane.dataset.version = pane.dataset.draftVersion = saved.version
}
function both (mine, now) {
  conflict = { mine, version: now.version, theirs: { text: now.text, subject: now.subject || '', tags: now.tags, topic: now.topic || '' } }
  const box = $('conflict')
  const [left, right] = differing(mine.text, now.text)
  box.querySelector('[data-part="mine"]').replaceChildren(...left)
  box.querySelector('[data-part="theirs"]').replaceChildren(...right)
  $('both-text').value = mine.text
  $('edit').hidden = true
  box.hidden = false
  box.focus()
  box.scrollIntoView({ block: 'nearest' })
}

// ── topics: the office's list comes when somebody is about to choose from it ──
document.addEventListener('focusin', async event => {
  const offered = $('topic-list')
  if (!['edit-topic', 'f-topic'].includes(event.target.id) || offered.children.length) return
  const scheme = await send('GET', `/api/v1/hearings/${slug}/desk/topics`)
  if (scheme.ok && !offered.children.length) offered.append(...scheme.items.map(one => Object.assign(document.createElement('option'), { value: one.topic, label: one.code })))
})

// ── merging ──
async function find (q) {
  const asked = new URLSearchParams({ q })
  const answer = await send('GET', `/api/v1/hearings/${slug}/desk/questions?${asked}`)
  return answer.ok ? answer.items : []
}
let searching
chosen.addEventListener('input', event => {
  if (event.target.id !== 'merge-words') return
  clearTimeout(searching)
  searching = setTimeout(async () => {
    const q = event.target.value.trim()
    const place = $('merge').querySelector('[data-part="found"]')
    if ([...q].length < 2) return place.replaceChildren()
    const found = (await find(q)).filter(one => String(one.id) !== current && ['screened', 'approved', 'shortlisted', 'queued', 'on_stage'].includes(one.status)).slice(0, 8)
    place.replaceChildren(...found.map(target))
    if (!found.length) place.append(Object.assign(document.createElement('li'), { textContent: say('none_found') }))
  }, 250)
})
function target (one) {
  const item = document.createElement('li'), text = document.createElement('p'), button = document.createElement('button')
  text.textContent = one.text
  Object.assign(button, { type: 'button', className: 'button small', textContent: `${say('into')} ${one.code}` })
  Object.assign(button.dataset, { act: `POST ${questionPath(current)}/merging`, body: JSON.stringify({ into: one.id }), next: '' })
  item.append(text, button)
  item.dataset.shows = one.id
  return item
}

// ── the queue ──
async function order (id, change) {
  const now = await send('GET', queuePath)
  if (!now.ok) return
  const answer = await send('PUT', queuePath, { version: now.version, ids: change(now.ids) })
  if (!answer.ok) return toast(answer.error?.message || String(answer.status), true)
  look()
  if (+current === id) select(current, true)
}
const tell = n => { $('say').textContent = say('place', { n }) }
ordered('queue', async (ids, one) => {
  const answer = await send('PUT', queuePath, { version: +one.dataset.version, ids: ids.map(Number) })
  if (!answer.ok) toast(answer.error?.message || String(answer.status), true)
  return answer
}, tell)

// ── keys ──
const keysOn = $('keys-on')
keysOn.checked = read('pingyi-desk-keys') !== false
keysOn.addEventListener('change', () => keep('pingyi-desk-keys', keysOn.checked))
$('auto-next').checked = read('pingyi-desk-next') !== false
$('auto-next').addEventListener('change', () => keep('pingyi-desk-next', $('auto-next').checked))
const help = $('help-dialog')
$('help').addEventListener('click', () => help.showModal ? help.showModal() : help.setAttribute('open', ''))
$('help-close').addEventListener('click', () => help.close ? help.close() : help.removeAttribute('open'))
document.addEventListener('keydown', event => {
  const { target: at, key } = event
  if (event.isComposing) return
  if (at.matches?.('input, textarea, select')) {
    if (key === 'Escape') { at.blur(); if (at.closest('.drawer')) drawer(''); event.preventDefault() }
    if (key === 'Enter' && (event.ctrlKey || event.metaKey)) at.form?.requestSubmit ? at.form.requestSubmit() : at.form?.querySelector('button').click()
    return
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !'jk'.includes(key) || !keysOn.checked || help.open) return
  if (manyKey(key, event.shiftKey, current)) return event.preventDefault()
  const drawn = chosen.querySelector('.drawer:not([hidden])')
  const act = {
    g: () => show({ groups: true }), b: goBack, c: () => takeOver(current),
    j: () => step(1), k: () => step(-1), '/': () => $('f-q').focus(), '?': () => $('help').click(),
    n: () => $('pill').hidden || $('pill').click(), Escape: () => drawer('')
  }[key.length === 1 ? key.toLowerCase() : key] ||
    (/^[1-8]$/.test(key) && drawn?.querySelector(`[data-digit="${key}"]`) ? () => drawn.querySelector(`[data-digit="${key}"]`).click() : null) ||
    (/^[a-z]$/i.test(key) && chosen.querySelector(`[data-key="${key.toLowerCase()}"]`) ? () => chosen.querySelector(`[data-key="${key.toLowerCase()}"]`).click() : null)
  if (!act) return
  event.preventDefault()
  act()
})

// ── link ──
function link (state) { $('link').dataset.state = state; $('link').textContent = say(state) }
document.addEventListener('pingyi:up', () => link('up'))
document.addEventListener('pingyi:down', () => link('down'))
document.addEventListener('pingyi:out', () => link('out'))
document.addEventListener('pingyi:swapped', marks)
document.addEventListener('pingyi:many', () => { look(); if (current) select(current) })
// One taken back: whatever is open meanwhile stays as it is.
document.addEventListener('pingyi:back', event => { look(); if (current === event.detail.id) select(current) })
document.addEventListener('pingyi:written', event => { goBack(); select(event.detail.id, stacked()) })

// The desk opens on what several people ask; where nothing is alike, on what waits. An address may name
// the list it wants, #received,screened, or the question: #question-7
const wanted = decodeURIComponent(location.hash.slice(1))
const asked = /^question-(\d+)$/.exec(wanted)?.[1]
const open = async () => {
  if (wanted && !asked) return show({ states: wanted })
  // Whoever has chosen a list meanwhile keeps it.
  if (await show({ groups: true }) && view.groups && !rows().length) await show({ states: 'received,screened' })
  if (asked) select(asked, stacked())
}
bring(address('districts'), $('districts'))
open()
