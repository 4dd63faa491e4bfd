// ask.js: the asking form. The draft stays on the device until its ack; the code and the secret of
// what was asked are kept there too, because nobody else can say whose question it was.
import { mine, perform } from './public.js'

const { slug, lang, epoch, run } = document.body.dataset
const form = document.querySelector('[data-ask]')
const receipt = document.querySelector('[data-receipt]')
const box = document.querySelector('[data-mine]')
const draftName = 'pingyi-draft:' + slug
const keptName = 'pingyi-questions:' + slug
const text = form.elements.text
const counter = form.querySelector('[data-counter]')
const error = form.querySelector('[data-error]')

function read (name, otherwise) { try { return JSON.parse(localStorage.getItem(name)) ?? otherwise } catch { return otherwise } }
function keep (name, value) { try { localStorage.setItem(name, JSON.stringify(value)) } catch { /* private mode */ } }

function count () {
  const n = [...text.value.trim()].length
  counter.textContent = `${n}/500`
  counter.hidden = false
  return n
}
function link (code) { return `/q/${encodeURIComponent(code)}?lang=${lang}` }

// ── mine: codes kept here, fates from the server ──
const kept = read(keptName, [])              // what was asked in a rehearsal bears its epoch and is shown nowhere else
function list () {
  const fate = new Map(mine.questions.map(one => [one.code, one.status]))
  const codes = [...new Set([...kept.filter(one => !one.epoch || one.epoch === epoch).map(one => one.code), ...fate.keys()])]
  const place = box.querySelector('ul')
  const words = JSON.parse(place.dataset.words)
  place.replaceChildren(...codes.map(code => {
    const item = document.createElement('li')
    item.className = 'row spread'
    const anchor = document.createElement('a')
    Object.assign(anchor, { href: link(code), textContent: code, className: 'code' })
    const chip = document.createElement('span')
    Object.assign(chip, { className: 'chip', textContent: words[fate.get(code)] || words.received })
    item.append(anchor, chip)
    return item
  }))
  box.hidden = codes.length === 0
}
document.addEventListener('pingyi:mine', list)
document.addEventListener('pingyi:ack', ({ detail }) => {      // also of a question sent before a reload
  if (!detail.secret) return
  kept.unshift({ code: detail.code, secret: detail.secret, ...(run === 'rehearsal' && { epoch }) })
  keep(keptName, kept)
  receipt.querySelector('[data-code]').textContent = detail.code
  receipt.querySelector('[data-code]').href = link(detail.code)
  receipt.querySelector('[data-secret]').textContent = detail.secret
  receipt.hidden = false
  list()
})

// ── the form ──
text.value ||= read(draftName, '')
text.addEventListener('input', () => { keep(draftName, text.value); count(); error.hidden = true })
form.addEventListener('submit', async event => {
  event.preventDefault()
  if (form.getAttribute('aria-busy')) return
  form.setAttribute('aria-busy', 'true')
  const button = form.querySelector('[type=submit]')
  button.setAttribute('aria-busy', 'true')
  const subject = form.elements.subject?.value
  const sent = text.value
  const answer = await perform({ type: 'ask', text: sent.trim(), ...(subject && { subject }) })
  form.removeAttribute('aria-busy')
  button.removeAttribute('aria-busy')
  if (answer.type === 'refusal') {
    error.textContent = answer.message
    error.hidden = false
    text.focus()
    return
  }
  if (read(draftName, '') === sent) keep(draftName, '')
  if (text.value !== sent) return            // somebody types the next one already: it stays, and so does the focus
  text.value = ''
  count()
  receipt.focus()
})
count()
list()
