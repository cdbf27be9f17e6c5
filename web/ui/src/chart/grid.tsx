import { useState } from 'react';
import { IconButton } from '../kit/button';
import { usePrefs } from '../prefs';
import styles from './chart.module.css';
import type { Cell, Table } from './data';
import { valueText } from './format';

/** Rows drawn at once; a table of more scrolls to a button. */
const step = 200;

interface Props {
  table: Table;
  label: string;
  labels: { more: string; pick: string };
  onPick?(field: string, value: string): void;
}

function compare(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

/** A table of buckets: sorted by a click on a head, filtered by one on a value. */
export function Grid({ table, label, labels, onPick }: Props) {
  const { lang } = usePrefs();
  const [sort, setSort] = useState<{ i: number; down: boolean } | null>(null);
  const [shown, setShown] = useState(step);
  const rows = sort ? [...table.rows].sort((a, b) => compare(a[sort.i], b[sort.i]) * (sort.down ? -1 : 1)) : table.rows;
  return (
    <section className={styles.grid} aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {table.columns.map((c, i) => (
              <th
                key={c.name + i}
                data-number={!c.dim || undefined}
                aria-sort={sort?.i === i ? (sort.down ? 'descending' : 'ascending') : undefined}
              >
                <button type="button" onClick={() => setSort({ i, down: sort?.i === i ? !sort.down : !c.dim })}>
                  {c.name}
                  {sort?.i === i ? (sort.down ? ' ↓' : ' ↑') : ''}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((r, i) => (
            <tr key={i}>
              {table.columns.map((c, j) => (
                <td key={c.name + j} data-number={(!c.dim && typeof r[j] === 'number') || undefined}>
                  {valueText(r[j] ?? null, c, lang)}
                  {c.dim && c.op === 'terms' && onPick && c.field && r[j] !== '…' && (
                    <IconButton
                      icon="plusCircle"
                      size={12}
                      label={`${labels.pick}: ${r[j]}`}
                      onClick={() => onPick(c.field ?? '', String(r[j]))}
                    />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <button type="button" className={styles.more} onClick={() => setShown(shown + step)}>
          {labels.more}
        </button>
      )}
    </section>
  );
}

/** Values as words, the more frequent the larger. */
export function Tags({ table, label, onPick }: Omit<Props, 'labels'>) {
  const { lang } = usePrefs();
  const m = table.columns.findIndex((c) => !c.dim);
  const top = Math.max(1, ...table.rows.map((r) => Number(r[m] ?? 0)));
  const field = table.columns[0]?.field ?? '';
  return (
    <ul className={styles.tags} aria-label={label}>
      {table.rows.slice(0, 100).map((r) => (
        <li key={String(r[0])}>
          <button
            type="button"
            disabled={!onPick || !field}
            title={valueText(r[m], table.columns[m], lang)}
            style={{ fontSize: `${11 + 17 * Math.sqrt(Number(r[m] ?? 0) / top)}px` }}
            onClick={() => onPick?.(field, String(r[0]))}
          >
            {String(r[0])}
          </button>
        </li>
      ))}
    </ul>
  );
}
