// lists.js: items of a live list come and go, and never under anybody's eyes (law 7).
//
//   data-into="LIST" data-order="…"  an item: greatest order first, without one on top. A list with
//                                    data-hold keeps new items behind its pill “有 12 条新提问”;
//                                    what belongs at the list's end moves nothing and goes in at once
//   data-only="LIST" data-ids="…"    all that LIST holds now: the rest leaves it once out of sight,
//                                    and what the page never got is fetched (law 6)
const held = new Map()                        // list → item's id → item
const only = new Map()                        // list → ids

export function put (piece, whole) {
  const list = document.getElementById(piece.dataset.into)
  if (list?.hasAttribute('data-hold') && !whole && !tail(list, piece)) hold(list, piece)
  else if (list) place(list, piece)
}
export function drop (id) { for (const [list, pieces] of held) if (pieces.delete(id)) pill(list) }
export function keep (piece) {
  const ids = piece.dataset.ids.split(' ')
  only.set(piece.dataset.only, ids)
  setTimeout(() => complete(piece.dataset.only, ids), 1000 + 6000 * Math.random())
}
// After a change; with `whole` everything was there, so that nothing waits any more.
export function settle (whole) {
  if (whole) for (const id of [...held.keys()]) { held.delete(id); pill(id) }
  for (const [id, ids] of only) {
    for (const item of document.querySelectorAll(`#${id} > [data-order]`)) {
      const { top, bottom } = item.getBoundingClientRect()
      if (!ids.includes(item.id) && (bottom < 0 || top > innerHeight)) item.remove()
    }
  }
}
export function release (id) {
  const list = document.getElementById(id)
  for (const piece of held.get(id)?.values() || []) if (!document.getElementById(piece.id)) place(list, piece)
  held.delete(id)
  pill(id)
  settle()
  document.dispatchEvent(new CustomEvent('pingyi:swapped'))
}

function place (list, piece) {
  const order = piece.dataset.order
  const before = order === undefined ? list.firstElementChild : [...list.children].find(one => (one.dataset.order || '') < order)
  list.insertBefore(piece, before || null)
}
function tail (list, piece) {
  const items = list.querySelectorAll(':scope > [data-order]')
  return items.length > 0 && piece.dataset.order < items[items.length - 1].dataset.order
}
function hold (list, piece) {
  const pieces = held.get(list.id) || new Map()
  pieces.delete(piece.id)
  held.set(list.id, pieces.set(piece.id, piece))
  pill(list.id)
}
function pill (id) {
  const button = document.querySelector(`[data-release="${id}"]`)
  const n = held.get(id)?.size || 0
  if (!button) return n && release(id)
  button.hidden = n === 0
  const count = button.querySelector('[data-n]')
  if (count) count.textContent = n
}
// Support that flooded in may have lifted an item into the list: it stands on the page as it is now.
async function complete (id, ids) {
  const there = one => document.getElementById(one) || held.get(id)?.has(one)
  if (only.get(id) !== ids || ids.every(there)) return
  const text = await fetch(location.href, { cache: 'no-cache' }).then(answer => answer.ok ? answer.text() : '', () => '')
  const fresh = new DOMParser().parseFromString(text, 'text/html')
  for (const one of ids) {
    const piece = !there(one) && fresh.getElementById(one)
    if (piece) put(document.importNode(piece, true))
  }
  settle()
  document.dispatchEvent(new CustomEvent('pingyi:swapped'))
}

document.addEventListener('click', event => {
  const button = event.target.closest('[data-release]')
  if (button) release(button.dataset.release)
})
