import { describe, expect, it } from 'vitest';
import { ago, bytes, duration, percent, rate, short } from '../src/i18n';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';

/** Every key with the kind of its value; functions with their number of parameters. */
function keysOf(d: object, path = ''): string[] {
  return Object.entries(d).flatMap(([k, v]) => {
    const at = `${path}.${k}`;
    if (typeof v === 'function') return [`${at}()`];
    return typeof v === 'object' ? keysOf(v, at) : [at];
  });
}

function leaves(d: object): string[] {
  return Object.values(d).flatMap((v) => (typeof v === 'string' ? [v] : typeof v === 'object' ? leaves(v) : []));
}

describe('the dictionaries', () => {
  it('have equal keys', () => expect(keysOf(ko)).toEqual(keysOf(en)));
  it('have no empty word', () => {
    for (const d of [en, ko]) expect(leaves(d).filter((v) => v.trim() === '')).toEqual([]);
  });
  it('are not each other', () => expect(leaves(ko).filter((v) => /[가-힣]/.test(v)).length).toBeGreaterThan(100));
});

describe('the words of each page', () => {
  const found = import.meta.glob<{ words: Record<'en' | 'ko', object> }>('../src/**/words.ts', { eager: true });
  const pages = Object.entries(found).filter(([, m]) => m.words);
  it('are found', () => expect(pages.length).toBeGreaterThan(4));
  for (const [path, { words }] of pages) {
    it(`${path} has equal keys and no empty word`, () => {
      expect(keysOf(words.ko)).toEqual(keysOf(words.en));
      for (const d of [words.en, words.ko]) expect(leaves(d).filter((v) => v.trim() === '')).toEqual([]);
      expect(leaves(words.ko).some((v) => /[가-힣]/.test(v))).toBe(true);
    });
  }
});

describe('figures', () => {
  it('short numbers', () => {
    expect(short(12_431, 'en')).toBe('12,431');
    expect(short(1_234_567, 'en')).toBe('1.23M');
    expect(short(1_234_567, 'ko')).toBe('123만');
  });
  it('rates', () => expect([rate(0, 'en'), rate(0.25, 'en'), rate(3170, 'en')]).toEqual(['0', '0.3', '3,170']));
  it('bytes', () =>
    expect([0, 999, 4096, 1_400_000, 2.1e9].map(bytes)).toEqual(['0 B', '999 B', '4.1 KB', '1.4 MB', '2.1 GB']));
  it('durations', () => {
    expect([0.0004, 0.018, 4.2, 57, 400, 12_000, 300_000, 7_200_000].map((v) => duration(v, 'en'))).toEqual([
      '<1 µs',
      '18 µs',
      '4.2 ms',
      '57 ms',
      '400 ms',
      '12 s',
      '5 min',
      '2 h',
    ]);
    expect(duration(300_000, 'ko')).toBe('5분');
  });
  it('shares', () =>
    expect([percent(0.614, 'en'), percent(0.004, 'en'), percent(0, 'en')]).toEqual(['61%', '0.4%', '0%']));
  it('times ago', () => {
    expect(ago(0, 3 * 3_600_000, 'en')).toBe('3 hours ago');
    expect(ago(0, 3 * 3_600_000, 'ko')).toBe('3시간 전');
  });
});
