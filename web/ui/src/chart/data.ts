// A layer's answer as a table, and the same as series to draw.

import { levelOf, levels } from '../levels';

export interface Column {
  name: string;
  kind: 'date' | 'number' | 'text';
  dim?: boolean;
  field?: string;
  op: string;
  format?: Format;
  role?: 'primary' | 'secondary';
  /** The panel gives no label: the name is made up. */
  auto?: boolean;
  min?: unknown;
  max?: unknown;
  goal?: unknown;
}

export interface Format {
  type: string;
  decimals?: number;
  suffix?: string;
  compact?: boolean;
  from?: string;
  to?: string;
}

export type Cell = string | number | null;

export interface Table {
  kind: string;
  columns: Column[];
  rows: Cell[][];
  step_ms?: number;
  total: number;
  cut?: boolean;
  partial?: boolean;
}

/** Stands for what belongs to none of the listed values. */
export const other = '…';

export interface Series {
  name: string;
  color: string;
  values: (number | null)[];
  column: Column;
  /** The value of the breakdown, '' without one. */
  by: string;
}

export interface Chart {
  xs: (number | string)[];
  x: Column | null;
  by: Column | null;
  series: Series[];
  step: number;
}

/** A custom property for a name: levels have their own colours, everything else goes by its place. */
export function colorOf(name: string, i: number): string {
  if (name === other) return '--bar-trace';
  const status = /^([2345])xx$/.exec(name); // classes of HTTP answers
  if (status) return ['--series-1', '--series-10', '--bar-warn', '--bar-error'][Number(status[1]) - 2];
  const level = levelOf(name);
  return level ? `--bar-${level}` : `--series-${(i % 10) + 1}`;
}

/** Up to this many series are drawn. */
export const maxSeries = 60;

/** One axis, one breakdown, any number of metrics: what a chart over x draws. */
export function chartOf(t: Table): Chart {
  const dims = t.columns.flatMap((c, i) => (c.dim ? [i] : []));
  const metrics = t.columns.flatMap((c, i) => (c.dim ? [] : [i]));
  const xi = dims.find((i) => t.columns[i].kind === 'date') ?? dims[0] ?? -1;
  const bi = dims.find((i) => i !== xi) ?? -1;
  const places = new Map<number | string, number>();
  const xs: (number | string)[] = [];
  for (const r of t.rows) {
    const key = xi < 0 ? '' : (r[xi] ?? '');
    if (!places.has(key)) {
      places.set(key, xs.length);
      xs.push(key);
    }
  }
  if (xi >= 0 && t.columns[xi].kind !== 'text') {
    xs.sort((a, b) => Number(a) - Number(b));
    xs.forEach((v, i) => {
      places.set(v, i);
    });
  }
  const made = new Map<string, Series>();
  for (const r of t.rows) {
    const by = bi < 0 ? '' : String(r[bi] ?? '');
    for (const m of metrics) {
      const key = `${by}\n${m}`;
      let s = made.get(key);
      if (!s) {
        if (made.size >= maxSeries) continue;
        const column = t.columns[m];
        const name = by === '' ? column.name : metrics.length > 1 ? `${by} · ${column.name}` : by;
        s = { name, color: colorOf(by || name, made.size), values: xs.map(() => null), column, by };
        made.set(key, s);
      }
      const v = r[m];
      s.values[places.get(xi < 0 ? '' : (r[xi] ?? '')) ?? 0] = typeof v === 'number' ? v : null;
    }
  }
  return {
    xs,
    x: xi < 0 ? null : t.columns[xi],
    by: bi < 0 ? null : t.columns[bi],
    series: byLevel([...made.values()]),
    step: t.step_ms ?? 0,
  };
}

/** Levels from the worst to the least; anything else as it came. */
function byLevel(list: Series[]): Series[] {
  const rank = (s: Series) => (s.by === other ? levels.length : levels.indexOf(levelOf(s.by) ?? 'trace'));
  const all = list.length > 1 && list.every((s) => s.by === other || levelOf(s.by) !== null);
  return all ? [...list].sort((a, b) => rank(a) - rank(b)) : list;
}

/** Each series on top of those below it; as shares of their sum when percent. */
export function stackOf(series: Series[], percent: boolean): (number | null)[][] {
  const n = series[0]?.values.length ?? 0;
  const whole = Array.from({ length: n }, (_, i) => series.reduce((a, s) => a + (s.values[i] ?? 0), 0));
  const sums = new Array<number>(n).fill(0);
  return series.map((s) =>
    s.values.map((v, i) => {
      const part = percent ? (whole[i] > 0 ? (v ?? 0) / whole[i] : 0) : (v ?? 0);
      sums[i] += part;
      return sums[i];
    }),
  );
}
