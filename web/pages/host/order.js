// order.js: a list whose order people change, by drag, by Alt+↑/↓ or by its buttons, inside a
// fragment that updates also redraw (host: agenda and queue; desk: queue).
//
// From the first touch until the new order is sent, the fragment counts as the person's own
// ([data-own]): live.js leaves it alone, and the newest content that came meanwhile is put in after.
//
//   ordered('queue', async (ids, list) => answer)    the fragment's id, and how an order is sent
//   in the fragment: <ol data-order> with <li id data-id>, .handle, [data-move="-1"]
// An answer with `version` becomes the list's next data-version, so that moves may follow quickly.

import { swap } from '../../live.js'

const PAUSE_MS = 500                          // several key presses are one new order
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches

export function ordered (rootId, save, told) {
  let busy = false, latest = null, timer, before = []
  const root = () => document.getElementById(rootId)
  const list = () => root().querySelector('[data-order]')
  const ids = () => [...list().querySelectorAll(':scope > [data-id]')].map(one => one.dataset.id)

  function begin () {
    if (busy) return
    busy = true
    before = ids()
    root().setAttribute('data-own', '')
  }
  async function end () {
    clearTimeout(timer)
    const wanted = ids()
    const answer = wanted.join() === before.join() ? null : await save(wanted, list())
    if (answer?.ok && answer.version !== undefined) list().dataset.version = answer.version
    if (answer && !answer.ok) {
      for (const id of before) list().append(...[...list().children].filter(one => one.dataset.id === id))
      if (answer.error?.detail?.current?.version !== undefined) list().dataset.version = answer.error.detail.current.version
    }
    busy = false
    root().removeAttribute('data-own')
    if (latest) {
      const text = latest
      latest = null
      await swap(text, false)
    }
  }
  function move (item, by) {
    const items = [...list().querySelectorAll(':scope > [data-id]')]
    const other = items[items.indexOf(item) + by]
    if (!other) return
    begin()
    const focused = document.activeElement
    by < 0 ? other.before(item) : other.after(item)
    focused?.focus({ preventScroll: true })
    item.scrollIntoView({ block: 'nearest' })
    told?.(ids().indexOf(item.dataset.id) + 1)
    clearTimeout(timer)
    timer = setTimeout(end, PAUSE_MS)
  }
  function wire () {
    const one = root() && list()
    if (!one || Sortable.get(one)) return
    Sortable.create(one, {
      draggable: '[data-id]', handle: '.handle', animation: calm ? 0 : 120, delayOnTouchOnly: true, delay: 120,
      onStart: begin, onEnd: end
    })
  }
  document.addEventListener('click', event => {
    const button = event.target.closest(`#${rootId} [data-move]`)
    if (button) move(button.closest('[data-id]'), +button.dataset.move)
  })
  document.addEventListener('keydown', event => {
    const item = event.altKey && /^Arrow(Up|Down)$/.test(event.key) && event.target.closest?.(`#${rootId} [data-order] > [data-id]`)
    if (!item) return
    event.preventDefault()
    move(item, event.key === 'ArrowUp' ? -1 : 1)
  })
  document.addEventListener('pingyi:cue', event => {
    if (!busy || !event.detail.content) return
    const box = document.createElement('template')
    box.innerHTML = event.detail.content
    const piece = box.content.getElementById(rootId)
    if (piece) latest = piece.outerHTML
  })
  document.addEventListener('pingyi:swapped', wire)
  wire()
}
