// countdown.js writes the time left into every [data-ends-at] (running) and [data-remaining]
// (stopped), and its state for the colours: plenty, soon (last minute), over.
import { now } from './live.js'

function write (element, ms) {
  const seconds = Math.ceil(Math.abs(ms) / 1000) - (ms < 0 ? 1 : 0)
  const text = (ms <= -1000 ? '−' : '') + Math.floor(Math.max(seconds, 0) / 60) + ':' + String(Math.max(seconds, 0) % 60).padStart(2, '0')
  if (element.textContent !== text) element.textContent = text
  const state = ms <= 0 ? 'over' : ms <= 60000 ? 'soon' : 'plenty'
  if (element.dataset.state !== state) element.dataset.state = state
}
function tick () {
  for (const element of document.querySelectorAll('[data-ends-at]')) write(element, +element.dataset.endsAt - now())
  for (const element of document.querySelectorAll('[data-remaining]')) write(element, +element.dataset.remaining)
  for (const element of document.querySelectorAll('[data-clock]')) element.textContent = new Date(now() + 8 * 3600e3).toISOString().slice(11, 19)
}
setInterval(tick, 250)
document.addEventListener('pingyi:swapped', tick)
tick()
