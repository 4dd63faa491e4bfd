// panel.js: the tablet. The sheet of an open round is fetched once, filled here, kept on this device
// at every touch, and sent under one key until the server has answered.
//
// What is kept (localStorage, so that it survives a reload, a crash and a server restart):
//   pingyi-sheet:SLUG:EPOCH:ROUND:SEAT → { answers, at, begun, pending, cast, editing }
//     answers = { SUBJECT: { mode: mark | abstain | recuse, marks: { DIMENSION: VALUE } } }
//     pending = { key, body }: sent, not yet answered. The key is made and stored before the first
//     try, so that whatever happens in between, the server sees one ballot and not two.
// Nothing here is ever rewritten by a cue: #rounds says which rounds run, and only that is read.

import { newKey, now, send } from '../../live.js'
import { toast } from '../../act.js'
import { forgetPage, install, keepPage, keepSheet } from './offline.js'
import { Quota, isBelow, onScale, shown, stepped, total } from './marks.js'

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
// How this tablet is looked at, whoever sits at it.
const look = { large: false, by: 'one', ...read('pingyi-look') }
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

const SENDS_ITSELF = 3                       // seconds before the closing, as the sheet says

// ── one sheet ──
class Sheet {
  constructor (root) {
    this.root = root
    this.id = root.dataset.round
    this.final = root.dataset.final === 'yes'
    this.all = root.dataset.all === 'yes'
    this.officials = [...root.querySelectorAll('.official')]
    this.quotas = [...root.querySelectorAll('.quotas li')].map(one => new Quota(one))
    this.by(look.by)
    this.kept = { answers: {}, at: 0, begun: false, pending: null, cast: null, editing: false, ...read(sheetName(this.id)) }
    this.checking = false
    this.running = true
    root.addEventListener('change', event => this.changed(event.target))
    root.addEventListener('input', event => {
      if (event.target.matches('.value')) this.typed(event.target, false)
      if (event.target.matches('[data-text]')) this.wrote(event.target)
    })
    root.addEventListener('focusout', event => event.target.matches('.value') && this.typed(event.target, true))
    root.addEventListener('focusin', event => this.pick(event.target.closest('.mark')))
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
    const { receipt, at, marks, recused, comments } = answer.json
    if (!receipt) {
      if (this.kept.cast) { this.kept.cast = null; this.kept.editing = false; this.keep(); this.show() }
      return
    }
    if (this.kept.cast?.receipt === receipt) return
    // Of a secret round nobody reads marks back: what another tablet sent is known by its receipt alone.
    this.kept.cast = { receipt, at, body: marks ? { marks, recused, comments } : null }
    this.kept.editing = this.kept.begun && Object.keys(this.kept.answers).length > 0
    if (!this.kept.editing) this.adopt()
    this.keep()
    this.show()
  }

  // The answers of the ballot that was cast, as the start of a change.
  adopt () {
    const { marks, recused, comments = {} } = this.kept.cast.body || { marks: {}, recused: [] }
    this.kept.answers = {}
    for (const subject of recused) this.kept.answers[subject] = { mode: 'recuse', marks: {} }
    for (const [subject, given] of Object.entries(marks)) {
      const word = wordOf(given)
      this.kept.answers[subject] = { mode: word || 'mark', marks: word ? {} : { ...given } }
    }
    for (const [subject, text] of Object.entries(comments)) this.answer(subject).text = text
    this.fill()
  }

