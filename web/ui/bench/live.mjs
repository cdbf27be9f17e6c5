// How smooth the page stays while lines pour in: our live tail at 20,000 lines a second into 100,000 rows, beside a plain list
// (one element a line, the oldest removed) at 5,000 a second into 10,000. Prints the median and 95th percentile of the time
// between frames, the elements in the page and the heap.
//
//   npm run build && node bench/live.mjs [seconds]

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { event } from '../dev/events.mjs';
import { accept } from '../dev/websocket.mjs';

const seconds = Number(process.argv[2] ?? 15);
const frameMs = 50;
const dist = join(import.meta.dirname, '../../dist');
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const plain = `<!doctype html><div id="log" style="height:800px;overflow:auto;font:12px/20px monospace;white-space:pre"></div><script>
const log = document.getElementById('log'), cap = 10000;
const ws = new WebSocket('ws://' + location.host + '/weir/tail?rate=5000');
ws.onmessage = (e) => {
  for (const r of JSON.parse(e.data).rows) {
    const d = document.createElement('div');
    d.textContent = r.ts + ' ' + r.level + ' ' + r.service + ' ' + r.logger + ' ' + r.message;
    log.append(d);
  }
  while (log.childElementCount > cap) log.firstChild.remove();
  log.scrollTop = log.scrollHeight;
};
</script>`;

function serve(req, res) {
  const path = new URL(req.url, 'http://x').pathname;
  const json = (v) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(v));
  if (path === '/plain') return res.writeHead(200, { 'Content-Type': 'text/html' }).end(plain);
  if (path === '/weir/info') return json({ version: 'bench', insecure: false, demo: false });
  if (path === '/weir/fields') return json({ fields: [] });
  if (path.startsWith('/weir/')) return json({});
  const file = path.startsWith('/assets/') ? join(dist, path) : join(dist, 'index.html');
  if (!existsSync(file)) return res.writeHead(404).end();
  res.writeHead(200, { 'Content-Type': types[extname(file)] }).end(readFileSync(file));
}

// Frames are made before the measurement: the server shares the machine with the browser.
const made = new Map();
function framesOf(rate) {
  if (!made.has(rate)) {
    const per = (rate * frameMs) / 1000;
    made.set(
      rate,
      Array.from({ length: 40 }, (_, f) => Array.from({ length: per }, (_, i) => event(f * per + i, Date.now()))),
    );
  }
  return made.get(rate);
}

function tail(req, socket) {
  const rate = Number(new URL(req.url, 'http://x').searchParams.get('rate') ?? 20_000);
  const ws = accept(req, socket);
  const frames = framesOf(rate).map((rows) =>
    JSON.stringify({ rows, skipped: 0, unseen: 0, now: new Date().toISOString() }),
  );
  let n = 0;
  const timer = setInterval(() => ws.send(frames[n++ % frames.length]), frameMs);
  ws.onClose(() => clearInterval(timer));
}

/** Seconds the main thread spent, by kind. */
async function times(cdp) {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name) => metrics.find((m) => m.name === name)?.value ?? 0;
  return {
    busy: of('TaskDuration'),
    script: of('ScriptDuration'),
    style: of('RecalcStyleDuration'),
    layout: of('LayoutDuration'),
  };
}

async function measure(browser, url, warm) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.waitForTimeout(warm * 1000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const before = await times(cdp);
  const gaps = await page.evaluate(
    (ms) =>
      new Promise((resolve) => {
        const list = [];
        let last = performance.now();
        const end = last + ms;
        const step = (now) => {
          list.push(now - last);
          last = now;
          if (now < end) requestAnimationFrame(step);
          else resolve(list);
        };
        requestAnimationFrame(step);
      }),
    seconds * 1000,
  );
  const after = await times(cdp);
  gaps.sort((a, b) => a - b);
  const at = (q) => gaps[Math.floor(gaps.length * q)].toFixed(1);
  const page2 = await page.evaluate(() => ({
    nodes: document.querySelectorAll('*').length,
    rows: Number(
      document.getElementById('log')?.getAttribute('aria-rowcount') ??
        document.getElementById('log')?.childElementCount,
    ),
    heap: Math.round((performance.memory?.usedJSHeapSize ?? 0) / 1e6),
  }));
  await page.close();
  // Share of one core the page's main thread was at work, and on what: this does not depend on what else the machine does.
  const work = Object.fromEntries(
    Object.keys(after).map((k) => [k, `${Math.round(((after[k] - before[k]) / seconds) * 100)} %`]),
  );
  return { ...work, frames: gaps.length, p50: at(0.5), p95: at(0.95), ...page2 };
}

framesOf(20_000);
framesOf(5000);
const server = createServer(serve).on('upgrade', tail);
await new Promise((r) => server.listen(0, '127.0.0.1', r));
const base = `http://127.0.0.1:${server.address().port}`;
const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const browser = await chromium.launch({
  executablePath: places.find((p) => p && existsSync(p)),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--enable-precise-memory-info'],
});
console.log('live tail, 20,000/s, 100,000 rows', await measure(browser, `${base}/explore?live=1`, 8));
console.log('plain list, 5,000/s, 10,000 rows ', await measure(browser, `${base}/plain`, 4));
await browser.close();
server.close();
process.exit(0);
