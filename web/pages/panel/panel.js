// panel.js: the tablet. The sheet of an open round is fetched once, filled here, kept on this device
// at every touch, and sent under one key until the server has answered.
//
// What is kept (localStorage, so that it survives a reload, a crash and a server restart):
//   pingyi-sheet:SLUG:EPOCH:ROUND:SEAT → { answers, at, begun, pending, cast, editing }
//     answers = { SUBJECT: { mode: mark | abstain | recuse, marks: { DIMENSION: VALUE } } }
//     pending = { key, body }: sent, not yet answered. The key is made and stored before the first
//     try, so that whatever happens in between, the server sees one ballot and not two.
// Nothing here is ever rewritten by a cue: #rounds says which rounds run, and only that is read.

import { newKey } from '../../live.js'
import { toast } from '../../act.js'

const { slug, epoch, me, lang, seat } = document.body.dataset
const words = JSON.parse(document.body.dataset.words)
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
const clock = at => new Date(at + 8 * 3600e3).toISOString().slice(11, 19)
const pause = ms => new Promise(resolve => { wake.add(resolve); setTimeout(resolve, ms) })
const wake = new Set()                       // a returning connection ends every pause at once
const url = path => { const one = new URL(path, location.href); one.searchParams.set('lang', lang); if (seat) one.searchParams.set('seat', seat); return one }

// ── what this device keeps ──
const memory = new Map()                     // private mode: no storage, but the page still works
function read (name) { try { return JSON.parse(localStorage.getItem(name)) } catch { return memory.get(name) || null } }
function write (name, value) {
  memory.set(name, value)
  try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, JSON.stringify(value)) } catch { /* kept in memory */ }
}
const sheetName = round => `pingyi-sheet:${slug}:${epoch}:${round}:${me}`
function forgetOtherRuns () {                // a rehearsal's marks have no place in the real run
  try {
    for (const name of Object.keys(localStorage)) {
      if (/^pingyi-(sheet|floor|settled):/.test(name) && name.split(':')[1] === slug && name.split(':')[2] !== epoch) localStorage.removeItem(name)
    }
  } catch { /* no storage */ }
}

// One try. null = nobody answered: the network, or an answer that never came.
async function call (method, path, body, key) {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), 10000)
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': lang }
  if (seat) headers['X-Pingyi-Seat'] = seat
  if (key) headers['Idempotency-Key'] = key
  try {
    const answer = await fetch(path, { method, headers, signal: stop.signal, body: body === undefined ? undefined : JSON.stringify(body) })
    return { ok: answer.ok, status: answer.status, wait: +answer.headers.get('Retry-After') || 0, json: await answer.json() }
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}
// The same key goes again until there is an answer that settles it.
async function settle (method, path, body, key, told) {
  for (let tries = 0; ; tries++) {
    const answer = await call(method, path, body, key)
    if (answer && answer.status < 500 && answer.status !== 429) return answer
    told?.()
    const wait = answer?.wait ? answer.wait * 1000 : Math.min(10000, 400 * 2 ** Math.min(tries, 6))
    await pause(wait * (0.5 + Math.random() / 2))
  }
}

// ── one sheet ──
class Sheet {
  constructor (root) {
    this.root = root
    this.id = root.dataset.round
    this.final = root.dataset.final === 'yes'
    this.all = root.dataset.all === 'yes'
    this.officials = [...root.querySelectorAll('.official')]
    this.kept = { answers: {}, at: 0, begun: false, pending: null, cast: null, editing: false, ...read(sheetName(this.id)) }
    this.checking = false
    this.running = true
    root.addEventListener('change', event => this.changed(event.target))
    root.addEventListener('input', event => event.target.matches('.value') && this.typed(event.target, false))
    root.addEventListener('focusout', event => event.target.matches('.value') && this.typed(event.target, true))
    root.addEventListener('keydown', event => this.key(event))
    root.addEventListener('click', event => this.click(event))
    root.querySelector('form').addEventListener('submit', event => event.preventDefault())
    this.fill()
    this.show()
    if (this.kept.pending) this.send()
    this.restore()
  }

  part (name) { return this.root.querySelector(`[data-part="${name}"]`) }
  keep () { write(sheetName(this.id), this.kept) }
  answer (subject) { return (this.kept.answers[subject] ||= { mode: 'mark', marks: {} }) }

