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

// Where the server asks for work first, it is done for this very question; a window may pass meanwhile.
async function worked (frame) {
  let answer = await perform(frame)
  for (let tries = 0; answer.code === 'work_needed' && tries < 3; tries++) {
    error.textContent = form.dataset.working
    error.hidden = false
    const worker = new Worker(form.dataset.work)
    frame.work = await new Promise(resolve => {
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = () => resolve('')
      worker.postMessage({ ...answer.work, key: frame.key })
    })
    worker.terminate()
    answer = await perform(frame)
    error.hidden = true
  }
  return answer
}

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
  const answer = await worked({ type: 'ask', text: sent.trim(), ...(subject && { subject }) })
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

// ── what others have asked already: whoever asks may support that instead. It stands below the button,
// so that nothing moves under a finger. ──
const similar = document.querySelector('[data-similar]'), hint = document.getElementById('ask-hint')
const alike = hint.querySelector('a')
let looking
async function look () {
  const typed = text.value.trim()
  const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text: typed }) }
  const answer = [...typed].length < 6 ? null : await fetch(`/api/v1/hearings/${slug}/questions/similar`, asked).catch(() => null)
  const found = answer?.ok ? (await answer.json()).items : []
  if (text.value.trim() !== typed) return
  similar.querySelector('ul').replaceChildren(...found.map(one => {
    const item = document.createElement('li'), said = document.createElement('p'), row = document.createElement('p')
    const asked = document.createElement('span'), button = document.createElement('button')
    said.textContent = one.text.length > 80 ? one.text.slice(0, 80) + '…' : one.text
    asked.textContent = similar.dataset.asked.replace('{n}', one.askers)
    asked.className = 'small muted num grow'
    Object.assign(button, { type: 'button', id: 'similar-' + one.code, className: 'button small', textContent: similar.dataset.word })
    button.dataset.support = one.code
    row.className = 'row'
    row.append(asked, button)
    item.append(said, row)
    return item
  }))
  similar.hidden = !found.length
  // On a phone they stand too far below: the hint says so.
  hint.style.minHeight = hint.offsetHeight + 'px'
  alike.hidden = !(alike.previousElementSibling.hidden = found.length > 0)
  alike.textContent = alike.dataset.n.replace('{n}', found.length)
  document.dispatchEvent(new CustomEvent('pingyi:swapped'))     // what was supported before is marked
}
text.addEventListener('input', () => { clearTimeout(looking); looking = setTimeout(look, 600) })
count()
list()
