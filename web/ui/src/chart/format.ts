// Values as a panel's format asks for; without one as short as a person reads them.

import { bytes, duration, number, percent, short } from '../i18n';
import type { Lang } from '../prefs';
import { stamp } from '../time';
import type { Cell, Column } from './data';

const unitMs: Record<string, number> = {
  nanoseconds: 1e-6, microseconds: 1e-3, milliseconds: 1, seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000,
  ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000,
}; // biome-ignore format: one line

function plain(v: number, lang: Lang, decimals?: number): string {
  if (decimals !== undefined) {
    return new Intl.NumberFormat(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(v);
  }
  if (Math.abs(v) >= 1_000_000) return short(v, lang);
  if (Number.isInteger(v) || Math.abs(v) >= 1000) return number(Math.round(v), lang);
  return String(Number(v.toPrecision(3)));
}

export function valueText(v: Cell, c: Pick<Column, 'kind' | 'format'> | null, lang: Lang): string {
  if (v === null || v === undefined) return '–';
  if (typeof v === 'string') return v;
  if (c?.kind === 'date') return stamp(v);
  const f = c?.format;
  const text = () => {
    switch (f?.type) {
      case 'bytes':
        return bytes(v);
      case 'bits':
        return bytes(v / 8);
      case 'percent':
        return percent(v, lang);
      case 'duration':
        return duration(v * (unitMs[f.from ?? 's'] ?? 1000), lang);
      case 'number':
        return f.compact ? short(v, lang) : plain(v, lang, f.decimals);
    }
    return plain(v, lang);
  };
  return f?.suffix ? `${text()}${f.suffix}` : text();
}

/** Numbers of an axis: as few letters as tell them apart. */
export function axisText(v: number, c: Column | undefined, lang: Lang): string {
  if (c?.format && c.format.type !== 'number') return valueText(v, c, lang);
  if (Math.abs(v) >= 1e6) return `${Number((v / 1e6).toPrecision(3))}M`;
  if (Math.abs(v) >= 1e4) return `${Number((v / 1e3).toPrecision(3))}k`;
  return String(Number(v.toPrecision(6)));
}
