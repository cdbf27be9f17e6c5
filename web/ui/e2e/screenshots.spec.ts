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

  it('explore, dark', async () => {
    const page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(dir, 'explore-dark.png') });
    await page.context().close();
  });

  it('explore with an exception opened, light', async () => {
    const page = await open(browser, '/explore?q=Deadlock', { theme: 'light' });
    const row = rows(page).filter({ hasText: 'Caused by' }).first();
    await row.waitFor({ timeout: 30_000 });
    await row.click();
    await page.getByRole('region', { name: 'Event' }).getByText('@timestamp', { exact: true }).waitFor();
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(dir, 'explore-light.png') });
    await page.context().close();
  });

  it('live', async () => {
    const page = await open(browser, '/explore?live=1');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    await page.screenshot({ path: join(dir, 'live.png') });
    await page.context().close();
  });

  it('flow', async () => {
    const page = await open(browser, '/flow');
    await page.locator('article').first().waitFor();
    await page.waitForTimeout(30_000); // long enough for lines to have a shape
    await page.screenshot({ path: join(dir, 'flow.png') });
    await page.context().close();
  });
});
