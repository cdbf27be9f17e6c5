import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from './browser';

describe('Alerts', () => {
  let browser: Browser;
  let page: Page;
  let hook: Server;
  const told: string[] = [];

  beforeAll(async () => {
    browser = await launch();
    hook = createServer((req, res) => {
      let body = '';
      req.on('data', (d) => {
        body += d;
      });
      req.on('end', () => {
        told.push(body);
        res.end();
      });
    });
    await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done));
  });
  afterAll(async () => {
    hook.close();
    await browser.close();
  });
  afterEach(async () => {
    expect(problems.get(page)).toEqual([]);
    await page.context().close();
  });

  it('previews a rule, tells of it, keeps its history and is silent on demand', async () => {
    page = await open(browser, '/explore?q=log.level%3AINFO');
    await page.getByRole('link', { name: 'Make an alert of this search' }).click();
    await page.waitForURL((u) => u.pathname === '/alerts');
    const form = page.getByRole('form', { name: 'New rule' });
    await form.getByRole('textbox', { name: 'Name' }).fill('Too much');
    await form.getByRole('spinbutton').fill('1');
    await form.getByRole('textbox', { name: 'Looked at every' }).fill('10s');
    await form.getByText(/would have fired/).waitFor({ timeout: 20_000 });
    await form.getByRole('button', { name: 'Add' }).click();
    await form
      .getByRole('textbox', { name: /^Address/ })
      .fill(`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`);
    await form.getByRole('button', { name: 'Send a test' }).click();
    await form.getByText('Sent', { exact: true }).waitFor();
    expect(JSON.parse(told[0])).toMatchObject({ rule: 'Too much', test: true });
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(2);
    expect(JSON.parse(told[1])).toMatchObject({ rule: 'Too much', status: 'firing', op: '>', threshold: 1 });
    await page.getByText('firing', { exact: true }).waitFor({ timeout: 20_000 });
    await page
      .getByRole('button', { name: /Too much/ })
      .first()
      .click();
    await page.getByRole('table', { name: 'History' }).getByText('webhook').waitFor();
    await page.getByRole('button', { name: 'Silence: Too much' }).click();
    await page.getByRole('menuitem', { name: 'Silence for an hour' }).click();
    await page.getByText(/^silent until/).waitFor();
    page.on('dialog', (d) => void d.accept());
    await page.getByRole('button', { name: 'Delete: Too much' }).click();
    await page.getByRole('heading', { name: 'No rule yet' }).waitFor();
  });

  it('refuses a rule that cannot be, and says why', async () => {
    page = await open(browser, '/alerts', { lang: 'ko', theme: 'light' });
    await page.getByRole('button', { name: '새 규칙' }).click();
    await page.getByRole('textbox', { name: '이름' }).fill('x');
    await page.getByRole('textbox', { name: '확인 간격' }).fill('1s');
    await page.getByText('every: at least 10s').waitFor();
    // The answer of a refused preview stands in the console as a failed request.
    problems.set(page, []);
  });
});
