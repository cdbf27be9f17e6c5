// Single figures: a metric, or a gauge between two ends.

import { usePrefs } from '../prefs';
import styles from './chart.module.css';
import type { Cell, Table } from './data';
import { valueText } from './format';

/** One tile, or one per value of the breakdown. */
export function Metric({ table, label }: { table: Table; label: string }) {
  const { lang } = usePrefs();
  const dims = table.columns.flatMap((c, i) => (c.dim ? [i] : []));
  const metrics = table.columns.flatMap((c, i) => (c.dim ? [] : [i]));
  const [first, second] = metrics;
  return (
    <div className={styles.metrics} data-many={table.rows.length > 1 || undefined} role="group" aria-label={label}>
      {table.rows.slice(0, 24).map((r, i) => (
        <div key={i} className={styles.metric}>
          {dims.length > 0 && <span>{String(r[dims[0]] ?? '')}</span>}
          <strong>{valueText(r[first] ?? null, table.columns[first], lang)}</strong>
          <span>
            {dims.length === 0 && !(label && table.columns[first]?.auto) ? table.columns[first]?.name : ''}
            {second !== undefined && (
              <>
                {' '}
                {table.columns[second].name} <b>{valueText(r[second] ?? null, table.columns[second], lang)}</b>
              </>
            )}
          </span>
        </div>
      ))}
    </div>
  );
}

function end(v: unknown, d: number): number {
  const n = typeof v === 'object' && v !== null ? Number((v as { value?: unknown }).value) : Number(v ?? Number.NaN);
  return Number.isFinite(n) ? n : d;
}

function niceTop(v: number): number {
  if (v <= 0) return 1;
  const p = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 5, 10].map((m) => m * p).find((m) => m >= v) ?? 10 * p;
}

export function Gauge({ table, label }: { table: Table; label: string }) {
  const { lang } = usePrefs();
  const c = table.columns.find((x) => !x.dim);
  const v: Cell = table.rows[0]?.[table.columns.length - 1] ?? null;
  const value = typeof v === 'number' ? v : 0;
  const lo = end(c?.min, 0);
  const hi = end(c?.max, niceTop(value * 1.2));
  const goal = c?.goal === undefined ? Number.NaN : end(c.goal, Number.NaN);
  const share = (x: number) => Math.min(1, Math.max(0, (x - lo) / (hi - lo || 1)));
  const at = (s: number, r: number) => {
    const a = Math.PI * (1 - s);
    return `${(100 + r * Math.cos(a)).toFixed(2)} ${(100 - r * Math.sin(a)).toFixed(2)}`;
  };
  return (
    <div className={styles.gauge}>
      <svg viewBox="0 0 200 112" role="img" aria-label={`${label}: ${valueText(v, c ?? null, lang)}`}>
        <path d={`M${at(0, 88)}A88 88 0 0 1 ${at(1, 88)}`} fill="none" stroke="var(--bg3)" strokeWidth="14" />
        <path
          d={`M${at(0, 88)}A88 88 0 0 1 ${at(share(value), 88)}`}
          fill="none"
          stroke="var(--series-1)"
          strokeWidth="14"
        />
        {Number.isFinite(goal) && (
          <path d={`M${at(share(goal), 78)}L${at(share(goal), 98)}`} stroke="var(--text)" strokeWidth="2" />
        )}
        <text x="100" y="92" textAnchor="middle" className={styles.gaugeValue}>
          {valueText(v, c ?? null, lang)}
        </text>
        <text x="6" y="111" className={styles.gaugeEnd}>
          {valueText(lo, c ?? null, lang)}
        </text>
        <text x="194" y="111" textAnchor="end" className={styles.gaugeEnd}>
          {valueText(hi, c ?? null, lang)}
        </text>
      </svg>
      {c && !c.auto && <span>{c.name}</span>}
    </div>
  );
}
