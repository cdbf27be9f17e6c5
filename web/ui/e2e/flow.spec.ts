import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from './browser';

describe('Flow', () => {
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

  it('shows every stage, and an account that comes out even', async () => {
    page = await open(browser, '/flow');
    for (const name of ['Files', 'Agents', 'Broker', 'Pipelines', 'Store']) {
      const column = page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });
      await column.locator('article').first().waitFor();
    }
    await page.getByText('Every line read is accounted for').first().waitFor();
  });

  it('is reached from Explore by two keys, and back', async () => {
    page = await open(browser, '/explore');
    await page.getByRole('link', { name: 'Flow' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.waitForURL('**/flow');
    await page.getByRole('heading', { name: 'Flow', level: 1 }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForURL('**/explore');
    expect(await page.getByRole('textbox', { name: 'Search' }).count()).toBe(1);
  });
});