  // What the server has of this seat: another tablet may have taken its place.
  async restore () {
    const answer = await settle('GET', `/api/v1/rounds/${this.id}/ballot`)
    if (!answer.ok || this.kept.pending) return
    const { receipt, at, marks, recused } = answer.json
    if (!receipt) {
      if (this.kept.cast) { this.kept.cast = null; this.kept.editing = false; this.keep(); this.show() }
      return
    }
    if (this.kept.cast?.receipt === receipt) return
    // Of a secret round nobody reads marks back: what another tablet sent is known by its receipt alone.
    this.kept.cast = { receipt, at, body: marks ? { marks, recused } : null }
    this.kept.editing = this.kept.begun && Object.keys(this.kept.answers).length > 0
    if (!this.kept.editing) this.adopt()
    this.keep()
    this.show()
  }

  // The answers of the ballot that was cast, as the start of a change.
  adopt () {
    const { marks, recused } = this.kept.cast.body || { marks: {}, recused: [] }
    this.kept.answers = {}
    for (const subject of recused) this.kept.answers[subject] = { mode: 'recuse', marks: {} }
    for (const [subject, given] of Object.entries(marks)) {
      const values = Object.values(given)
      const abstained = values.length > 0 && values.every(value => value === 'abstain')
      this.kept.answers[subject] = { mode: abstained ? 'abstain' : 'mark', marks: abstained ? {} : { ...given } }
    }
    this.fill()
  }

