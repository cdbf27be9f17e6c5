// The words of the pages in the chosen language, and numbers and times as that language writes them.

import { type Lang, usePrefs } from '../prefs';
import { type Dict, en } from './en';
import { ko } from './ko';

export type { Dict } from './en';
export const dictionaries: Record<Lang, Dict> = { en, ko };

export function useT(): Dict {
  return dictionaries[usePrefs().lang];
}

const formatters = new Map<string, Intl.NumberFormat | Intl.RelativeTimeFormat>();

function cached<T extends Intl.NumberFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  let f = formatters.get(key) as T | undefined;
  if (!f) {
    f = make();
    formatters.set(key, f);
  }
  return f;
}

export function number(value: number, lang: Lang): string {
  return cached(`n${lang}`, () => new Intl.NumberFormat(lang)).format(value);
}

/** 12,431 below 100,000, then 1.2M: at most three digits and a letter. */
export function short(value: number, lang: Lang): string {
  if (Math.abs(value) < 100_000) return number(Math.round(value), lang);
  return cached(
    `s${lang}`,
    () => new Intl.NumberFormat(lang, { notation: 'compact', maximumSignificantDigits: 3 }),
  ).format(value);
}

/** A rate: one digit after the point below ten. */
export function rate(value: number, lang: Lang): string {
  return value > 0 && value < 10 ? String(Math.round(value * 10) / 10) : short(value, lang);
}

export function percent(share: number, lang: Lang): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return cached(
    `p${lang}${digits}`,
    () => new Intl.NumberFormat(lang, { style: 'percent', maximumFractionDigits: digits }),
  ).format(share);
}

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB'];

export function bytes(value: number): string {
  let v = value;
  let u = 0;
  while (v >= 1000 && u < byteUnits.length - 1) {
    v /= 1000;
    u++;
  }
  return `${u === 0 || v >= 100 ? Math.round(v) : Math.round(v * 10) / 10} ${byteUnits[u]}`;
}

/** 18 µs, 3.2 ms, 400 ms, 1.4 s, 12 s, 5 min, 3 h. */
export function duration(ms: number, lang: Lang): string {
  const u = lang === 'ko' ? { s: '초', m: '분', h: '시간', d: '일' } : { s: ' s', m: ' min', h: ' h', d: ' d' };
  const one = (v: number) => (v < 10 ? String(Math.round(v * 10) / 10) : String(Math.round(v)));
  if (ms > 0 && ms < 0.001) return '<1 µs';
  if (ms > 0 && ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${one(Math.max(0, ms))} ms`;
  if (ms < 59_500) return one(ms / 1000) + u.s;
  if (ms < 3_570_000) return Math.round(ms / 60_000) + u.m;
  if (ms < 172_800_000) return Math.round(ms / 3_600_000) + u.h;
  return Math.round(ms / 86_400_000) + u.d;
}

/** "3 hours ago", "3시간 전". */
export function ago(ms: number, now: number, lang: Lang): string {
  const f = cached(`r${lang}`, () => new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }));
  const s = Math.round((ms - now) / 1000);
  const abs = Math.abs(s);
  if (abs < 60) return f.format(s, 'second');
  if (abs < 3600) return f.format(Math.round(s / 60), 'minute');
  if (abs < 172_800) return f.format(Math.round(s / 3600), 'hour');
  return f.format(Math.round(s / 86_400), 'day');
}
