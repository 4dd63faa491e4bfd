// player.js: the stream, begun by a tap. hls.js wherever it can play: Chrome says that it plays HLS
// by itself and fails; native only where hls.js cannot (iOS). The page is whole without it.
const player = document.querySelector('[data-stream]')
const video = player.querySelector('video')
const curtain = player.querySelector('.curtain')
const words = player.querySelector('.curtain-text')
const button = player.querySelector('[data-play]')
const modes = player.querySelector('.modes')
const title = words.textContent
let hls, mode = 'video', again

function load () {                              // 120 KB that only viewers of the picture fetch
  return new Promise((resolve, reject) => {
    if (window.Hls) return resolve()
    const script = document.createElement('script')
    Object.assign(script, { src: player.dataset.hls, onload: resolve, onerror: reject })
    document.head.append(script)
  })
}
function stop () {
  clearTimeout(again)
  hls?.destroy()
  hls = undefined
  video.pause()
  video.removeAttribute('src')
  video.load()
}
function lost () {                              // a calm card, and another try by itself
  stop()
  show('off')
  again = setTimeout(play, 8000 + 4000 * Math.random())
}
async function play () {
  stop()
  if (mode === 'words') return
  try {
    await load()
    if (window.Hls.isSupported()) {
      hls = new window.Hls({ enableWorker: false, liveDurationInfinity: true })
      hls.on(window.Hls.Events.ERROR, (_, problem) => { if (problem.fatal) lost() })
      hls.on(window.Hls.Events.MANIFEST_PARSED, () => start())
      hls.loadSource(player.dataset.stream)
      hls.attachMedia(video)
    } else {
      video.src = player.dataset.stream
      start()
    }
  } catch { lost() }
}
function start () { video.play().then(() => show(mode), () => show('tap')) }
video.addEventListener('error', () => { if (!hls && video.src) lost() })

// What lies over the picture: nothing, a sentence, or the button that begins.
function show (what) {
  const clear = what === 'video'
  curtain.hidden = clear
  video.hidden = !clear
  words.textContent = { off: words.dataset.off, sound: words.dataset.sound, words: words.dataset.words }[what] || title
  button.hidden = what !== 'tap'
}
modes.addEventListener('click', event => {
  const chosen = event.target.closest('[data-mode]')?.dataset.mode
  if (!chosen) return
  const playing = Boolean(hls || video.src) && mode !== 'words'
  mode = chosen
  for (const one of modes.children) one.setAttribute('aria-pressed', one.dataset.mode === mode)
  if (mode === 'words') { stop(); show('words') } else if (playing) show(mode); else play()
})
button.addEventListener('click', () => { modes.hidden = false; play() })
button.hidden = false
