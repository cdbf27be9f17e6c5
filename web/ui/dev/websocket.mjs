// The server's side of a WebSocket, text frames only (RFC 6455).

import { createHash } from 'node:crypto';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function accept(req, socket) {
  const key = createHash('sha1')
    .update(req.headers['sec-websocket-key'] + guid)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  socket.on('error', () => socket.destroy());
  return {
    send(text) {
      const body = Buffer.from(text);
      const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.alloc(body.length < 65536 ? 4 : 10);
      if (head.length === 4) {
        head.set([0x81, 126]);
        head.writeUInt16BE(body.length, 2);
      } else if (head.length === 10) {
        head.set([0x81, 127]);
        head.writeBigUInt64BE(BigInt(body.length), 2);
      }
      socket.write(Buffer.concat([head, body]));
    },
    onClose: (f) => socket.on('close', f),
  };
}
