// offline.js: one calm sentence above the dock while the connection is lost or an act waits unsent.
//
// A moment's break says nothing: most are over before anybody notices. The sentence lies over the
// page's lower edge and takes no room, so that nothing one reads is moved (law 7).
const LOST_MS = 5000, HELD_MS = 1000          // an act held up by a break that is already there is told sooner

const place = document.querySelector('[data-lost]')
const held = new Map()                        // act → since when it waits
let down = performance.now(), off = navigator.onLine === false ? down : 0   // not connected yet; 0 = it is well

function judge () {
  const now = performance.now(), since = Math.min(down || Infinity, off || Infinity)
  const lost = now - since >= LOST_MS
  const waits = [...held.values()].some(from => now - from >= (since < Infinity ? HELD_MS : LOST_MS))
  const said = lost || waits ? document.body.dataset.offline : ''
  if (place.textContent !== said) place.textContent = said
}
// Shows the sentence when the act that this promise stands for is not answered in time.
export function holds (act) {
  held.set(act, performance.now())
  const over = () => { held.delete(act); judge() }
  act.then(over, over)
  return act
}
document.addEventListener('pingyi:up', () => { down = 0; judge() })
document.addEventListener('pingyi:down', () => { down ||= performance.now() })
addEventListener('offline', () => { off ||= performance.now() })
addEventListener('online', () => { off = 0; judge() })
setInterval(judge, 500)
