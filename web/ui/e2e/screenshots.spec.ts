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

  it('the table, a trace, a dashboard, its editor, settings and the first steps', async () => {
    const shots: [string, string, 'dark' | 'light', string][] = [
      [
        'table',
        '/explore?view=table&cols=service.name,http.response.status_code,url.path',
        'dark',
        '#log [aria-rowindex]',
      ],
      ['dashboard', '/dashboards/weir-service-api?from=now-5m&to=now', 'dark', '[data-panel] svg[role=img]'],
      ['settings', '/settings', 'light', 'table'],
      ['start', '/start', 'light', 'main pre'],
    ];
    for (const [name, path, theme, seen] of shots) {
      const page = await open(browser, path, { theme });
      await page.locator(seen).first().waitFor({ timeout: 30_000 });
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: join(dir, `${name}.png`) });
      await page.context().close();
    }
  });

  it('a trace', async () => {
    const page = await open(browser, '/explore?q=Deadlock');
    await rows(page).first().click({ timeout: 30_000 });
    await page.getByRole('tab', { name: 'Trace' }).click();
    await page.getByText(/of this trace/).waitFor();
    await page.screenshot({ path: join(dir, 'trace.png') });
    await page.context().close();
  });

  it('a dashboard being edited', async () => {
    const page = await open(browser, '/dashboards/weir-service-api?from=now-5m&to=now', { theme: 'light' });
    await page.getByRole('button', { name: 'Save a copy' }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('button', { name: 'Edit the panel' }).nth(6).click();
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(800);
    await page.screenshot({ path: join(dir, 'dashboard-edit.png') });
    await page.context().close();
  });

  it('an alert', async () => {
    const page = await open(browser, '/alerts');
    await page.getByRole('button', { name: 'New rule' }).click();
    const form = page.getByRole('form', { name: 'New rule' });
    await form.getByRole('textbox', { name: 'Name' }).fill('Errors of a service');
    await form.getByRole('textbox', { name: /^Each value/ }).fill('service.name');
    await form.getByRole('textbox', { name: 'Looked at every' }).fill('10s');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('firing', { exact: true }).waitFor({ timeout: 40_000 });
    await page
      .getByRole('button', { name: /Errors of a service/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Edit: Errors of a service' }).click();
    await page.getByText(/would have fired/).waitFor();
    await page.screenshot({ path: join(dir, 'alerts.png') });
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
