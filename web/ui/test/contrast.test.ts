import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/theme/tokens.css', 'utf8');

/** The custom properties of the block that begins with a selector. */
function block(selector: string): Map<string, string> {
  const start = css.indexOf('{', css.indexOf(selector));
  const body = css.slice(start, css.indexOf('}', start));
  return new Map([...body.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})\s*;/gi)].map((m) => [m[1], m[2]]));
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const themes = { dark: block('[data-theme="dark"]'), light: block('[data-theme="light"]') };
const texts = ['text', 'text2', 'text3', 'accent', 'ok', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'];

describe('contrast', () => {
  it('is computed right: black on white is 21', () => expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5));
  for (const [theme, colors] of Object.entries(themes)) {
    for (const name of texts) {
      it(`${theme}: ${name} on bg1 reads well`, () => {
        const ink = colors.get(`--${name}`);
        const paper = colors.get('--bg1');
        expect(ink && paper).toBeTruthy();
        expect(contrast(ink ?? '', paper ?? '')).toBeGreaterThanOrEqual(4.5);
      });
    }
    it(`${theme}: text on the accent reads well`, () =>
      expect(contrast(colors.get('--on-accent') ?? '', colors.get('--accent') ?? '')).toBeGreaterThanOrEqual(4.5));
    it(`${theme}: the word on the fatal mark reads well`, () =>
      expect(contrast(colors.get('--on-accent') ?? '', colors.get('--fatal') ?? '')).toBeGreaterThanOrEqual(4.5));
  }
  it('both themes name the same colours', () => {
    expect([...themes.light.keys()].sort()).toEqual([...themes.dark.keys()].sort());
  });
});
