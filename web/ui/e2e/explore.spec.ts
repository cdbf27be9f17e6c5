import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hits, launch, open, problems, rows } from './browser';

describe('Explore', () => {
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

  const search = () => page.getByRole('textbox', { name: 'Search' });
  async function run(text: string) {
    await search().fill(text);
    await search().press('Enter');
    await page.waitForURL((u) => u.searchParams.get('q') === text);
    await page.locator('main strong').first().waitFor();
  }

  it('shows the newest events of the last 15 minutes', async () => {
    page = await open(browser, '/');
    await page.waitForURL('**/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    expect(await hits(page)).toBeGreaterThan(10);
    const times = await rows(page).evaluateAll((list) =>
      list.map((r) => r.querySelector('[role=gridcell]')?.getAttribute('title') ?? ''),
    );
    expect(times).toEqual([...times].sort().reverse());
  });

  it('narrows by a query', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    const all = await hits(page);
    await run('log.level:ERROR or log.level:WARN');
    await expect.poll(() => hits(page)).toBeLessThan(all);
    await expect.poll(() => rows(page).count()).toBeGreaterThan(0);
    const levels = await rows(page).evaluateAll((list) =>
      list.map((r) => r.querySelectorAll('[role=gridcell]')[1]?.textContent),
    );
    expect(new Set([...levels, 'error', 'warn'])).toEqual(new Set(['error', 'warn']));
    await page.reload();
    await expect.poll(() => search().inputValue()).toBe('log.level:ERROR or log.level:WARN');
  });

  it('says where a query cannot be read, and keeps what it showed', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await run('log.level:(ERROR');
    await page.getByRole('status').filter({ hasText: 'expected' }).waitFor();
    expect(await rows(page).count()).toBeGreaterThan(0);
  });

  it('takes a range from the histogram', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    const plot = page.locator('.u-over');
    const box = await plot.boundingBox();
    if (!box) throw new Error('no histogram');
    await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 25, { steps: 8 });
    await page.mouse.up();
    await page.waitForURL((u) => (u.searchParams.get('from') ?? '').endsWith('Z'));
    const p = new URL(page.url()).searchParams;
    const width = Date.parse(p.get('to') ?? '') - Date.parse(p.get('from') ?? '');
    expect(width).toBeGreaterThan(5 * 60_000);
    expect(width).toBeLessThan(7 * 60_000);
    await page.goBack();
    await page.waitForURL((u) => !u.searchParams.has('from'));
  });

  it('opens an event, and filters by one of its fields', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await rows(page).nth(2).click();
    const detail = page.getByRole('region', { name: 'Event' });
    await detail.getByText('service.name', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('open')).toBeTruthy();
    await detail.getByRole('tab', { name: 'JSON' }).click();
    await detail.getByText('"@timestamp"').waitFor();
    await detail.getByRole('tab', { name: 'Context' }).click();
    await detail.locator('[aria-current]').waitFor();
    await detail.getByRole('tab', { name: 'Fields' }).click();
    const field = detail.locator('dl > div').filter({ has: page.getByText('service.name', { exact: true }) });
    await field.hover();
    const service = await field.locator('dd').innerText();
    await field.getByRole('button', { name: 'Only this value' }).click();
    await page.getByRole('button', { name: 'Filter on service.name' }).waitFor();
    await expect
      .poll(
        async () =>
          new Set(
            await rows(page).evaluateAll((l) => l.map((r) => r.querySelectorAll('[role=gridcell]')[2]?.textContent)),
          ),
      )
      .toEqual(new Set([service]));
  });

  it('gives an event an address of its own, and leads back from there', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await rows(page).nth(3).click();
    await page.getByRole('region', { name: 'Event' }).waitFor();
    const [index, id] = (new URL(page.url()).searchParams.get('open') ?? '').split('/').map(decodeURIComponent);
    await page.goto(`${new URL(page.url()).origin}/e?index=${encodeURIComponent(index)}&id=${encodeURIComponent(id)}`);
    await page.getByRole('region', { name: 'Event' }).getByText('message', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Open in Explore' }).click();
    await page.waitForURL((u) => u.pathname.endsWith('/explore'));
    await page.getByRole('region', { name: 'Event' }).waitFor();
    expect(new URL(page.url()).searchParams.get('open')).toContain(encodeURIComponent(id));
  });

  it('turns a filter around, off and away', async () => {
    page = await open(browser, '/explore?f=is:log.level:ERROR');
    const filters = () => new URL(page.url()).searchParams.getAll('f');
    const pill = () => page.getByRole('button', { name: /^Filter on/ });
    await pill().click();
    await page.getByRole('menuitem', { name: 'Turn around' }).click();
    await expect.poll(filters).toEqual(['not:log.level:ERROR']);
    await pill().click();
    await page.getByRole('menuitem', { name: 'Switch off' }).click();
    await expect.poll(filters).toEqual(['~not:log.level:ERROR']);
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect.poll(filters).toEqual([]);
  });

  it('counts the values of a field', async () => {
    page = await open(browser, '/explore');
    await page.getByPlaceholder('Search fields').fill('serv na');
    const name = page.locator('aside button[title^="service.name ·"]');
    await name.click();
    await page
      .locator('aside')
      .getByText('100%')
      .or(page.locator('aside').getByText(/in .* of the events/))
      .first()
      .waitFor();
  });

  it('is worked by keys alone, on a Korean layout too', async () => {
    page = await open(browser, '/explore');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(5);
    await page.keyboard.press('j');
    await page.evaluate(() => dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅓ', code: 'KeyJ', bubbles: true })));
    await expect.poll(() => page.locator('[role=row][aria-selected=true]').getAttribute('aria-rowindex')).toBe('2');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Event' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'Event' }).waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('xyzzy-no-such-word');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No event matches' }).waitFor();
  });

  for (const theme of ['dark', 'light'] as const) {
    for (const lang of ['en', 'ko'] as const) {
      it(`in ${theme} and ${lang}`, async () => {
        page = await open(browser, '/explore', { theme, lang });
        await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(0);
        const root = await page.evaluate(() => ({
          ...document.documentElement.dataset,
          lang: document.documentElement.lang,
        }));
        expect(root).toMatchObject({ theme, lang });
        await page.getByRole('button', { name: lang === 'ko' ? '시간 범위' : 'Time range' }).click();
        await page.getByPlaceholder(lang === 'ko' ? '지난 3시간' : 'last 3h').fill('지난 2시간');
        await page.keyboard.press('Enter');
        await page.waitForURL((u) => u.searchParams.get('from') === 'now-2h');
        await page
          .getByText(lang === 'ko' ? '최근 2시간' : 'Last 2 hours')
          .first()
          .waitFor();
      });
    }
  }
});
