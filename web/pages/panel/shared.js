// shared.js: the panel's page on a shared tablet. Whoever sits here leaves by a button, by having sent
// every sheet, or by having gone away; then nothing of his stays on this device, and the next one comes.

import { signOut, wipe } from '../kiosk/wipe.js'

const { slug, lang } = document.body.dataset
const words = JSON.parse(document.getElementById('shared').dataset.words)
const IDLE_S = 120                            // without a touch, before it is asked
const LEAVES_S = 30                           // after the receipt, or after it was asked

const dialog = document.getElementById('shared'), word = dialog.querySelector('p'), stay = dialog.querySelector('[data-stay]')
let touched = Date.now(), leaves = 0, left = false
let told = ''                                 // what the dialog says: done, idle, waits

const states = () => [...document.querySelectorAll('#sheets .sheet')].map(one => one.dataset.state)
const waits = () => states().includes('sending')
let sent = false                              // from here: a receipt of what was sent elsewhere is no end
document.addEventListener('click', event => { sent ||= !!event.target.closest('[data-do="send"]') }, true)
const done = () => sent && states().includes('received') && states().every(one => one === 'received' || one === 'shut')

function ask (what, receipt = '') {
  told = what
  leaves = Date.now() + LEAVES_S * 1000
  word.textContent = words[what]
  dialog.querySelector('[data-receipt]').textContent = receipt
  stay.hidden = !!receipt
  if (!dialog.open) dialog.showModal ? dialog.showModal() : dialog.setAttribute('open', '')
}
function back () {
  told = ''
  touched = Date.now()
  dialog.close ? dialog.close() : dialog.removeAttribute('open')
}
// Nothing is typed any more, the session has ended, and only then is the tablet for the next one.
async function leave () {
  if (left) return
  left = true
  document.getElementById('main').inert = true
  ask('leaving')
  for (const button of dialog.querySelectorAll('button')) button.hidden = true
  dialog.querySelector('[data-left]').textContent = ''
  await wipe()
  while (!(await signOut())) {
    word.textContent = words.offline
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  await wipe()
  location.replace(`/h/${slug}/kiosk?lang=${lang}`)
}
// A sheet that is on its way is waited for.
function hand () { waits() ? ask('waits') : leave() }
function look () {
  if (left) return
  const seconds = Math.max(0, Math.ceil((leaves - Date.now()) / 1000))
  dialog.querySelector('[data-left]').textContent = words.left.replace('{n}', seconds)
  if (done() && told !== 'done') return ask('done', [...document.querySelectorAll('#sheets .sheet[data-state="received"] [data-part="receipt"]')].map(one => one.textContent).join('、'))
  if (told) return void (seconds || waits() || leave())
  if (!waits() && Date.now() - touched > IDLE_S * 1000) ask('idle')
}
for (const kind of ['pointerdown', 'keydown', 'input']) addEventListener(kind, () => { touched = Date.now() }, true)
stay.addEventListener('click', back)
dialog.addEventListener('cancel', event => event.preventDefault())
for (const button of document.querySelectorAll('[data-leave]')) button.addEventListener('click', hand)
document.addEventListener('pingyi:out', leave)
setInterval(look, 250)