  // ── filling in ──
  fill () {
    for (const official of this.officials) {
      const { mode, marks, text } = this.answer(official.dataset.subject)
      const field = official.querySelector('[data-text]')
      if (field && document.activeElement !== field) field.value = text || ''
      for (const radio of official.querySelectorAll('[data-mode]')) radio.checked = radio.value === mode
      for (const mark of official.querySelectorAll('.mark')) this.put(mark, marks[mark.dataset.dimension] ?? '')
    }
  }
  wrote (field) {
    this.answer(field.closest('.official').dataset.subject).text = field.value
    this.touched()
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
  // What the rules forbid is not taken: the mark stays as it was and the line says why.
  set (mark, value) {
    const answer = this.answer(mark.closest('.official').dataset.subject)
    const refused = this.refuses(mark, value)
    if (refused) {
      this.put(mark, answer.marks[mark.dataset.dimension] ?? '')
      this.wrong(mark, refused)
      return false
    }
    if (value === '') delete answer.marks[mark.dataset.dimension]
    else answer.marks[mark.dataset.dimension] = value
    this.put(mark, value)
    this.touched()
    return true
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
    if (input.dataset.byWhat !== undefined) {
      look.by = input.value
      write('pingyi-look', look)
      this.pick(null)
      for (const sheet of sheets.values()) { sheet.by(look.by); sheet.go(sheet.kept.at, false) }
    } else if (input.dataset.mode) {
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
    const refused = value === null ? say(mark.dataset.free ? 'wrong_free' : 'wrong', mark.dataset) : this.refuses(mark, value)
    if (refused) {
      this.set(mark, '')
      if (done || value !== null) this.wrong(mark, refused)
    } else {
      if (value !== (this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension] ?? '')) this.set(mark, value)
      else this.wrong(mark, '')
      if (done) field.value = value
    }
  }
  step (mark, by) {
    const now = this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension]
    this.set(mark, stepped(mark, now, by))
  }
  key (event) {
    if (!event.target.matches('.value')) return
    if (event.key === 'Enter') {              // on to the next line, as on a keypad
      event.preventDefault()
      const within = this.root.dataset.by === 'all' ? this.root : event.target.closest('.official')
      const fields = [...within.querySelectorAll('.value')].filter(one => one.offsetParent)
      const next = fields[fields.indexOf(event.target) + 1]
      next ? next.focus() : this.part('fill').querySelector('[data-do="check"]').focus()
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault()
      const mark = event.target.closest('.mark')
      this.step(mark, event.key === 'ArrowUp' ? 1 : -1)
      event.target.value = this.answer(mark.closest('.official').dataset.subject).marks[mark.dataset.dimension] ?? ''
    }
  }

  // ── one official at a time, or the whole sheet ──
  by (what) {
    this.root.dataset.by = this.officials.length > 1 ? what : 'one'
    for (const radio of this.root.querySelectorAll('[data-by-what]')) radio.checked = radio.value === what
    // On the whole sheet a finger has the row of marks at the bottom; the keyboard would cover it.
    const keypad = this.root.dataset.by === 'all' && matchMedia('(pointer: coarse)').matches ? 'none' : 'decimal'
    for (const field of this.root.querySelectorAll('.value')) field.inputMode = keypad
  }
  // On the whole sheet the marks of one line stand at the bottom, under the thumb, until another is picked.
  pick (mark) {
    if (mark === this.picked) return
    this.picked?.classList.remove('picked')
    this.picked = mark
    mark?.classList.add('picked')
    if (!mark || this.root.dataset.by !== 'all') return
    this.root.style.setProperty('--bar', this.part('fill').querySelector('.sheet-bar').offsetHeight + 'px')
    mark.scrollIntoView({ block: 'center' })
  }

