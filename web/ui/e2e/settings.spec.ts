import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from './browser';

describe('Settings', () => {
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

  it('lists what is stored', async () => {
    page = await open(browser, '/settings');
    await page.getByRole('row', { name: /logs-spring-default/ }).waitFor();
  });

  it('reports on a configuration line by line', async () => {
    page = await open(browser, '/settings?tab=import');
    const text = 'filter {\n  grok {\n    matchh => { "message" => "%{WORD:w}" }\n  }\n}\n';
    await page.getByRole('textbox', { name: 'Name of the file' }).fill('main.conf');
    await page.getByRole('textbox', { name: /paste/ }).fill(text);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByText('Logstash pipeline').waitFor();
    await page
      .locator('li[data-state=error]')
      .getByText(/matchh/)
      .first()
      .waitFor();
    expect(await page.locator('li[data-state=ok]').count()).toBeGreaterThan(3);
  });

  it('changes theme, language and row height', async () => {
    page = await open(browser, '/settings?tab=appearance');
    await page.getByRole('button', { name: 'Light' }).click();
    await page.getByRole('button', { name: '한국어', exact: true }).click();
    await page.getByRole('button', { name: '넓게' }).click();
    expect(
      await page.evaluate(() => ({ ...document.documentElement.dataset, lang: document.documentElement.lang })),
    ).toMatchObject({
      theme: 'light',
      lang: 'ko',
    });
    await page.getByRole('tab', { name: '정보' }).click();
    await page.getByText('이 프로세스에 내장').waitFor();
  });
});
