// Pipelines, what stands behind the flow, the console and the patterns: driven as a person does, on the demo's own data.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from './browser';

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> };
      }
    ).axe.run(),
  );
  return found.violations.map(
    (v) =>
      `${v.id}: ${v.nodes
        .slice(0, 3)
        .map((n) => n.target.join(' '))
        .join(', ')}`,
  );
}

describe('workshop', { timeout: 120_000 }, () => {
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

  it('shows what a change of a pipeline does to real events, applies it, and rolls it back', async () => {
    page = await open(browser, '/pipelines');
    const editor = page.getByRole('textbox', { name: 'Text of the pipeline' });
    await editor.waitFor({ timeout: 60_000 });
    await page.getByText('[log][level]').first().waitFor({ timeout: 60_000 });
    await editor.click();
    await page.keyboard.press('Control+f');
    await page.keyboard.press('Escape');
    await page.getByText('remove_field').last().click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('add_fild => { "team" => "blue" }');
    await page
      .getByRole('button', { name: /add_fild/ })
      .first()
      .waitFor({ timeout: 30_000 });
    expect(await page.getByRole('button', { name: 'Apply' }).isDisabled()).toBe(true);
    await page.keyboard.press('Home');
    for (let i = 0; i < 8; i++) await page.keyboard.press('Delete');
    await page.keyboard.type('add_field');
    await page.getByRole('tab', { name: /Compare/ }).click();
    await page.getByText(/of 50 events come out differently/).waitFor({ timeout: 30_000 });
    await page.getByText('[team]').first().waitFor();
    await page.getByRole('textbox', { name: 'What is changed (optional)' }).fill('team of the service');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(/Version \d+ runs now/).waitFor({ timeout: 30_000 });
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('team of the service').waitFor({ timeout: 30_000 });
    page.on('dialog', (d) => void d.accept());
    await page.getByRole('button', { name: 'Roll back' }).last().click();
    await expect.poll(() => editor.innerText(), { timeout: 30_000 }).not.toContain('team');
  });

  it('builds a grok pattern from a selection', async () => {
    page = await open(browser, '/pipelines');
    await page.getByRole('tab', { name: 'Helpers' }).click({ timeout: 60_000 });
    const line = page.getByRole('textbox', { name: 'Example line' });
    await line.fill('user 42 logged in from 10.0.0.1');
    await line.evaluate((el: HTMLTextAreaElement) => el.setSelectionRange(5, 7));
    await page.getByRole('button', { name: 'Add the selection' }).click();
    await line.evaluate((el: HTMLTextAreaElement) => el.setSelectionRange(23, 31));
    await page.getByRole('button', { name: 'Add the selection' }).click();
    const pattern = page.getByRole('textbox', { name: 'Pattern' });
    await expect
      .poll(() => pattern.inputValue(), { timeout: 20_000 })
      .toBe('user %{NUMBER:number:int} logged in from %{IP:ip}');
    await page.getByRole('cell', { name: '10.0.0.1' }).waitFor();
    await pattern.fill('user %{NUMBER:number:int} left from %{IP:ip}');
    await page.getByText('does not match', { exact: true }).waitFor();
    await page.getByText('The longest beginning that matches').waitFor();
  });

  it('opens a topic from the flow: messages, groups kept by the store, the account by source', async () => {
    page = await open(browser, '/flow');
    await page.getByRole('button', { name: 'logs', exact: true }).click({ timeout: 60_000 });
    const drawer = page.getByRole('dialog', { name: 'logs' });
    await drawer.getByRole('button', { name: /^0@/ }).first().click({ timeout: 30_000 });
    await drawer.getByText('"message"').first().waitFor();
    await drawer.getByRole('tab', { name: 'Groups' }).click();
    await drawer.getByText(/weir pipeline replay/).waitFor({ timeout: 30_000 });
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'By source' }).click();
    await page.getByRole('dialog').getByText('Total').waitFor({ timeout: 30_000 });
  });

  it('sends the request at the cursor', async () => {
    page = await open(browser, '/console');
    const editor = page.getByRole('textbox', { name: 'Requests' });
    await editor.click({ timeout: 60_000 });
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.type('GET _cluster/health');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Enter');
    await page.getByText('"cluster_name"').waitFor({ timeout: 30_000 });
    await page.getByText(/^200 · /).waitFor();
  });

  it('groups messages into patterns; a click filters', async () => {
    page = await open(browser, '/explore?view=patterns');
    const first = page
      .getByRole('table', { name: /^(Patterns|패턴)$/ })
      .locator('tbody tr')
      .first();
    await first.waitFor({ timeout: 60_000 });
    await first.locator('button').first().click();
    await page.getByText(/≈/).first().waitFor();
  });

  for (const theme of ['dark', 'light'] as const) {
    for (const lang of ['en', 'ko'] as const) {
      it(`is accessible: ${theme}, ${lang}`, async () => {
        page = await open(browser, '/pipelines', { theme, lang });
        await page.locator('.cm-content').waitFor({ timeout: 60_000 });
        await page.getByText('[log][level]').first().waitFor({ timeout: 60_000 });
        expect(await violations(page)).toEqual([]);
        await page.goto(page.url().replace('/pipelines', '/console'));
        await page.locator('.cm-content').waitFor({ timeout: 60_000 });
        expect(await violations(page)).toEqual([]);
        await page.goto(page.url().replace('/console', '/flow'));
        await page.locator('[data-node="topic logs"] button').click({ timeout: 60_000 });
        await page.getByRole('dialog').locator('button[aria-expanded]').first().waitFor({ timeout: 30_000 });
        expect(await violations(page)).toEqual([]);
        await page.goto(page.url().replace('/flow', '/explore?view=patterns'));
        await page
          .getByRole('table', { name: /^(Patterns|패턴)$/ })
          .locator('tbody tr')
          .first()
          .waitFor({ timeout: 60_000 });
        expect(await violations(page)).toEqual([]);
      });
    }
  }
});
