// steady.js: what one types in, touches or reads stays where it is on the screen although something
// above it grew (law 7). Not every browser anchors by itself, so base.css turns that off and this
// does it for all: anchor() before a change gives the function to call after it.
export function anchor () {
  if (scrollY <= 0) return () => {}
  const seen = one => one && one !== document.body && one.clientHeight < innerHeight / 2 && one.getBoundingClientRect()
  const near = [document.activeElement, ...[2, 3, 1.5, 4].map(part => document.elementFromPoint(innerWidth / 2, innerHeight / part))]
  const one = near.find(element => { const box = seen(element); return box && box.bottom > 0 && box.top < innerHeight })
  if (!one) return () => {}
  const { top } = one.getBoundingClientRect()
  return () => { if (one.isConnected) scrollBy(0, one.getBoundingClientRect().top - top) }
}
