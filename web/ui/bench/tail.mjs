// From the write of a line to the first frame that shows it, in Chromium, while the demo's services write 1,000 lines a second
// beside it. Prints the median and the 99th percentile.
//
//   WEIR_BIN=../../build/weir node bench/tail.mjs [lines] [lines a second beside]

import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const lines = Number(process.argv[2] ?? 200);
const beside = process.argv[3] ?? '1000';
const every = 100;

const data = mkdtempSync(join(tmpdir(), 'weir-tail-'));
const listen = ['ui', 'kafka', 'elasticsearch', 'monitor'].flatMap((p) => [`--listen-${p}`, '127.0.0.1:0']);
const weir = spawn(process.env.WEIR_BIN, ['demo', '--data', data, '--rate', beside, '--burst', '0', ...listen], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
const ui = await new Promise((resolve) => {
  createInterface({ input: weir.stdout }).on('line', (l) => resolve(JSON.parse(l).ui));
});

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const browser = await chromium.launch({
  executablePath: places.find((p) => p && existsSync(p)),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
const page = await browser.newPage();
await page.goto(`${ui}/explore?live=1&q=tailbench`);
await page.waitForTimeout(3000);
// Each frame: which of our lines stand in the log now, and how long ago they were written by the same clock.
await page.evaluate(() => {
  globalThis.seen = {};
  const look = () => {
    for (const m of (document.getElementById('log')?.textContent ?? '').matchAll(/tailbench (\d+) at (\d+)/g)) {
      globalThis.seen[m[1]] ??= Date.now() - Number(m[2]);
    }
    requestAnimationFrame(look);
  };
  look();
});

const file = join(data, 'logs', 'api.log');
for (let i = 0; i < lines; i++) {
  const now = new Date();
  const text = `${now.toISOString()}  INFO 1 --- [           main] c.w.bench.Tail                           : tailbench ${i} at ${now.getTime()}\n`;
  appendFileSync(file, text);
  await page.waitForTimeout(every);
}
await page.waitForTimeout(3000);
const seen = Object.values(await page.evaluate(() => globalThis.seen)).sort((a, b) => a - b);
const at = (q) => seen[Math.min(seen.length - 1, Math.floor(seen.length * q))];
console.log(
  `${beside} lines/s beside: shown ${seen.length} of ${lines}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
);
await browser.close();
const ended = new Promise((r) => weir.once('exit', r));
weir.kill('SIGTERM');
await ended;
rmSync(data, { recursive: true, force: true });
