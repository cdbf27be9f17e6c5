// Explore beyond the list: the table, saved searches, exports, traces, journeys, the palette.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems, rows } from './browser';

describe('the tools of Explore', () => {
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

  const some = () => expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(2);

  it('shows a table that sorts, with columns of any width', async () => {
    page = await open(browser, '/explore?view=table&cols=service.name,log.level');
    await some();
    await page
      .getByRole('columnheader', { name: /service.name/ })
      .getByRole('button')
      .first()
      .click();
    await page.waitForURL((u) => u.searchParams.get('sort') === 'service.name:desc');
    await expect.poll(() => rows(page).first().innerText()).toContain('stories');
    const head = page.getByRole('columnheader', { name: /service.name/ });
    const before = (await head.boundingBox())?.width ?? 0;
    await head.getByRole('slider').focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(async () => (await head.boundingBox())?.width).toBe(before + 16);
    await rows(page).nth(1).click();
    await page.getByRole('region', { name: 'Event' }).waitFor();
  });

  it('keeps a search and opens it again', async () => {
    page = await open(browser, '/explore?q=log.level%3AERROR&cols=log.logger');
    await page.getByRole('button', { name: 'Searches' }).click();
    await page.getByRole('textbox', { name: 'Name of this search' }).fill('Errors by logger');
    await page.keyboard.press('Enter');
    const saved = page.getByRole('button', { name: /^Errors by logger/ });
    await saved.waitFor();
    await page.goto(`${new URL(page.url()).origin}/explore`);
    await page.getByRole('button', { name: 'Searches' }).click();
    await saved.click();
    await page.waitForURL(
      (u) => u.searchParams.get('q') === 'log.level:ERROR' && u.searchParams.get('cols') === 'log.logger',
    );
    await page.getByRole('button', { name: 'Searches' }).click();
    await page.getByRole('button', { name: 'Delete: Errors by logger' }).click();
    await saved.waitFor({ state: 'detached' });
  });

  it('exports every hit as a file', async () => {
    page = await open(browser, '/explore?q=log.level%3AERROR');
    await some();
    await page.getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: /^CSV/ }).click();
    const path = await (await download).path();
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines[0]).toContain('@timestamp,log.level');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines[1]).toContain('ERROR');
  });

  it('shows the trace of an event over services, and its way', async () => {
    page = await open(browser, '/explore?f=has:trace.id&q=service.name%3Aapi');
    await some();
    await rows(page).nth(1).click();
    const event = page.getByRole('region', { name: 'Event' });
    await event.getByRole('tab', { name: 'Trace' }).click();
    await event
      .getByRole('status')
      .filter({ hasText: /of this trace/ })
      .waitFor();
    await event.getByRole('tab', { name: 'Journey' }).click();
    await event.getByText('The record in the queue').waitFor();
    await event.getByText('grok', { exact: true }).first().waitFor();
  });

  it('carries the range and a pinned filter along', async () => {
    page = await open(browser, '/explore?from=now-2h&f=is:log.level:ERROR');
    await page.getByRole('button', { name: /^Filter on/ }).click();
    await page.getByRole('menuitem', { name: 'Pin: keep on other pages' }).click();
    await page.waitForURL((u) => u.searchParams.get('f') === '^is:log.level:ERROR');
    await page.getByRole('link', { name: 'Flow' }).click();
    await page.waitForURL('**/flow');
    await page.getByRole('link', { name: 'Explore' }).first().click();
    await page.waitForURL(
      (u) => u.searchParams.get('from') === 'now-2h' && u.searchParams.get('f') === '^is:log.level:ERROR',
    );
  });

  it('edits a filter as Query DSL', async () => {
    page = await open(browser, '/explore?f=is:log.level:ERROR');
    await some();
    await page.getByRole('button', { name: /^Filter on/ }).click();
    await page.getByRole('menuitem', { name: 'Edit as Query DSL' }).click();
    await page.waitForURL((u) => (u.searchParams.get('f') ?? '').startsWith('dsl:'));
    await page.goto(page.url());
    await page.getByRole('button', { name: /^Filter on/ }).click();
    await page.getByRole('menuitem', { name: 'Edit', exact: true }).click();
    const text = page.getByRole('textbox', { name: 'Query DSL' });
    await text.fill('{"term": {"log.level": "WARN"}}');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.waitForURL((u) => (u.searchParams.get('f') ?? '').includes('WARN'));
    await expect
      .poll(
        async () =>
          new Set(
            await rows(page).evaluateAll((l) => l.map((r) => r.querySelectorAll('[role=gridcell]')[1]?.textContent)),
          ),
      )
      .toEqual(new Set(['warn']));
  });

  it('goes anywhere by the palette, from the search bar too', async () => {
    page = await open(browser, '/explore');
    await page.getByRole('textbox', { name: 'Search' }).click();
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('combobox', { name: 'Go to, do, open' });
    await palette.fill('stor');
    await page.getByRole('option', { name: 'Service: stories' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/dashboards/weir-service-stories');
    await page.getByRole('heading', { name: 'Service: stories', level: 1 }).waitFor();
  });
});
