// `npm run dev`: Vite with its hot reload, in front of a running weir (WEIR_URL) or of made-up events.

import { createServer } from 'vite';
import { start } from './server.mjs';

if (!process.env.WEIR_URL) {
  const server = await start(5602);
  process.env.WEIR_URL = `http://127.0.0.1:${server.address().port}`;
}
const vite = await createServer({ server: { host: '127.0.0.1', port: 5173 } });
await vite.listen();
vite.printUrls();
