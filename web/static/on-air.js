// on-air.js: law 15 for pages that are on air. A lost connection leaves the last picture standing;
// after 20 s the holding card stands in its place; nothing ever says what the machinery is doing.
const HOLD_MS = 20000
const card = document.querySelector('[data-hold-card]')
let timer = setTimeout(hold, HOLD_MS)           // until the first frame, this is as good as lost

function hold () { document.body.dataset.held = ''; card.hidden = false }
document.addEventListener('pingyi:down', () => { timer ||= setTimeout(hold, HOLD_MS) })
document.addEventListener('pingyi:cue', back)
document.addEventListener('pingyi:pulse', back)
function back () {                                // the picture is the present one again
  clearTimeout(timer)
  timer = undefined
  card.hidden = true
  delete document.body.dataset.held
}
