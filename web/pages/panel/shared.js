// shared.js: the panel's page on a shared tablet. Whoever sits here leaves by a button, by having sent
// every sheet, or by having gone away; then nothing of his stays on this device, and the next one comes.

import { forgetPage } from './offline.js'

const { slug, lang, seat } = document.body.dataset
const words = JSON.parse(document.getElementById('shared').dataset.words)
const IDLE_S = 120                            // without a touch, before it is asked
const LEAVES_S = 30                           // after the receipt, or after it was asked

const dialog = document.getElementById('shared'), word = dialog.querySelector('p'), stay = dialog.querySelector('[data-stay]')
let touched = Date.now(), leaves = 0, left = false

const states = () => [...document.querySelectorAll('#sheets .sheet')].map(one => one.dataset.state)
const waits = () => states().includes('sending')
const done = () => states().includes('received') && states().every(one => one === 'received' || one === 'shut')

function ask (text, receipt) {
  if (dialog.open) return
  leaves = Date.now() + LEAVES_S * 1000
  word.textContent = text
  dialog.querySelector('[data-receipt]').textContent = receipt
  stay.hidden = !!receipt
  dialog.showModal ? dialog.showModal() : dialog.setAttribute('open', '')
}
async function leave () {
  if (left) return
  left = true
  for (const shelf of [localStorage, sessionStorage]) {
    try { for (const name of Object.keys(shelf)) if (name.startsWith('pingyi-') && name.split(':')[1] === slug) shelf.removeItem(name) } catch { /* no storage */ }
  }
  await forgetPage().catch(() => {})
  for (let tries = 0; tries < 5; tries++) {
    try {
      await fetch(`/h/${slug}/kiosk/end`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ seat }) })
      break
    } catch { await new Promise(resolve => setTimeout(resolve, 1000)) }
  }
  location.replace(`/h/${slug}/kiosk?lang=${lang}`)
}
function look () {
  const seconds = Math.max(0, Math.ceil((leaves - Date.now()) / 1000))
  dialog.querySelector('[data-left]').textContent = words.left.replace('{n}', seconds)
  if (dialog.open) return void (seconds || waits() || leave())
  if (done()) return ask(words.done, [...document.querySelectorAll('#sheets .sheet[data-state="received"] [data-part="receipt"]')].map(one => one.textContent).join('、'))
  if (!waits() && Date.now() - touched > IDLE_S * 1000) ask(words.idle, '')
}
for (const kind of ['pointerdown', 'keydown', 'input']) addEventListener(kind, () => { touched = Date.now() }, true)
stay.addEventListener('click', () => { touched = Date.now(); dialog.close ? dialog.close() : dialog.removeAttribute('open') })
dialog.addEventListener('cancel', event => event.preventDefault())
for (const button of document.querySelectorAll('[data-leave]')) button.addEventListener('click', leave)
document.addEventListener('pingyi:out', leave)
setInterval(look, 250)