  // ── filling in ──
  fill () {
    for (const official of this.officials) {
      const { mode, marks } = this.answer(official.dataset.subject)
      for (const radio of official.querySelectorAll('[data-mode]')) radio.checked = radio.value === mode
      for (const mark of official.querySelectorAll('.mark')) this.put(mark, marks[mark.dataset.dimension] ?? '')
    }
  }
  put (mark, value) {
    for (const radio of mark.querySelectorAll('.pips input')) radio.checked = radio.value === value
    const field = mark.querySelector('.value')
    if (field && document.activeElement !== field) field.value = value
    if (field) this.wrong(mark, '')
  }
  wrong (mark, sentence) {
    mark.querySelector('[data-part="wrong"]').textContent = sentence
    mark.querySelector('.value')?.setAttribute('aria-invalid', sentence ? 'true' : 'false')
  }
  set (mark, value) {
    const answer = this.answer(mark.closest('.official').dataset.subject)
    if (value === '') delete answer.marks[mark.dataset.dimension]
    else answer.marks[mark.dataset.dimension] = value
    this.put(mark, value)
    this.touched()
  }
  touched () {
    this.keep()
    document.getElementById('toast').hidden = true     // what it complained of is being mended
    this.left()
    if (!this.kept.begun) this.begin()
  }
  async begin () {                            // the host sees that a sheet is begun, never what is on it
    this.kept.begun = true
    this.keep()
    await settle('PUT', `/api/v1/rounds/${this.id}/draft`, {})
  }
  changed (input) {
    if (input.dataset.mode) {
      this.answer(input.closest('.official').dataset.subject).mode = input.value
      this.modes()
      this.touched()
    } else if (input.closest('.pips')) this.set(input.closest('.mark'), input.value)
  }
  // A number typed in; `done` = the field is left, so that “1” on the way to “17” is no mistake.
  typed (field, done) {
    const mark = field.closest('.mark')
    const text = field.value.trim().replace(/[０-９．。]/g, c => '。．'.includes(c) ? '.' : String.fromCharCode(c.charCodeAt(0) - 0xFEE0))
    const value = text === '' ? '' : onScale(mark, text)
    if (value !== null) {
      if (value !== (this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension] ?? '')) this.set(mark, value)
      else this.wrong(mark, '')
      if (done) field.value = value
    } else {
      this.set(mark, '')
      if (done) this.wrong(mark, say('wrong', mark.dataset))
    }
  }
  step (mark, by) {
    const { low, high, step } = mark.dataset
    const now = this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension]
    const wanted = now === undefined ? (by > 0 ? +low : +high) : +now + by * step
    const value = onScale(mark, String(Math.min(+high, Math.max(+low, +wanted.toFixed(6)))))
    if (value !== null) this.set(mark, value)
  }
  key (event) {
    if (!event.target.matches('.value')) return
    if (event.key === 'Enter') {              // on to the next line, as on a keypad
      event.preventDefault()
      const fields = [...event.target.closest('.official').querySelectorAll('.value')]
      const next = fields[fields.indexOf(event.target) + 1]
      next ? next.focus() : this.part('fill').querySelector('[data-do="check"]').focus()
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault()
      const mark = event.target.closest('.mark')
      this.step(mark, event.key === 'ArrowUp' ? 1 : -1)
      event.target.value = this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension] ?? ''
    }
  }

  // ── what is missing ──
  missing (official) {
    const { mode, marks } = this.answer(official.dataset.subject)
    if (mode !== 'mark') return []
    return [...official.querySelectorAll('.mark')].filter(mark => marks[mark.dataset.dimension] === undefined)
  }
  left () {
    const official = this.officials[this.kept.at]
    const missing = this.missing(official)
    this.part('left').textContent = missing.length ? say('left', { n: missing.length, names: missing.map(m => m.dataset.label).join('、') }) : say('whole')
    this.part('left').dataset.whole = missing.length ? 'no' : 'yes'
    for (const one of this.officials) {
      const note = this.root.querySelector(`[data-left="${one.dataset.subject}"]`)
      const n = this.missing(one).length
      if (note) note.textContent = this.answer(one.dataset.subject).mode === 'mark' ? (n ? say('left_short', { n }) : '✓') : words[this.answer(one.dataset.subject).mode]
    }
  }
  modes () {
    for (const official of this.officials) {
      const { mode } = this.answer(official.dataset.subject)
      for (const note of official.querySelectorAll('[data-mode-note]')) note.hidden = note.dataset.modeNote !== mode
      official.querySelector('.marks').hidden = mode !== 'mark'
    }
  }
  go (at, focus) {
    this.kept.at = at
    this.keep()
    this.officials.forEach((one, i) => { one.hidden = i !== at })
    for (const button of this.root.querySelectorAll('[data-go]')) button.setAttribute('aria-current', +button.dataset.go === at ? 'step' : 'false')
    const next = this.root.querySelector('[data-do="next"]')
    if (next) next.hidden = at === this.officials.length - 1
    this.left()
    if (focus) { const head = this.officials[at].querySelector('h3'); head.focus({ preventScroll: true }); head.scrollIntoView({ block: 'start' }) }
  }
  body () {
    const marks = {}, recused = []
    for (const official of this.officials) {
      const subject = official.dataset.subject
      const { mode, marks: given } = this.answer(subject)
      const lines = [...official.querySelectorAll('.mark')].map(mark => mark.dataset.dimension)
      if (mode === 'recuse') recused.push(subject)
      else if (mode === 'abstain') marks[subject] = Object.fromEntries(lines.map(line => [line, 'abstain']))
      else {
        const values = lines.filter(line => given[line] !== undefined).map(line => [line, given[line]])
        if (values.length) marks[subject] = Object.fromEntries(values)
      }
    }
    return { marks, recused }
  }
  check () {
    const { marks, recused } = this.body()
    const first = this.officials.findIndex(one => this.missing(one).length)
    const nothing = !Object.keys(marks).length && !recused.length
    if (nothing || (this.all && first >= 0)) {
      this.go(Math.max(first, 0), false)
      const lacking = this.missing(this.officials[this.kept.at])
      toast(nothing ? say('nothing') : say('left', { n: lacking.length, names: lacking.map(m => m.dataset.label).join('、') }), true)
      const line = lacking[0]
      line?.scrollIntoView({ block: 'center' })
      line?.querySelector('.pips input')?.focus({ preventScroll: true })
      for (const one of lacking) { one.classList.add('lacking'); setTimeout(() => one.classList.remove('lacking'), 4000) }
      return
    }
    this.checking = true
    this.part('summary').replaceChildren(...this.table(this.body()), ...this.warnings())
    this.show('check')
  }
  // One table for each official: what stands there is what will be counted.
  table (body) {
    return this.officials.map(official => {
      const subject = official.dataset.subject
      const given = body.marks[subject] || {}
      const box = make('section', 'sum')
      box.append(make('h4', '', official.dataset.name))
      if (body.recused.includes(subject)) { box.append(make('p', 'chip warn', words.recuse)); return box }
      if (Object.values(given).length && Object.values(given).every(value => value === 'abstain')) { box.append(make('p', 'chip warn', words.abstain)); return box }
      const list = make('dl', 'sum-marks')
      let total = 0
      for (const mark of official.querySelectorAll('.mark')) {
        const value = given[mark.dataset.dimension]
        const chosen = [...mark.querySelectorAll('.pips input')].find(radio => radio.value === value)
        const shown = mark.dataset.kind === 'labels' && chosen ? chosen.nextElementSibling.textContent : value
        const row = make('div')
        row.append(make('dt', '', mark.dataset.label), make('dd', value === undefined ? 'error' : 'num strong', shown ?? words.missing))
        list.append(row)
        total += Math.round((+value || 0) * 1e6)
      }
      if (this.root.dataset.sums) {
        const row = make('div', 'total')
        row.append(make('dt', '', words.total), make('dd', 'num strong', String(total / 1e6)))
        list.append(row)
      }
      box.append(list)
      return box
    })
  }
  warnings () {
    const n = this.officials.reduce((sum, one) => sum + this.missing(one).length, 0)
    const notes = []
    if (n) notes.push(make('p', 'note warn', say('missing_any', { n })))
    if (this.final) notes.push(make('p', 'note warn', say('final')))
    return notes
  }

  // ── sending ──
  async send () {
    if (this.sending) return
    this.sending = true
    if (!this.kept.pending) {
      this.kept.pending = { key: newKey(), body: this.body() }
      this.keep()                             // before the first try, never after it
    }
    const { key, body } = this.kept.pending
    this.checking = false
    this.part('sending-word').textContent = say('sending')
    this.show('sending')
    const answer = await settle('PUT', `/api/v1/rounds/${this.id}/ballot`, body, key, () => { this.part('sending-word').textContent = say('offline') })
    this.sending = false
    this.kept.pending = null
    if (answer.ok) {
      this.kept.cast = { receipt: answer.json.receipt, at: answer.json.at, body }
      this.kept.editing = false
      this.kept.begun = true
      this.keep()
      this.show('received')
    } else {                                  // refused: nothing was counted, nothing here is lost
      this.keep()
      toast(answer.json?.error?.message || String(answer.status), true)
      this.show()
      if (answer.status === 401 || answer.status === 403) link('out')
    }
  }
  click (event) {
    const button = event.target.closest('button')
    if (!button) return
    if (button.dataset.go) this.go(+button.dataset.go, true)
    if (button.dataset.by) this.step(button.closest('.mark'), +button.dataset.by)
    const acts = {
      next: () => this.go(this.kept.at + 1, true),
      check: () => this.check(),
      back: () => { this.checking = false; this.show('fill') },
      send: () => this.send(),
      edit: () => { this.kept.editing = true; this.adopt(); this.keep(); this.show('fill') },
      forget: () => { this.kept.editing = false; this.adopt(); this.keep(); this.show('received') }
    }
    acts[button.dataset.do]?.()
  }

  // ── what is shown: exactly one of these ──
  show (focus) {
    const { pending, cast, editing } = this.kept
    const shut = !this.running && !pending
    const state = shut ? 'shut' : pending ? 'sending' : this.checking ? 'check' : cast && !editing ? 'received' : 'fill'
    for (const name of ['fill', 'check', 'sending', 'received', 'shut']) this.part(name).hidden = name !== state
    this.root.dataset.state = state
    if (cast) {
      this.part('received-at').textContent = say('received', { at: clock(cast.at) })
      this.part('receipt').textContent = cast.receipt
      this.part('mine').hidden = !cast.body
      if (cast.body) this.part('cast').replaceChildren(...this.table(cast.body))
      this.part('again-word').textContent = say('again', { at: clock(cast.at) })
      this.root.querySelector('[data-do="edit"]').hidden = this.final || !this.running
    }
    this.part('again').hidden = !cast
    if (shut) {
      const end = this.root.dataset.status === 'voided' ? 'shut_void' : cast ? 'shut_cast' : 'shut_none'
      this.part('shut').textContent = say(end, cast ? { at: clock(cast.at), receipt: cast.receipt } : {})
      this.part('shut').className = 'shut note ' + (end === 'shut_cast' ? 'ok' : 'warn')
    }
    if (state === 'fill') { this.modes(); this.go(Math.min(this.kept.at, this.officials.length - 1), false) }
    if (focus && this.part(focus) && !this.part(focus).hidden) {
      const target = focus === 'fill' ? this.root.querySelector('h2') : this.part(focus)
      target.focus({ preventScroll: true })
      this.root.scrollIntoView({ block: 'start' })
    }
  }
  // What #rounds says of this round: running, when it closes, or how it ended.
  follow (line) {
    const running = line.dataset.running === 'yes'
    this.root.dataset.status = line.dataset.status
    const closing = this.part('closing')
    closing.hidden = !line.dataset.closesAt
    if (line.dataset.closesAt) closing.querySelector('time').dataset.endsAt = line.dataset.closesAt
    if (running === this.running) return
    this.running = running
    if (!running) {                           // the receipt stays, the marks leave this device
      this.checking = false
      if (!this.kept.pending) { this.kept.answers = {}; if (this.kept.cast) this.kept.cast.body = null; this.keep() }
    }
    this.show()
  }
}
function make (tag, name = '', text = '') {
  const one = document.createElement(tag)
  if (name) one.className = name
  if (text) one.textContent = text
  return one
}
// A number in the one spelling that the scale gives it, or null when it is not on the scale.
function onScale (mark, text) {
  const { low, high, step } = mark.dataset
  if (!/^\d+(\.\d*)?$|^\.\d+$|^-\d+(\.\d*)?$/.test(text)) return null
  const places = Math.max(...[low, step].map(n => (n.split('.')[1] || '').length))
  const steps = (+text - +low) / +step
  if (+text < +low || +text > +high || Math.abs(steps - Math.round(steps)) > 1e-6) return null
  return String(+(+low + Math.round(steps) * +step).toFixed(places))
}

