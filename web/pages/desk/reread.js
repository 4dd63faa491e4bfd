// reread.js: what is decided is what was read. An act goes with the version that the pane shows; when somebody
// has rewritten the question since, both texts stand side by side and nothing is decided.

const line = text => text.replaceAll('\r\n', '\n')
const shown = (pane, part) => pane.querySelector(`[data-part="${part}"]`)?.textContent ?? ''

// Whether the act was refused because the question is no longer as it was read. Where only its state or its
// tags have moved (the screener, another moderator), the text is the one that was read: the act goes again.
export function outdated (element, answer) {
  if (element.dataset.read === undefined || answer.error?.code !== 'version_stale') return false
  const pane = element.closest('.pane'), now = answer.error.detail.current, read = shown(pane, 'text')
  if ((line(now.text) === read || !now.text) && line(now.title || '') === shown(pane, 'title')) {
    pane.dataset.version = now.version
    element.tagName === 'FORM' ? element.requestSubmit() : element.click()
    return true
  }
  const box = pane.querySelector('[data-part="stale"]')
  const [left, right] = differing([shown(pane, 'title'), read].filter(Boolean).join('\n'), [now.title, now.text].filter(Boolean).join('\n'))
  box.querySelector('[data-part="read"]').replaceChildren(...left)
  box.querySelector('[data-part="present"]').replaceChildren(...right)
  pane.querySelector('[data-part="moved"]').hidden = true
  box.hidden = false
  box.focus()
  box.scrollIntoView({ block: 'nearest' })
  return true
}

// What the two texts do not have in common, marked in both.
export function differing (a, b) {
  let head = 0, tail = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  return [a, b].map(text => {
    const mark = document.createElement('mark')
    mark.textContent = text.slice(head, text.length - tail)
    return [text.slice(0, head), mark, text.slice(text.length - tail)]
  })
}