  // ── what the rules ask of the whole ballot, counted along ──
  // Totals of the sheets that would count, or of the whole ones only.
  totals (whole, changed, value) {
    return this.officials.map(official => {
      const { mode, marks } = this.answer(official.dataset.subject)
      if (mode !== 'mark') return null
      const given = changed?.closest('.official') === official ? { ...marks, [changed.dataset.dimension]: value } : marks
      if ((whole || this.all) && [...official.querySelectorAll('.mark')].some(mark => given[mark.dataset.dimension] === undefined)) return null
      return total(official, given, this.root.dataset.across)
    }).filter(Boolean)
  }
  refuses (mark, value) {
    if (value === '' || !this.quotas.length) return ''
    const before = this.totals(true), after = this.totals(true, mark, value)
    for (const quota of this.quotas) {
      const n = quota.number(before)
      if (quota.most !== undefined && quota.number(after) > Math.max(n, quota.most)) return say(quota.atLeast ? 'quota_full' : 'quota_fell', { said: quota.said, n })
    }
    return ''
  }
  count () {
    const totals = this.quotas.length ? this.totals(false) : []
    for (const quota of this.quotas) {
      const n = quota.number(totals)
      quota.root.textContent = say(quota.most === undefined ? 'quota_least' : 'quota_most', { said: quota.said, n })
      quota.root.dataset.holds = quota.holds(n) ? 'yes' : 'no'
    }
  }
  // Why the tally would find this ballot void, or nothing.
  fault () {
    const totals = this.totals(false)
    for (const quota of this.quotas) {
      const n = quota.number(totals)
      if (!quota.holds(n)) return say('quota_wrong', { said: quota.said, n })
    }
    const given = []
    for (const official of this.officials) {
      const { mode, marks } = this.answer(official.dataset.subject)
      for (const mark of mode === 'mark' ? official.querySelectorAll('.mark') : []) {
        const value = marks[mark.dataset.dimension]
        if (value !== undefined) given.push({ value, full: JSON.parse(mark.dataset.top).includes(value) })
      }
    }
    if (this.root.dataset.unequal && given.length > 1 && given.every(one => one.value === given[0].value)) return words.all_equal
    if (this.root.dataset.unfull && given.length && given.every(one => one.full)) return words.all_full
    return ''
  }

