// The pictures of the documentation: made only when WEIR_SCREENSHOTS=1, from the demo's own data.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, rows } from './browser';

const dir = join('..', '..', 'docs', 'img');

describe.skipIf(process.env.WEIR_SCREENSHOTS !== '1')('screenshots', () => {
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(dir, { recursive: true });
    browser = await launch();
  });
  afterAll(() => browser.close());

  for (const theme of ['dark', 'light'] as const) {
    it(`explore, ${theme}`, async () => {
      const page = await open(browser, '/explore', { theme });
      await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: join(dir, `explore-${theme}.png`) });
      await page.context().close();
    });
  }

  it('live', async () => {
    const page = await open(browser, '/explore?live=1');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    await page.screenshot({ path: join(dir, 'live.png') });
    await page.context().close();
  });

  it('flow', async () => {
    const page = await open(browser, '/flow');
    await page.locator('article').first().waitFor();
    await page.screenshot({ path: join(dir, 'flow.png') });
    await page.context().close();
  });
});
