// marks.js: what a mark is and what a seat's marks add up to, exactly, as server/domain/ballots.py has it.
//
// A decimal of the rules has 12 places at most, so a mark times its factor is a whole number of 10^-24
// and BigInt holds it without rounding. A total is { sum, of }: the sum, and by how many it is divided.

const ONE = 10n ** 12n
const grains = text => {
  const [whole, part = ''] = text.replace('-', '').split('.')
  return (text[0] === '-' ? -1n : 1n) * BigInt(whole + part.padEnd(12, '0'))
}

// A number in the one spelling that the scale gives it, or null when it is not on the scale.
export function onScale (mark, text) {
  const { low, high, step, free } = mark.dataset
  if (!/^-?\d{1,12}(\.\d{0,12})?$|^\.\d{1,12}$/.test(text)) return null
  const value = grains(text.replace(/^\./, '0.'))
  if (value < grains(low) || value > grains(high)) return null
  if (!free && (value - grains(low)) % grains(step)) return null
  return spelled(value, ONE)
}

// The next mark on the grid, up or down, or the scale's end; from nothing, the end that is meant.
export function stepped (mark, now, by) {
  const { low, high, step } = mark.dataset
  const [first, last, one] = [low, high, step].map(grains)
  const top = first + (last - first) / one * one
  if (now === undefined) return spelled(by > 0 ? first : top, ONE)
  const wanted = grains(now) + BigInt(by) * one
  return spelled(wanted < first ? first : wanted > last ? (grains(now) > top ? grains(now) : top) : wanted, ONE)
}

function spelled (value, unit) {
  const size = value < 0n ? -value : value
  const part = String(size % unit).padStart(String(unit).length - 1, '0').replace(/0+$/, '')
  return (value < 0n ? '-' : '') + size / unit + (part ? '.' + part : '')
}

// The total of a sheet { dimension: value }, or null where its marks have no points.
export function total (official, marks, across) {
  if (!across) return null
  let sum = 0n, of = 0n
  for (const mark of official.querySelectorAll('.mark')) {
    const value = marks[mark.dataset.dimension]
    if (value === undefined) continue
    sum += grains(points(mark, value)) * grains(mark.dataset.factor)
    of++
  }
  return of ? { sum, of: across === 'mean' ? of : 1n } : null
}
function points (mark, value) {
  if (mark.dataset.kind !== 'labels') return value
  return [...mark.querySelectorAll('.pips input')].find(one => one.value === value).dataset.points
}
// As it is shown: exactly, or with two places where it does not end. → { text, exact }
export function shown ({ sum, of }) {
  const unit = ONE * ONE * of
  if (sum * ONE % unit === 0n) return { text: spelled(sum * ONE / unit, ONE), exact: true }
  const half = sum < 0n ? -unit : unit
  return { text: spelled((sum * 200n + half) / (2n * unit), 100n), exact: false }
}

// Whether a total is below a figure.
export const isBelow = ({ sum, of }, figure) => sum < grains(figure) * ONE * of

// A rule on how many totals may lie at or above (below) a figure, as its element on the sheet says it.
export class Quota {
  constructor (root) {
    const { quota, atLeast, most, least, said } = root.dataset
    Object.assign(this, { root, atLeast: !!atLeast, said, figure: grains(quota) * ONE, most: most && +most, least: least && +least })
  }
  counts ({ sum, of }) { return this.atLeast ? sum >= this.figure * of : sum < this.figure * of }
  number (totals) { return totals.filter(one => this.counts(one)).length }
  holds (n) { return (this.most === undefined || n <= this.most) && (this.least === undefined || n >= this.least) }
}
