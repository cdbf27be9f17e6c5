// From an empty folder to a saved dashboard, with a server of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, problems, rows, tabAt } from './browser';
import { ready } from './setup';

const bin = process.env.WEIR_BIN;

describe.skipIf(!bin)('a newcomer', () => {
  let browser: Browser;
  let page: Page;
  let child: ChildProcess;
  let url = '';
  const dir = mkdtempSync(join(tmpdir(), 'weir-new-'));
  const log = join(dir, 'logs', 'shop.log');

  beforeAll(async () => {
    browser = await launch();
    mkdirSync(join(dir, 'logs'));
    const any = '127.0.0.1:0';
    writeFileSync(
      join(dir, 'weir.yml'),
      `data: ${join(dir, 'data')}
listen: { kafka: "${any}", elasticsearch: "${any}", ui: "${any}", monitor: "${any}" }
agent:
  inputs:
    - id: shop
      paths: ["${join(dir, 'logs', '*.log')}"]
pipelines:
  - pipeline.id: shop
    config.string: |
      input { kafka { topics => ["logs"] codec => json } }
      filter { dissect { mapping => { "message" => "%{level} %{message}" } } mutate { rename => { "level" => "[log][level]" } } }
      output { elasticsearch { } }
`,
    );
    child = spawn(bin ?? '', ['up', '-c', join(dir, 'weir.yml')], { stdio: ['ignore', 'pipe', 'inherit'], cwd: dir });
    url = (await ready(child)).replace(/\/$/, '');
  });
  afterAll(async () => {
    await browser.close();
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });

  it('finds the first steps, sees the first line come, and saves a dashboard', async () => {
    page = await tabAt(browser, `${url}/`, { lang: 'ko', theme: 'light' });
    await page.getByRole('button', { name: '시작하기' }).click();
    await page.waitForURL('**/start');
    expect(await page.locator('li[data-on]').count()).toBe(0);
    const write = (n: number) => {
      for (let i = 0; i < n; i++)
        appendFileSync(log, `${i % 10 === 0 ? 'ERROR' : 'INFO'} order ${i} of customer ${i % 7}\n`);
    };
    write(200);
    await page.getByText('첫 이벤트가 도착했습니다').waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: '실시간으로 보기' }).click();
    await page.waitForURL((u) => u.searchParams.get('live') === '1');
    await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
    await page.getByRole('link', { name: '대시보드' }).click();
    await page.getByRole('button', { name: '새 대시보드' }).click();
    await page.getByRole('textbox', { name: '제목', exact: true }).fill('주문');
    await page.getByRole('button', { name: '패널 추가' }).first().click();
    const editor = page.getByRole('complementary', { name: '패널 편집' });
    await editor.getByRole('textbox', { name: '패널 제목' }).fill('수준별');
    await editor.getByRole('button', { name: '원', exact: true }).click();
    await editor.getByRole('button', { name: /ERROR/ }).waitFor();
    await editor.getByRole('button', { name: '완료' }).click();
    await page.getByRole('button', { name: '저장', exact: true }).click();
    await page.getByRole('button', { name: '편집', exact: true }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '주문', level: 1 }).waitFor();
    await page.getByRole('region', { name: '수준별', exact: true }).getByText('90%', { exact: true }).waitFor();
    expect(problems.get(page)).toEqual([]);
    await page.context().close();
  });
});
