// spare.js: a tablet that nobody has signed in asks for a seat, and comes for its session until it is
// told yes or no. What it needs for that survives a reload of this page (sessionStorage).

const { slug, lang } = document.body.dataset
const words = JSON.parse(document.body.dataset.words)
const $ = id => document.getElementById(id)
const name = `pingyi-spare:${slug}`
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
let asked = null
try { asked = JSON.parse(sessionStorage.getItem(name)) } catch { /* asks anew */ }

function keep (value) {
  asked = value
  try { value ? sessionStorage.setItem(name, JSON.stringify(value)) : sessionStorage.removeItem(name) } catch { /* no storage */ }
}
function tell (text, kind = '') {
  $('word').textContent = text
  $('word').className = 'note ' + kind
  $('word').hidden = !text
}
async function send (what, body) {
  const answer = await fetch(`/h/${slug}/panel/spare${what}?lang=${lang}`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Accept-Language': lang }, body: JSON.stringify(body) })
  return { ok: answer.ok, status: answer.status, json: await answer.json() }
}
function show () {
  $('ask').hidden = !!asked
  $('waiting').hidden = !asked
  if (asked) { $('check').textContent = asked.check; $('seat-word').textContent = asked.seat }
}
async function follow () {
  show()
  tell(words.waiting)
  while (asked) {
    try {
      const { ok, status, json } = await send('/session', { secret: asked.secret })
      if (!ok && status < 500 && status !== 429) return over(json.error.message)
      if (ok && json.status === 'granted') {
        keep(null)
        tell(words.granted, 'ok')
        return location.replace(json.address)
      }
      if (ok && json.status !== 'open') return over(words[json.status])
      tell(words.waiting)
    } catch { tell(words.offline, 'warn') }
    await pause(1000 + 500 * Math.random())
  }
}
function over (text) {
  keep(null)
  tell(text, 'warn')
  $('waiting').hidden = true
  $('again').hidden = false
}

$('ask').addEventListener('submit', async event => {
  event.preventDefault()
  const button = $('ask').querySelector('button')
  if (button.disabled) return
  button.disabled = true
  try {
    const { ok, json } = await send('', { seat: +$('number').value })
    if (!ok) return tell(json.error.message, 'bad')
    keep(json)
    follow()
  } catch {
    tell(words.offline, 'warn')
  } finally {
    button.disabled = false
  }
})
$('again').addEventListener('click', () => { $('again').hidden = true; tell(''); show(); $('number').focus() })
if (asked) follow()
