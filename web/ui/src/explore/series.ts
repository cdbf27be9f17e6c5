// The series of a histogram: one a level, or one a value of the field it is broken down by.

import type { Histogram } from '../api';
import { levelOf, levels } from '../levels';

export interface Series {
  name: string;
  /** A custom property of tokens.css. */
  color: string;
  values: number[];
  total: number;
}

const other = '…';

/** The series of a histogram from the bottom up: rare and bad at the bottom, what belongs to none at the top. */
export function seriesOf(data: Histogram): Series[] {
  const names = new Map<string, number>();
  for (const b of data.buckets) {
    for (const [k, n] of Object.entries(b.by ?? {})) names.set(k, (names.get(k) ?? 0) + n);
  }
  const byLevel = [...names.keys()].every((k) => k === '' || levelOf(k));
  const order = (k: string) => (byLevel ? levels.indexOf(levelOf(k) ?? 'trace') : -(names.get(k) ?? 0));
  const sorted = [...names.keys()].sort((a, b) => order(a) - order(b));
  const groups = new Map<string, string[]>();
  for (const k of sorted) {
    const g = byLevel ? (levelOf(k) ?? other) : k;
    groups.set(g, [...(groups.get(g) ?? []), k]);
  }
  const out = [...groups].map(([name, keys], i) => {
    const values = data.buckets.map((b) => keys.reduce((s, k) => s + (b.by?.[k] ?? 0), 0));
    return { name, color: colorOf(name, byLevel, i), values, total: values.reduce((a, b) => a + b, 0) };
  });
  const rest = data.buckets.map((b, i) => Math.max(0, b.n - out.reduce((s, o) => s + o.values[i], 0)));
  const restTotal = rest.reduce((a, b) => a + b, 0);
  if (restTotal > 0 || out.length === 0)
    out.push({ name: other, color: '--bar-trace', values: rest, total: restTotal });
  return out;
}

function colorOf(name: string, byLevel: boolean, i: number): string {
  if (!byLevel) return name === other ? '--bar-trace' : `--series-${(i % 10) + 1}`;
  return name === other ? '--bar-trace' : `--bar-${name}`;
}
