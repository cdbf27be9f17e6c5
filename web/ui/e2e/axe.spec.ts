// What a machine can tell about accessibility, on every page, in both themes.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, rows } from './browser';

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run(),
  );
  return found.violations.map(
    (v) =>
      `${v.id}: ${v.nodes
        .map((n) => n.target.join(' '))
        .slice(0, 3)
        .join(', ')}`,
  );
}

describe('accessibility', { timeout: 180_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  for (const theme of ['dark', 'light'] as const) {
    it(`explore with an opened event, ${theme}`, async () => {
      const page = await open(browser, '/explore', { theme });
      await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
      await rows(page).nth(1).click();
      await page.getByRole('region', { name: 'Event' }).getByText('@timestamp', { exact: true }).waitFor();
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });

    it(`live tail, ${theme}`, async () => {
      const page = await open(browser, '/explore?live=1', { theme });
      await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
      await page.keyboard.press('Space');
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });

    for (const [name, path, seen] of [
      ['dashboards', '/dashboards', 'main li a'],
      ['a dashboard', '/dashboards/weir-service-api?from=now-15m&to=now', '[data-panel] svg[role=img]'],
      ['a dashboard being edited', '/dashboards/new', 'main input'],
      ['a table', '/explore?view=table', '#log [role=row][aria-rowindex]'],
      ['alerts', '/alerts?new=1', 'form input'],
      ['settings', '/settings', 'table'],
      ['imports', '/settings?tab=import', 'textarea'],
      ['first steps', '/start', 'main pre'],
    ]) {
      it(`${name}, ${theme}`, async () => {
        const page = await open(browser, path, { theme });
        await page.locator(seen).first().waitFor({ timeout: 30_000 });
        await page.waitForLoadState('networkidle');
        expect(await violations(page)).toEqual([]);
        await page.context().close();
      });
    }

    it(`flow, ${theme}`, async () => {
      const page = await open(browser, '/flow', { theme });
      await page.locator('article').first().waitFor();
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });
  }
});
