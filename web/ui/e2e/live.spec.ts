import { appendFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { launch, open, problems, rows } from './browser';

/** A line as Spring Boot writes it. */
function springLine(text: string): string {
  return `${new Date().toISOString()}  INFO 1 --- [           main] c.e.e2e.LineWriter                      : ${text}\n`;
}

describe('live tail', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    expect(problems.get(page)).toEqual([]);
    await page.context().close();
  });

  it('follows at the end, and stands still when scrolled up', async () => {
    page = await open(browser, '/explore?live=1');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    await page.locator('#log').hover();
    await page.mouse.wheel(0, -800);
    await page.getByText('paused').first().waitFor();
    const first = () => rows(page).first().innerText();
    const before = await first();
    const fresh = page.getByRole('button', { name: /new/ });
    await expect
      .poll(async () => Number((await fresh.innerText()).replace(/ new[\s\S]*/, '').replace(/\D/g, '')), {
        timeout: 30_000,
      })
      .toBeGreaterThan(0);
    expect(await first()).toBe(before);
    await fresh.click();
    await fresh.waitFor({ state: 'detached' });
    const gap = () => page.locator('#log').evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);
    await expect.poll(gap).toBeLessThan(40);
  });

  it.skipIf(inject('logFile') === '')('shows a line a moment after it was written to a file', async () => {
    page = await open(browser, '/explore?live=1');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    const word = `e2e-${Math.random().toString(36).slice(2)}`;
    const began = Date.now();
    // The line after it tells the agent at once that the first one is whole: without it a multi-line reader waits for more.
    appendFileSync(inject('logFile'), springLine(`the word is ${word}`) + springLine('and another line'));
    await page.waitForFunction((w) => document.getElementById('log')?.textContent?.includes(w), word, {
      polling: 'raf',
      timeout: 15_000,
    });
    console.log(`from file to screen: ${Date.now() - began} ms`);
  });

  it('shows only what the search finds', async () => {
    page = await open(browser, '/explore?live=1&q=log.level%3AINFO');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(3);
    const levels = await rows(page).evaluateAll((l) =>
      l.map((r) => r.querySelectorAll('[role=gridcell]')[1]?.textContent),
    );
    expect(new Set(levels)).toEqual(new Set(['info']));
  });
});
