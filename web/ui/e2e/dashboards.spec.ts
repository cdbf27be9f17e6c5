import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from './browser';

describe('Dashboards', () => {
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

  const panel = (name: string) => page.getByRole('region', { name, exact: true });

  it('draws every panel of the ready-made ones', async () => {
    page = await open(browser, '/dashboards');
    const links = page.locator('main li a');
    await links.first().waitFor();
    const ready = (await links.evaluateAll((l) => l.map((a) => a.getAttribute('href') ?? ''))).filter((h) =>
      h.includes('weir-'),
    );
    expect(ready.length).toBe(5);
    for (const href of ready) {
      const origin = new URL(page.url()).origin;
      await page.goto(`${origin}${href}?from=now-15m&to=now`);
      await page.locator('[data-panel]').first().waitFor();
      await expect.poll(() => page.locator('[data-panel] [class*=wait]').count(), { timeout: 20_000 }).toBe(0);
      expect(await page.locator('[data-panel] [role=alert]').allInnerTexts()).toEqual([]);
      expect(await page.locator('[data-panel] [class*=unsupported]').count()).toBe(0);
    }
  });

  it('is copied, edited with a live chart, moved by keys, saved and found again', async () => {
    page = await open(browser, '/dashboards/weir-service-api?from=now-15m&to=now');
    await panel('Events')
      .getByText(/^[\d,]+$/)
      .waitFor();
    await page.getByRole('button', { name: 'Save a copy' }).click();
    await page.waitForURL((u) => /dashboards\/(?!weir-)/.test(u.pathname));
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Title', exact: true }).fill('My API');
    const place = () => page.locator('[data-panel=events]').evaluate((el) => (el as HTMLElement).style.left);
    expect(await place()).toBe('0px');
    await panel('Events')
      .getByRole('button', { name: /^Move Events/ })
      .focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
    await expect.poll(place).not.toBe('0px');
    await page.getByRole('button', { name: 'Add a panel' }).click();
    const editor = page.getByRole('complementary', { name: 'Edit the panel' });
    await editor.getByRole('textbox', { name: 'Panel title' }).fill('Mine');
    await editor.getByRole('button', { name: 'Top values' }).click();
    await editor.getByRole('combobox', { name: 'Field' }).last().fill('service.name');
    await editor.getByRole('list').getByText('api', { exact: true }).waitFor();
    await editor.getByRole('tab', { name: 'JSON' }).click();
    expect(await editor.getByRole('textbox').inputValue()).toContain('bar_horizontal');
    await editor.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'My API', level: 1 }).waitFor();
    await panel('Mine').getByText('api', { exact: true }).waitFor();
    expect(await place()).not.toBe('0px');
    await page.getByRole('link', { name: 'Dashboards' }).last().click();
    await page.getByRole('link', { name: /My API/ }).waitFor();
    page.on('dialog', (d) => void d.accept());
    await page.getByRole('button', { name: 'Delete: My API' }).click();
    await page.getByRole('link', { name: /My API/ }).waitFor({ state: 'detached' });
  });

  it('is narrowed by a control, a click on a value and a search, all in the address', async () => {
    page = await open(browser, '/dashboards/weir-itself?from=now-15m&to=now');
    const events = async () => Number((await panel('Events stored').locator('strong').innerText()).replace(/\D/g, ''));
    await expect.poll(events).toBeGreaterThan(0);
    const all = await events();
    await page.getByRole('button', { name: /^File/ }).click();
    await page.getByRole('checkbox').first().check();
    await expect.poll(events).toBeLessThan(all);
    await page.keyboard.press('Escape');
    expect(new URL(page.url()).searchParams.get('c')).toContain('log.file.path');
    await page.getByRole('textbox', { name: 'Search' }).fill('log.level:ERROR');
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => u.searchParams.get('q') === 'log.level:ERROR');
    const some = await events();
    expect(some).toBeLessThan(all);
    await panel('Share of hosts').getByRole('button').last().click();
    await page.getByRole('button', { name: /^Filter on host.name/ }).waitFor();
    expect(new URL(page.url()).searchParams.get('f')).toContain('host.name');
  });

  it('shows one panel alone, and leads to Explore from it', async () => {
    page = await open(browser, '/dashboards/weir-service-api?from=now-15m&to=now');
    const errors = panel('Who fails most');
    await errors.hover();
    await errors.getByRole('button', { name: 'Full screen' }).click();
    await expect.poll(() => page.locator('[data-panel]').count()).toBe(0);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('[data-panel]').count()).toBeGreaterThan(5);
    await errors.hover();
    await errors.getByRole('button', { name: 'Open in Explore' }).click();
    await page.waitForURL(
      (u) => u.pathname === '/explore' && (u.searchParams.get('q') ?? '').includes('service.name:api'),
    );
  });

  it('takes what Kibana exported, and tells what became of each panel', async () => {
    page = await open(browser, '/dashboards');
    const lens = {
      title: 'Levels',
      visualizationType: 'lnsPie',
      references: [{ name: 'indexpattern-datasource-layer-l', type: 'index-pattern', id: 'logs-*' }],
      state: {
        visualization: { shape: 'pie', layers: [{ layerId: 'l', primaryGroups: ['a'], metrics: ['b'] }] },
        datasourceStates: {
          formBased: {
            layers: {
              l: {
                columns: {
                  a: { operationType: 'terms', sourceField: 'log.level', params: { size: 5 } },
                  b: { operationType: 'count', sourceField: '___records___' },
                },
              },
            },
          },
        },
      },
    };
    const panels = [
      {
        type: 'lens',
        panelIndex: '1',
        gridData: { x: 0, y: 0, w: 24, h: 12, i: '1' },
        embeddableConfig: { attributes: lens },
      },
      {
        type: 'map',
        panelIndex: '2',
        gridData: { x: 24, y: 0, w: 24, h: 12, i: '2' },
        embeddableConfig: { title: 'A map' },
      },
    ];
    const line = {
      type: 'dashboard',
      id: 'from-kibana',
      attributes: { title: 'From Kibana', panelsJSON: JSON.stringify(panels) },
      references: [],
    };
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('checkbox').check();
    await dialog.locator('input[type=file]').setInputFiles({
      name: 'export.ndjson',
      mimeType: 'application/ndjson',
      buffer: Buffer.from(`${JSON.stringify(line)}\nrubbish\n`),
    });
    await dialog.getByText('converted').waitFor();
    await dialog.getByText('placeholder').waitFor();
    await dialog.getByText(/line 2/).waitFor();
    await dialog.getByRole('link', { name: 'From Kibana' }).click();
    await panel('Levels').getByRole('button', { name: /INFO/ }).waitFor();
    await panel('A map')
      .getByText(/cannot be shown/)
      .waitFor();
  });
});
