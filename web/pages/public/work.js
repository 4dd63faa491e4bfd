// work.js: a worker that looks for a nonce (docs/decisions/0026-work-before-asking.md). It has a SHA-256 of
// its own, because crypto.subtle does not exist over plain http.
const roots = n => {                          // the first 32 bits of the fractions of the n-th primes' roots
  const found = []
  for (let one = 2; found.length < 64; one++) {
    if (found.every(p => one % p.of)) found.push({ of: one, bits: (Math.pow(one, 1 / n) % 1) * 2 ** 32 | 0 })
  }
  return found.map(one => one.bits)
}
const K = roots(3), START = roots(2).slice(0, 8), w = new Int32Array(64)
const turned = (x, n) => x >>> n | x << 32 - n

function first (text) {                       // the hash's first 32 bits; the text is ASCII
  const size = (text.length + 8 >> 6) + 1 << 4, words = new Int32Array(size), h = START.slice()
  for (let i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << 24 - 8 * (i & 3)
  words[text.length >> 2] |= 0x80 << 24 - 8 * (text.length & 3)
  words[size - 1] = text.length * 8
  for (let at = 0; at < size; at += 16) {
    let [a, b, c, d, e, f, g, i] = h
    for (let t = 0; t < 64; t++) {
      if (t < 16) w[t] = words[at + t]
      else {
        const x = w[t - 15], y = w[t - 2]
        w[t] = w[t - 16] + (turned(x, 7) ^ turned(x, 18) ^ x >>> 3) + w[t - 7] + (turned(y, 17) ^ turned(y, 19) ^ y >>> 10)
      }
      const one = i + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + (e & f ^ ~e & g) + K[t] + w[t] | 0
      const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + (a & b ^ a & c ^ b & c) | 0
      i = g; g = f; f = e; e = d + one | 0; d = c; c = b; b = a; a = one + two | 0
    }
    for (const [n, x] of [a, b, c, d, e, f, g, i].entries()) h[n] = h[n] + x | 0
  }
  return h[0]
}

onmessage = ({ data: { bits, window, viewer, key } }) => {
  let nonce = 0
  while (Math.clz32(first(`${viewer}:${window}:${key}:${nonce}`)) < bits) nonce++
  postMessage(String(nonce))
}