// ── which rounds run ──
const sheets = new Map()
const loading = new Set()
const without = new Set()                    // rounds that opened before this seat had checked in
const holder = document.getElementById('sheets')
async function load (id, fresh) {
  if (loading.has(id)) return
  loading.add(id)
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(url(`/h/${slug}/panel/sheet/${id}`), { headers: seat ? { 'X-Pingyi-Seat': seat } : {} })
      if (answer.status === 403) { without.add(id); break }
      if (answer.status === 409 || answer.status === 404) return loading.delete(id)   // closed meanwhile
      if (!answer.ok) throw new Error(String(answer.status))
      const box = document.createElement('template')
      box.innerHTML = await answer.text()
      const root = box.content.querySelector('.sheet')
      if (root && !sheets.has(id)) {
        // A new sheet comes on top, unless that would move one that is being filled.
        if ([...sheets.values()].some(one => one.running)) holder.append(root)
        else holder.prepend(root)
        sheets.set(id, new Sheet(root))
        if (fresh) toast(say('opened'), false, false)
        tell('sheets')
      }
      break
    } catch {
      if (tries === 1) toast(say('load_failed'), true)
      await pause(Math.min(5000, 500 * 2 ** tries))
    }
  }
  loading.delete(id)
  follow()
}
let started = false
function follow () {
  let running = false, late = false
  for (const line of document.querySelectorAll('#rounds [data-round]')) {
    const sheet = sheets.get(line.dataset.round)
    if (line.dataset.running) running = true
    if (line.dataset.running && !sheet && !without.has(line.dataset.round)) load(line.dataset.round, started)
    if (line.dataset.running && without.has(line.dataset.round)) late = true
    sheet?.follow(line)
  }
  document.getElementById('late').hidden = !late
  document.getElementById('idle').hidden = running || sheets.size > 0
  started = true
}

