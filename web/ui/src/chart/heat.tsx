import { usePrefs } from '../prefs';
import { stamp } from '../time';
import styles from './chart.module.css';
import type { Cell, Table } from './data';
import { valueText } from './format';

interface Props {
  table: Table;
  label: string;
  from: number;
  to: number;
  onPick?(field: string, value: string): void;
}

/** A row per value of y, a column per x; the darker the more. */
/** Most columns drawn. */
const maxColumns = 200;

/** The keys of the axis; over time also those of steps in which nothing happened. */
function axisOf(table: Table, xi: number, from: number, to: number): Cell[] {
  const xs = [...new Set(table.rows.map((r) => r[xi]))];
  if (table.columns[xi]?.kind === 'text') return xs;
  xs.sort((a, b) => Number(a) - Number(b));
  const step = table.step_ms ?? 0;
  if (table.columns[xi]?.kind !== 'date' || step <= 0 || xs.length === 0 || (to - from) / step > maxColumns) return xs;
  const anchor = Number(xs[0]);
  const first = anchor - Math.floor((anchor - from) / step) * step;
  const all: number[] = [];
  for (let t = first; t <= to; t += step) all.push(t);
  return all;
}

export function Heat({ table, label, from, to, onPick }: Props) {
  const { lang } = usePrefs();
  const dims = table.columns.flatMap((c, i) => (c.dim ? [i] : []));
  const m = table.columns.findIndex((c) => !c.dim);
  const [xi, yi] = dims;
  const xs = axisOf(table, xi, from, to);
  const ys = yi === undefined ? [''] : [...new Set(table.rows.map((r) => String(r[yi] ?? '')))];
  const cells = new Map(
    table.rows.map((r) => [`${r[xi]}\n${yi === undefined ? '' : (r[yi] ?? '')}`, Number(r[m] ?? 0)]),
  );
  const top = Math.max(1, ...cells.values());
  const date = table.columns[xi]?.kind === 'date';
  const xText = (x: unknown) => (date ? stamp(Number(x)) : String(x));
  const yField = yi === undefined ? '' : (table.columns[yi].field ?? '');
  return (
    <div className={styles.heat} role="group" aria-label={label}>
      <div className={styles.heatRows}>
        {ys.map((y) => (
          <div key={y} className={styles.heatRow}>
            <button type="button" title={y} disabled={!onPick || !yField} onClick={() => onPick?.(yField, y)}>
              {y}
            </button>
            {xs.map((x) => {
              const v = cells.get(`${x}\n${y}`) ?? 0;
              const share = v > 0 ? 12 + 88 * Math.sqrt(v / top) : 0;
              return (
                <i
                  key={String(x)}
                  title={`${xText(x)} · ${y} · ${valueText(v, table.columns[m], lang)}`}
                  style={{
                    background: v > 0 ? `color-mix(in srgb, var(--series-1) ${share}%, var(--bg2))` : 'var(--bg2)',
                  }}
                />
              );
            })}
          </div>
        ))}
      </div>
      {xs.length > 1 && (
        <div className={styles.heatAxis}>
          <span>{date ? xText(xs[0]).slice(5, 16) : xText(xs[0])}</span>
          <span>{date ? xText(xs[xs.length - 1]).slice(5, 16) : xText(xs[xs.length - 1])}</span>
        </div>
      )}
    </div>
  );
}
