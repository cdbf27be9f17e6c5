// Lines written to do harm: shown as text, in every view, under the strict content security policy.

import { appendFileSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { launch, open, problems, rows } from './browser';

const word = `hostile${Math.random().toString(36).slice(2, 8)}`;
const esc = String.fromCharCode(27);

/** What is written, and what of it must be seen. */
const lines: [string, string][] = [
  ['<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>', '<script>window.harmed=1</script>'],
  [`${esc}[31mred${esc}[0m ${esc}]0;title${esc}\\ ${esc}[2J end`, 'red'],
  [`nul${String.fromCharCode(1)}bell${String.fromCharCode(7)}`, 'bell'],
  [`admin${String.fromCharCode(0x202e)}txt.exe`, 'txt.exe'],
  ['=HYPERLINK("http://evil/","x")', '=HYPERLINK'],
  ['javascript:alert(1) [x](javascript:alert(1)) {{7*7}} $(id)', '{{7*7}}'],
];

describe.skipIf(inject('logFile') === '')('hostile lines', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    const now = () => new Date().toISOString();
    for (const [text] of lines) {
      appendFileSync(
        inject('logFile'),
        `${now()}  INFO 1 --- [           main] c.e.e2e.LineWriter                      : ${text} ${word}\n`,
      );
    }
    appendFileSync(
      inject('logFile'),
      `${now()}  INFO 1 --- [           main] c.e.e2e.LineWriter                      : the last line\n`,
    );
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    expect(await page.evaluate(() => (globalThis as { harmed?: number }).harmed)).toBeUndefined();
    expect(problems.get(page)).toEqual([]);
    await page.context().close();
  });

  const found = () =>
    expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Refresh', exact: true }).click();
          return rows(page).count();
        },
        { timeout: 30_000, interval: 1000 },
      )
      .toBe(lines.length);

  it('are text in the list, the table and the opened event', async () => {
    page = await open(browser, `/explore?q=${word}`);
    await found();
    const all = (await page.locator('#log').innerText()).replace(/\s+/g, ' ');
    for (const [, seen] of lines) expect(all).toContain(seen);
    expect(all).not.toContain(esc);
    for (const c of [0x01, 0x07, 0x202e]) expect(all).not.toContain(String.fromCharCode(c));
    expect(await page.locator('#log img, #log script, #log a').count()).toBe(0);
    await rows(page).filter({ hasText: 'onerror' }).click();
    const event = page.getByRole('region', { name: 'Event' });
    await event
      .getByText(/onerror/)
      .first()
      .waitFor();
    await event.getByRole('tab', { name: 'JSON' }).click();
    await event
      .getByText(/onerror/)
      .first()
      .waitFor();
    expect(await event.locator('img, script').count()).toBe(0);
    await page.getByRole('tab', { name: 'Table' }).click();
    await expect.poll(() => rows(page).count()).toBe(lines.length);
    expect(await page.locator('#log img, #log script').count()).toBe(0);
  });

  it('are text on a dashboard, in markdown and in titles', async () => {
    page = await open(browser, '/dashboards');
    const made = await page.evaluate(async (w) => {
      const harm = '<img src=x onerror="window.harmed=1">';
      const res = await fetch('api/dashboards', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          title: `Hostile ${harm}`,
          panels: [
            {
              type: 'markdown',
              id: 'm',
              grid: { x: 0, y: 0, w: 24, h: 8 },
              config: { content: `${harm}\n\n[go](javascript:window.harmed=1) [ok](https://example.org/)` },
            },
            {
              type: 'discover_session',
              id: 'd',
              grid: { x: 0, y: 8, w: 48, h: 10 },
              config: { title: harm, query: { query: w, language: 'kuery' } },
            },
          ],
        }),
      });
      return ((await res.json()) as { id: string }).id;
    }, word);
    await page.goto(`${new URL(page.url()).origin}/dashboards/${made}`);
    await page.getByText('ok', { exact: true }).waitFor();
    await page.getByText(/HYPERLINK/).waitFor();
    expect(await page.locator('main img, main script, main a[href^="javascript"]').count()).toBe(0);
    expect(await page.locator('main a[href^="https://example.org"]').getAttribute('rel')).toContain('noopener');
    await page.evaluate((id) => fetch(`api/dashboards/${id}`, { method: 'DELETE' }), made);
  });

  it('are no formulas in an export', async () => {
    page = await open(browser, `/explore?q=${word}`);
    await found();
    await page.getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: /^CSV/ }).click();
    const text = readFileSync(await (await download).path(), 'utf8');
    expect(text).toContain(`'=HYPERLINK`);
    expect(text).not.toMatch(/(?:^|,)"?=HYPERLINK/m);
  });
});
