// kiosk.js: a shared tablet waits for the next panelist's code. What is typed goes nowhere else, and
// nothing of it stays on this device.

import { signOut, wipe } from './wipe.js'

const { slug, lang, offline } = document.body.dataset
const $ = id => document.getElementById(id)
const field = $('code')

function tell (text) {
  $('word').textContent = text
  $('word').hidden = !text
  if (text) { field.select(); field.focus() }
}
$('enter').addEventListener('submit', async event => {
  event.preventDefault()
  const button = $('enter').querySelector('button')
  if (button.getAttribute('aria-busy')) return
  button.setAttribute('aria-busy', 'true')
  tell('')
  try {
    const answer = await fetch(`/h/${slug}/kiosk/session?lang=${lang}`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Accept-Language': lang }, body: JSON.stringify({ code: field.value }) })
    const told = await answer.json()
    if (!answer.ok) return tell(told.error.message)
    field.value = ''
    location.replace(told.address)
  } catch {
    tell(offline)
  } finally {
    button.removeAttribute('aria-busy')
  }
})
// However the page of whoever sat here was left: by its button, the home button, a restart, “back”.
async function begin () {
  field.value = ''
  tell('')
  field.focus()
  await wipe()
  await signOut()
}
addEventListener('pageshow', begin)