// ── link, tabs, what is only for this seat ──
const linkWord = document.getElementById('link')
function link (state) {
  linkWord.dataset.state = state
  if (linkWord.textContent !== words[state]) linkWord.textContent = words[state]
}
document.addEventListener('pingyi:up', () => { link('up'); for (const resolve of wake) resolve(); wake.clear() })
document.addEventListener('pingyi:down', () => link('down'))
document.addEventListener('pingyi:out', () => link('out'))
addEventListener('online', () => { for (const resolve of wake) resolve(); wake.clear() })

// A fragment is the same on every tablet; a rule of this tablet's own shows what bears its number.
// A rule and not an attribute: the next update would take an attribute away again.
const own = [...document.styleSheets].find(sheet => sheet.href?.includes('/panel/panel'))
const rule = text => own?.insertRule(text, own.cssRules.length)
rule(`.mine[data-seat-number="${CSS.escape(me)}"] { display: block; }`)

const tabs = document.querySelectorAll('button[data-tab]')
const mark = name => document.querySelector(`button[data-tab="${name}"] .dot`)
function tab (name) {
  document.body.dataset.tab = name
  for (const button of tabs) button.setAttribute('aria-pressed', String(button.dataset.tab === name))
  mark(name).hidden = true
}
// On a phone one part is seen at a time: something new puts a dot on its tab, and only takes the
// screen when nobody is typing.
function tell (name) {
  if (document.body.dataset.tab === name) return
  const busy = document.activeElement?.matches('input, textarea') && document.body.dataset.tab !== 'scene'
  if (name === 'sheets' && !busy) tab(name)
  else mark(name).hidden = false
}
for (const button of tabs) button.addEventListener('click', () => { tab(button.dataset.tab); if (button.dataset.tab === 'ask') openAsk(true) })
tab('scene')