  // ── what is missing ──
  missing (official) {
    const { mode, marks } = this.answer(official.dataset.subject)
    if (mode !== 'mark') return []
    return [...official.querySelectorAll('.mark')].filter(mark => marks[mark.dataset.dimension] === undefined)
  }
  // The empty field of a reason that is owed.
  reason (official) {
    const below = this.root.dataset.reasonBelow
    const { mode, marks } = this.answer(official.dataset.subject)
    const sum = below && mode === 'mark' && total(official, marks, this.root.dataset.across)
    return sum && isBelow(sum, below) ? official.querySelector('.says') : null
  }
  lacking (official) {
    const reason = this.reason(official)
    return [...this.missing(official), ...(reason && !this.answer(official.dataset.subject).text?.trim() ? [reason] : [])]
  }
  // What is missing: by name where one official is seen, else in numbers.
  lacks (official) {
    const missing = this.lacking(official)
    return missing.length ? say('left', { n: missing.length, names: missing.map(m => m.dataset.label).join('、') }) : ''
  }
  left () {
    const whole = this.officials.filter(one => !this.lacking(one).length).length
    const n = this.officials.reduce((sum, one) => sum + this.lacking(one).length, 0)
    const lacks = this.root.dataset.by === 'all' ? n && say('left_all', { people: this.officials.length - whole, n }) : this.lacks(this.officials[this.kept.at])
    this.part('left').textContent = lacks || words.whole
    this.part('left').dataset.whole = lacks ? 'no' : 'yes'
    const progress = this.part('progress')
    if (progress) progress.textContent = say('progress', { n: whole, of: this.officials.length })
    for (const one of this.officials) {
      const { mode } = this.answer(one.dataset.subject), of = one.querySelectorAll('.mark').length, n = this.missing(one).length, left = this.lacking(one).length
      const note = this.root.querySelector(`[data-left="${one.dataset.subject}"]`)
      if (note) note.textContent = mode === 'mark' ? (left ? say('left_short', { n: left }) : '✓') : words[mode]
      const done = this.root.querySelector(`[data-done="${one.dataset.subject}"]`)
      done.textContent = mode === 'mark' ? say('done', { n: of - n, of }) + (left ? '' : ' ✓') : words[mode]
      done.dataset.whole = left ? 'no' : 'yes'
      const says = one.querySelector('.says')
      if (says) {
        const must = !!this.reason(one)
        says.hidden = !must && !this.root.dataset.comments
        says.querySelector('[data-part="may"]').hidden = must
        says.querySelector('[data-part="must"]').hidden = !must
      }
    }
    this.count()
  }
  modes () {
    for (const official of this.officials) {
      const { mode } = this.answer(official.dataset.subject)
      for (const note of official.querySelectorAll('[data-mode-note]')) note.hidden = note.dataset.modeNote !== mode
      official.querySelector('.marks').hidden = mode !== 'mark'
    }
  }
  go (at, focus) {
    const all = this.root.dataset.by === 'all'
    this.kept.at = at
    this.keep()
    this.officials.forEach((one, i) => { one.hidden = !all && i !== at })
    for (const button of this.root.querySelectorAll('.officials [data-go]')) {
      const here = +button.dataset.go === at
      button.setAttribute('aria-current', here && !all ? 'step' : 'false')
      const list = button.closest('ol'), place = button.parentElement
      if (here && !all) list.scrollLeft = place.offsetLeft - list.offsetLeft - (list.clientWidth - place.clientWidth) / 2
    }
    const next = this.root.querySelector('[data-do="next"]')
    if (next) next.hidden = all || at === this.officials.length - 1
    this.left()
    if (focus) { const head = this.officials[at].querySelector('h3'); head.focus({ preventScroll: true }); head.scrollIntoView({ block: 'start' }) }
  }
  body () {
    const marks = {}, recused = [], comments = {}
    for (const official of this.officials) {
      const subject = official.dataset.subject
      const { mode, marks: given, text = '' } = this.answer(subject)
      if (text.trim() && (this.root.dataset.comments || this.reason(official))) comments[subject] = text.trim()
      const lines = [...official.querySelectorAll('.mark')].map(mark => mark.dataset.dimension)
      if (mode === 'recuse') recused.push(subject)
      else if (mode !== 'mark') marks[subject] = Object.fromEntries(lines.map(line => [line, mode]))
      else {
        const values = lines.filter(line => given[line] !== undefined).map(line => [line, given[line]])
        if (values.length) marks[subject] = Object.fromEntries(values)
      }
    }
    return { marks, recused, ...(Object.keys(comments).length ? { comments } : {}) }
  }
  check () {
    const { marks, recused } = this.body()
    const unreasoned = this.officials.findIndex(one => this.lacking(one).length > this.missing(one).length)
    const first = this.all ? this.officials.findIndex(one => this.lacking(one).length) : unreasoned
    const nothing = !Object.keys(marks).length && !recused.length
    if (nothing || first >= 0) {
      this.go(Math.max(first, 0), false)
      const lacking = this.lacking(this.officials[this.kept.at])
      toast(nothing ? say('nothing') : this.officials[this.kept.at].dataset.name + ' · ' + this.lacks(this.officials[this.kept.at]), true)
      const line = lacking[0]
      line?.scrollIntoView({ block: 'center' })
      line?.querySelector('.pips input, [data-text]')?.focus({ preventScroll: true })
      for (const one of lacking) { one.classList.add('lacking'); setTimeout(() => one.classList.remove('lacking'), 4000) }
      return
    }
    const fault = this.fault()
    if (fault) return toast(fault, true)
    this.pick(null)
    this.checking = true
    this.part('summary').replaceChildren(...this.overview(), ...this.warnings(), ...this.table(this.body(), true))
    this.show('check')
  }
  overview () {
    if (this.officials.length === 1) return []
    const whole = this.officials.filter(one => this.answer(one.dataset.subject).mode === 'mark' && !this.missing(one).length).length
    const line = make('p', 'row', say('sum_whole', { of: this.officials.length, n: whole }))
    for (const mode of ['dont_know', 'abstain', 'recuse']) {
      const n = this.officials.filter(one => this.answer(one.dataset.subject).mode === mode).length
      if (n) line.append(make('span', 'chip warn', `${words[mode]} ${n}`))
    }
    return [line]
  }
  // One block for each official: what stands there is what will be counted.
  table (body, mend) {
    return this.officials.map((official, at) => {
      const subject = official.dataset.subject
      const given = body.marks[subject] || {}
      const box = make('section', 'sum'), head = make('div', 'sum-head')
      head.append(make('h4', '', official.dataset.name))
      box.append(head)
      const word = body.recused.includes(subject) ? 'recuse' : wordOf(given)
      const sum = this.root.dataset.sums && !word && total(official, given, this.root.dataset.across)
      if (word) head.append(make('span', 'chip warn', words[word]))
      if (sum) {
        const { text, exact } = shown(sum), line = make('p', 'total', words.total + ' ')
        line.append(make('b', 'num', exact ? text : say('about', { n: text })))
        head.append(line)
      }
      if (mend) {
        const button = make('button', 'button small', words.mend)
        Object.assign(button, { type: 'button', ariaLabel: `${words.mend} ${official.dataset.name}` })
        button.dataset.go = at
        head.append(button)
      }
      const text = body.comments?.[subject]
      if (text) box.append(make('p', 'keep small said', text))
      if (word) return box
      const list = make('dl', 'sum-marks')
      for (const mark of official.querySelectorAll('.mark')) {
        const value = given[mark.dataset.dimension]
        const chosen = [...mark.querySelectorAll('.pips input')].find(radio => radio.value === value)
        const told = mark.dataset.kind === 'labels' && chosen ? chosen.nextElementSibling.textContent : value
        const row = make('div')
        row.append(make('dt', '', mark.dataset.label), make('dd', value === undefined ? 'error' : 'num strong', told ?? words.missing))
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
    this.pick(event.target.closest('.mark'))
    const button = event.target.closest('button')
    if (!button) return
    if (button.dataset.go) {
      if (this.checking) { this.checking = false; this.show('fill') }
      this.go(+button.dataset.go, true)
    }
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
      const end = this.root.dataset.status === 'voided' ? 'shut_void' : cast ? (editing ? 'shut_old' : 'shut_cast') : 'shut_none'
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
  // ── the closing ──
  // Filled in wholly, and not what the server has of it.
  get unsent () {
    const open = this.running && !this.sending && !this.kept.pending && (!this.kept.cast || this.kept.editing)
    return open && Object.keys(this.kept.answers).length > 0 && !this.officials.some(one => this.lacking(one).length) && !this.fault()
  }
  // The last seconds: what the round says of whole sheets is done.
  nearing (seconds) {
    const byItself = this.root.dataset.unsent === 'send' && this.unsent
    if (byItself && seconds <= SENDS_ITSELF && !this.sentItself) {
      this.sentItself = true                  // once: what is refused is not sent four times a second
      this.send()
      toast(words.sent_by_itself)
    }
    return this.kept.cast && !this.kept.editing ? 'closing_cast' : byItself || this.kept.pending ? 'closing_send' : 'closing_now'
  }
  // What #rounds says of this round: running, when it closes, or how it ended.
  follow (line) {
    const running = line.dataset.running === 'yes'
    this.root.dataset.status = line.dataset.status
    if (running === this.running) return
    this.running = running
    this.sentItself = false
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
// The word that a sheet says in every line instead of marks, or nothing.
function wordOf (given) {
  const [first, ...others] = Object.values(given)
  return ['abstain', 'dont_know'].includes(first) && others.every(value => value === first) ? first : ''
}

// ── which rounds run ──
const sheets = new Map()
const loading = new Set()
const without = new Map()                    // round → why this seat has no sheet of it
const holder = document.getElementById('sheets')
const installed = document.body.dataset.shared ? Promise.resolve(false) : install().catch(() => false)
async function load (id, fresh) {
  if (loading.has(id)) return
  loading.add(id)
  for (let tries = 0; ; tries++) {
    try {
      const address = url(`/h/${slug}/panel/sheet/${id}`)
      const answer = await fetch(address, { headers: seat ? { 'X-Pingyi-Seat': seat } : {} })
      if (answer.status === 403) { without.set(id, (await answer.json()).error.message); break }
      if (answer.status === 409 || answer.status === 404) return loading.delete(id)   // closed meanwhile
      if (!answer.ok) throw new Error(String(answer.status))
      const box = document.createElement('template')
      const html = box.innerHTML = await answer.text()
      installed.then(() => keepSheet(address, html)).catch(() => {})
      const root = box.content.querySelector('.sheet')
      if (root && !sheets.has(id)) {
        // A new sheet comes on top, unless that would move one that is being filled.
        if ([...sheets.values()].some(one => one.running)) holder.append(root)
        else holder.prepend(root)
        sheets.set(id, new Sheet(root))
        if (fresh) toast(say('opened'), false, false)
        // Without a network the page must know of this round; not all ask at once.
        if (fresh) setTimeout(() => keepPage().catch(() => {}), 2000 * Math.random())
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
  let running = false, late = ''
  for (const line of document.querySelectorAll('#rounds [data-round]')) {
    const sheet = sheets.get(line.dataset.round)
    if (line.dataset.running) running = true
    if (line.dataset.running && !sheet && !without.has(line.dataset.round)) load(line.dataset.round, started)
    if (line.dataset.running && without.has(line.dataset.round)) late = without.get(line.dataset.round)
    sheet?.follow(line)
  }
  const why = document.getElementById('late')
  why.textContent = late
  why.hidden = !late
  document.getElementById('idle').hidden = running || sheets.size > 0
  started = true
}

// ── the closing, half a minute ahead ──
const ANNOUNCED = 30
const soon = document.getElementById('closing-soon')
function announce () {
  let first = Infinity, said = ''
  for (const line of document.querySelectorAll('#rounds [data-closes-at]')) {
    const left = (line.dataset.closesAt - now()) / 1000
    if (left > ANNOUNCED || left < -1) continue
    const what = sheets.get(line.dataset.round)?.nearing(left) || 'closing_none'
    if (left < first) { first = left; said = say(what, { n: Math.max(0, Math.ceil(left)) }) }
  }
  soon.hidden = !said
  if (soon.textContent !== said) soon.textContent = said
}
setInterval(announce, 250)

// ── large type ──
const largeButton = document.getElementById('large')
function large (on) {
  document.documentElement.dataset.large = on ? 'yes' : 'no'
  largeButton.setAttribute('aria-pressed', String(on))
}
large(look.large)
largeButton.addEventListener('click', () => { look.large = !look.large; large(look.large); write('pingyi-look', look) })

// ── link, tabs, what is only for this seat ──
const linkWord = document.getElementById('link')
function link (state) {
  linkWord.dataset.state = state
  if (linkWord.textContent !== words[state]) linkWord.textContent = words[state]
}
document.addEventListener('pingyi:up', () => { link('up'); for (const resolve of wake) resolve(); wake.clear() })
document.addEventListener('pingyi:down', () => link('down'))
document.addEventListener('pingyi:out', () => { link('out'); forgetPage() })
installed.then(can => {
  const word = document.getElementById('offline')
  word.textContent = words[can ? 'offline_yes' : 'offline_no']
  word.hidden = false
})
addEventListener('online', () => { for (const resolve of wake) resolve(); wake.clear() })

// What the console shows of this tablet.
const BEAT_MS = 15000
let battery = null
async function beat () {
  try { battery ||= await navigator.getBattery?.() } catch { /* the browser does not tell */ }
  const told = battery ? { battery: Math.round(battery.level * 100), charging: battery.charging } : {}
  send({ type: 'tablet', ...told })
}
document.addEventListener('pingyi:up', beat)
setInterval(beat, BEAT_MS)

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
// What concerns this seat is said in its own words instead of the sentence for all.
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

// ── what became of it: said once, shown until put away or at another item ──
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
