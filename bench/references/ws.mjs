// Node's `ws` at its best for one frame to all: the frame is built once and written to each socket.
// node ws.mjs PORT BYTES FRAMES_A_SECOND     (`npm install ws` beside this file)
import { WebSocketServer, Sender } from 'ws'
const [port, size, rate] = process.argv.slice(2).map(Number)
const server = new WebSocketServer({ port, perMessageDeflate: false, backlog: 4096 })
let due = performance.now()
function broadcast () {
  const head = `{"type":"pulse","at":${Date.now()},"pad":"`
  const text = Buffer.from(head + 'x'.repeat(size - head.length - 2) + '"}')
  const frame = Buffer.concat(Sender.frame(text, { fin: true, opcode: 1, mask: false, readOnly: true }))
  for (const viewer of server.clients) viewer._socket.write(frame)
  due += 1000 / rate
  setTimeout(broadcast, Math.max(0, due - performance.now()))
}
broadcast()