const mineNow = () => document.querySelector(`#given [data-seat-number="${CSS.escape(me)}"] h2`)?.textContent.trim() || ''
let given = mineNow()
// What concerns this seat is said in its own words, and then the sentence for all is not said too.
let personal = false
function tellMe (sentence) { personal = true; toast(sentence); tell('scene') }
document.addEventListener('pingyi:say', event => { if (personal) event.preventDefault() })
document.addEventListener('pingyi:swapped', () => {
  personal = false
  follow()
  const now = mineNow()
  if (now && now !== given) tellMe(now)
  given = now
  followFloor()
})

// ── asking for the floor ──
const form = document.getElementById('ask-form')
const floorName = `pingyi-floor:${slug}:${epoch}:${me}`
const wish = { text: '', kind: 'ask', key: null, ...read(floorName) }
const count = () => { document.getElementById('ask-count').textContent = `${[...form.elements.text.value].length} / 500` }
form.elements.text.value = wish.text
form.elements.kind.value = wish.kind
count()
form.addEventListener('input', () => {
  Object.assign(wish, { text: form.elements.text.value, kind: form.elements.kind.value, key: null })
  write(floorName, wish)
  count()
})
const opener = document.getElementById('ask-open')
function openAsk (open) {
  form.hidden = !open
  opener.setAttribute('aria-expanded', String(open))
  if (open) form.elements.text.focus()
}
opener.addEventListener('click', () => openAsk(form.hidden))
form.hidden = !wish.text
form.addEventListener('submit', async event => {
  event.preventDefault()
  const button = form.querySelector('button')
  if (button.disabled) return
  button.disabled = true
  wish.key ||= newKey()
  write(floorName, wish)
  const answer = await settle('POST', `/api/v1/hearings/${slug}/floor`, { kind: wish.kind, text: wish.text }, wish.key)
  button.disabled = false
  if (!answer.ok) { wish.key = null; return toast(answer.json?.error?.message || String(answer.status), true) }
  Object.assign(wish, { text: '', key: null })
  write(floorName, null)
  form.elements.text.value = ''
  count()
  openAsk(false)
  opener.focus()
  toast(say('asked'))
})

// ── what became of it: said once, shown until it is put away here or the show is at another item ──
const settledName = `pingyi-settled:${slug}:${epoch}:${me}`
const settled = { said: {}, away: [], ...read(settledName) }
const written = new Map()                    // what this seat wrote, by the request's id
const mineOnFloor = () => [...document.querySelectorAll(`#floor [data-seat-number="${CSS.escape(me)}"]`)]
const putAway = id => rule(`#wish-${id} { display: none !important; }`)
settled.away.forEach(putAway)
async function followFloor () {
  const mine = mineOnFloor()
  for (const one of mine) {
    const { wish, outcome } = one.dataset
    if (settled.said[wish] === outcome) continue
    if (outcome !== 'open') tellMe(one.querySelector('[data-became]').textContent)
    settled.said[wish] = outcome
    write(settledName, settled)
  }
  if (mine.some(one => !written.has(one.dataset.wish))) {
    const answer = await call('GET', url(`/h/${slug}/panel/floor`))
    if (answer?.ok) for (const one of mine) written.set(one.dataset.wish, answer.json[one.dataset.wish] ?? '')
  }
  for (const one of mineOnFloor()) one.querySelector('[data-written]').textContent = written.get(one.dataset.wish) ?? ''
}
document.addEventListener('click', event => {
  const button = event.target.closest('#floor button')
  if (!button) return
  const { wish: id, kind } = button.closest('.wish').dataset
  if (button.dataset.again !== undefined) {   // beside what is being written, never instead of it
    const { text } = form.elements
    text.value = [text.value.trim(), written.get(id)].filter(Boolean).join('\n')
    form.elements.kind.value = kind
    form.dispatchEvent(new Event('input'))
    tab('ask')
    openAsk(true)
  } else {
    settled.away.push(id)
    write(settledName, settled)
    putAway(id)
    document.getElementById('floor').focus()
  }
})

forgetOtherRuns()
follow()
followFloor()
