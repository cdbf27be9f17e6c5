import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || places.find(existsSync),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Choice {
  theme?: 'dark' | 'light';
  lang?: 'en' | 'ko';
}

/** Problems the pages wrote to the console, or threw: a test ends with none. */
export const problems = new WeakMap<Page, string[]>();

/** A page with its own storage, at a path of the UI. */
export function open(browser: Browser, path: string, choice: Choice = {}): Promise<Page> {
  return tabAt(browser, inject('url') + path, choice);
}

/** A page with its own storage, at any address. */
export async function tabAt(browser: Browser, address: string, choice: Choice = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(
    (prefs) => {
      if (!localStorage.getItem('weir.prefs')) localStorage.setItem('weir.prefs', JSON.stringify(prefs));
    },
    { theme: 'dark', lang: 'en', ...choice },
  );
  const page = await context.newPage();
  const list: string[] = [];
  problems.set(page, list);
  page.on('pageerror', (e) => list.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error') list.push(m.text());
  });
  await page.goto(address);
  return page;
}

/** Rows of the log that are drawn. */
export function rows(page: Page) {
  return page.locator('#log [role=row][aria-rowindex]');
}

/** The number of hits the page tells, as a number. */
export async function hits(page: Page): Promise<number> {
  const text = await page.locator('main strong').first().innerText();
  return Number(text.replace(/\D/g, ''));
}
