// office.js: what an act of act.js changes on the office's pages, cards in a dialog, and the marks
// that stay fresh (presence, cards, counts). Without it cards, imports and show files still work.
import { api, toast } from '../../act.js'
import { newKey } from '../../live.js'

const RENEW_MS = 5000

async function fresh () {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  if (!answer.ok || answer.redirected) return undefined
  return new DOMParser().parseFromString(await answer.text(), 'text/html')
}

// ── after an act: only the part that it changed is put anew ──
document.addEventListener('pingyi:answer', async ({ target, detail }) => {
  if (!detail.ok) return
  if (detail.token || detail.secret) showOnce(detail.token || detail.secret)
  const part = target.closest('[data-renews]')?.dataset.renews
  if (part === 'page') return location.reload()
  const old = part && document.getElementById(part)
  const next = old && (await fresh())?.getElementById(part)
  if (!next) return part && location.reload()
  const inside = old.contains(document.activeElement)
  old.replaceWith(next)
  if (inside) next.focus()
})
function showOnce (token) {
  const box = document.querySelector('[data-shown-once]')
  if (!box) return
  box.querySelector('[data-secret]').textContent = token
  box.hidden = false
  box.focus()
}

// A grant's place is an office, its subtree or one hearing: one choice, several fields of the API.
document.addEventListener('submit', async event => {
  const form = event.target.closest('form[data-grant]')
  if (!form) return
  event.preventDefault()
  const body = { account: +form.dataset.grant, role: form.elements.role.value, ...JSON.parse(form.elements.place.value) }
  const answer = await api('POST', '/api/v1/grants', body).catch(() => ({ error: { message: document.body.dataset.offline } }))
  toast(answer.ok ? form.dataset.done : answer.error?.message || String(answer.status), !answer.ok)
  form.dispatchEvent(new CustomEvent('pingyi:answer', { bubbles: true, detail: answer }))
})

// ── one card: in a dialog over the list, so that the next seat is one tap away ──
const dialog = document.getElementById('issued')
document.addEventListener('submit', async event => {
  const form = event.target.closest('form[data-cards]')
  if (!form || !dialog?.showModal) return
  event.preventDefault()
  const button = event.submitter || form.querySelector('button')
  const sent = new FormData(form)
  if (button.name) sent.append(button.name, button.value)
  if (button.getAttribute('aria-busy') || (button.dataset.sure && !confirm(button.dataset.sure))) return
  button.setAttribute('aria-busy', 'true')
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(sent) }).catch(() => undefined)
  button.removeAttribute('aria-busy')
  const page = answer && new DOMParser().parseFromString(await answer.text(), 'text/html')
  const cards = answer?.ok && page.getElementById('cards')
  if (!cards) return toast(page?.querySelector('h1')?.textContent || document.body.dataset.offline, true)
  const tools = page.querySelector('[data-tools]')
  const done = tools.querySelector('a')
  const close = document.createElement('button')
  Object.assign(close, { type: 'button', className: done.className, textContent: done.textContent })
  close.addEventListener('click', () => dialog.close())
  done.replaceWith(close)
  dialog.replaceChildren(cards, tools)
  readyToPrint()
  document.body.dataset.issued = ''
  dialog.showModal()
  close.focus()
})
dialog?.addEventListener('close', () => { delete document.body.dataset.issued; dialog.replaceChildren(); renew() })
function readyToPrint () { for (const button of document.querySelectorAll('[data-print]')) { button.hidden = false; button.onclick = () => print() } }
readyToPrint()

// ── marks that others change: replaced by id, and nothing that can be focused is among them ──
async function renew () {
  const page = await fresh().catch(() => undefined)
  for (const old of document.querySelectorAll('[data-fresh]')) {
    const next = page?.getElementById(old.id)
    if (next && next.outerHTML !== old.outerHTML) old.replaceWith(next)
  }
}
if (document.querySelector('[data-fresh]')) setInterval(() => document.hidden || dialog?.open || renew(), RENEW_MS)

