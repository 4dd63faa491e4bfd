// common.js: what the desk's scripts share: where they are, their words, and how they ask the server.

import { api, toast } from '../../act.js'

export const { slug, seat, lang, me } = document.body.dataset
const words = JSON.parse(document.body.dataset.words)
export const say = (name, values = {}) => (words[name] || '').replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
export const $ = id => document.getElementById(id)
export const list = $('list'), chosen = $('chosen'), filters = $('filters')
export const questionPath = id => `/api/v1/hearings/${slug}/desk/questions/${id}`
export const rows = () => [...list.querySelectorAll('[data-row]')]

export function read (name) { try { return JSON.parse(localStorage.getItem(name)) } catch { return null } }
export function keep (name, value) { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, JSON.stringify(value)) } catch { /* private mode */ } }
export async function send (method, path, body) {
  const answer = await api(method, path, body).catch(() => ({ ok: false, error: { message: document.body.dataset.offline } }))
  if (!answer.ok && answer.error?.code !== 'version_stale') toast(answer.error?.message || String(answer.status), true)
  return answer
}
// One of the desk's own addresses, as this person and in this language.
export function address (what, asked = {}) {
  const query = new URLSearchParams({ ...asked, lang })
  if (seat) query.set('seat', seat)
  return `/h/${slug}/desk/${what}?${query}`
}

// Puts a page of the server into a place. Only the last one asked for counts: with a slow network the
// answer to an earlier key press would otherwise come in after a later one. False = not shown.
const under = new Map()
export async function bring (from, target) {
  under.get(target)?.abort()
  const stop = new AbortController()
  under.set(target, stop)
  try {
    const answer = await fetch(from, { signal: stop.signal })
    const text = await answer.text()
    if (!answer.ok) throw new Error(String(answer.status))
    if (under.get(target) !== stop) return false
    // Not htmx.swap: it writes the inline style of an old element (a text box pulled larger by hand)
    // onto the new one of the same id, and the content policy refuses such a style.
    target.innerHTML = text
    htmx.process(target)
    return true
  } catch (error) {
    if (error.name !== 'AbortError') { toast(say('failed'), true); target.removeAttribute('aria-busy') }
    return false
  }
}
