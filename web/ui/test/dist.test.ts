import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const dist = '../dist';
const assets = readdirSync(`${dist}/assets`);
const index = readFileSync(`${dist}/index.html`, 'utf8');
const budget = 200_000;

/** What index.html names, and what that imports at once; pages loaded on use do not count. */
function firstLoad(): string[] {
  const files = [...index.matchAll(/assets\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
  for (const f of files) {
    if (!f.endsWith('.js')) continue;
    const code = readFileSync(`${dist}/assets/${f}`, 'utf8');
    for (const m of code.matchAll(/(?:^|;|})(?:import|export)[^;()]*?"\.\/([^"]+\.js)"/g)) {
      if (!files.includes(m[1])) files.push(m[1]);
    }
  }
  return files;
}

describe('the built pages', () => {
  it('load at most 200 KB of gzipped JavaScript and CSS at first', () => {
    const code = firstLoad();
    expect(code.length).toBeGreaterThanOrEqual(2);
    const size = code.reduce((n, f) => n + gzipSync(readFileSync(`${dist}/assets/${f}`), { level: 9 }).length, 0);
    expect(size).toBeLessThanOrEqual(budget);
  });

  it('name only files that are there, relative to the base', () => {
    const named = [...index.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((m) => m[1]);
    expect(named.length).toBeGreaterThanOrEqual(3);
    for (const f of named) expect(existsSync(`${dist}/${f}`)).toBe(true);
  });

  it('hold the two places the server fills in, and no script of their own', () => {
    expect(index).toContain('<base href="/">');
    expect(index).toContain('<meta name="csp-nonce" content="">');
    expect(index).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(index).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });

  it('load nothing from elsewhere', () => {
    expect(index).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    for (const f of assets.filter((a) => a.endsWith('.css'))) {
      expect(readFileSync(`${dist}/assets/${f}`, 'utf8')).not.toMatch(/url\(["']?(?:https?:)?\/\/|@import/);
    }
  });

  it('carry no source maps', () => expect(assets.filter((f) => f.endsWith('.map'))).toEqual([]));
});