// ── a file that is handed in: its bytes, as they are ──
document.addEventListener('change', async event => {
  const picker = event.target.closest('input[data-send]')
  const [file] = picker?.files || []
  if (!file) return
  picker.disabled = true
  const headers = { 'Accept-Language': document.body.dataset.lang, 'Content-Type': 'application/octet-stream', 'Idempotency-Key': newKey() }
  if (document.body.dataset.seat) headers['X-Pingyi-Seat'] = document.body.dataset.seat
  const sent = await fetch(`${picker.dataset.send}?name=${encodeURIComponent(file.name)}`, { method: 'POST', headers, body: file }).catch(() => undefined)
  const answer = { ok: Boolean(sent?.ok), ...await sent?.json().catch(() => ({})) }
  picker.disabled = false
  picker.value = ''
  toast(answer.ok ? picker.dataset.done : answer.error?.message || document.body.dataset.offline, !answer.ok)
  picker.dispatchEvent(new CustomEvent('pingyi:answer', { bubbles: true, detail: answer }))
})

// ── rounds that others are about to change: who has to sign sees the tally when it is there. What is
// being typed in or was, pressed, or read in an opened part stays (law 7). ──
const AWAIT_MS = 1000
function filled (field) {
  if (field.type === 'file') return field.files.length > 0
  if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex(one => one.defaultSelected))
  return field.value !== field.defaultValue
}
function busy (part) {
  return part.contains(document.activeElement) || part.querySelector('details[open], :active') ||
    [...part.querySelectorAll('input, select, textarea')].some(filled)
}
async function lookAgain () {
  if (document.hidden || !document.querySelector('[data-awaits]')) return
  const page = await fresh().catch(() => undefined)
  for (const old of document.querySelectorAll('[data-renews^="round-"]')) {
    const next = page?.getElementById(old.id)
    if (next && !busy(old) && next.innerHTML !== old.innerHTML) old.replaceWith(next)
  }
}
if (document.querySelector('[data-awaits]')) {
  const again = () => setTimeout(() => lookAgain().finally(again), AWAIT_MS)
  again()
}

// ── what answered a form has an address of its own: reloaded, it sends nothing again ──
const address = document.querySelector('[data-address]')?.dataset.address
if (address) history.replaceState(null, '', address)

// ── a file on its way: how far it is; when it has come somewhere, the page of that. A cut is waited out. ──
const MOVES_MS = 1000
async function follow () {
  const old = document.getElementById('moving')
  if (!old) return
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } }).catch(() => undefined)
  const text = await answer?.text().catch(() => undefined)
  const page = text && answer.status < 500 && new DOMParser().parseFromString(text, 'text/html')
  const next = page && page.getElementById('moving')
  if (page && next?.dataset.moving !== old.dataset.moving) return location.replace(location.href)
  if (next && next.innerHTML !== old.innerHTML) old.replaceWith(next)
  setTimeout(follow, MOVES_MS)
}
if (document.getElementById('moving')) setTimeout(follow, MOVES_MS)

// ── a press that ends something that was printed ──
document.addEventListener('submit', event => {
  const sure = !event.target.matches('form[data-cards]') && event.submitter?.dataset.sure
  if (sure && !confirm(sure)) event.preventDefault()
})

// ── texts to be copied: without https there is no clipboard, so the text is chosen for the person ──
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const text = document.getElementById(button.dataset.copy)
    try {
      await navigator.clipboard.writeText(text.textContent)
      toast(button.dataset.done)
    } catch { getSelection().selectAllChildren(text) }
  })
}

// ── forms that take a while, and a show file that is read into the text ──
document.addEventListener('submit', event => {
  if (event.target.matches('form[data-busy]') && !event.defaultPrevented && event.submitter?.value !== 'refused') event.submitter?.setAttribute('aria-busy', 'true')
})
addEventListener('pageshow', () => { for (const one of document.querySelectorAll('form[data-busy] [aria-busy]')) one.removeAttribute('aria-busy') })
for (const picker of document.querySelectorAll('[data-into-text]')) {
  picker.addEventListener('change', async () => {
    const [file] = picker.files
    if (!file) return
    document.getElementById(picker.dataset.intoText).value = await file.text()
    picker.value = ''                         // the text is what is sent, and what may be edited
  })
}

// ── a list that is typed as one line ──
document.addEventListener('input', event => {
  const { list } = event.target.dataset
  if (list) document.getElementById(list).value = JSON.stringify(event.target.value.split(/[、,，;；]+/).map(one => one.trim()).filter(Boolean))
})
