import { percent } from '../i18n';
import { usePrefs } from '../prefs';
import styles from './chart.module.css';
import { colorOf, type Table } from './data';
import { valueText } from './format';

interface Slice {
  name: string;
  value: number;
  color: string;
  field: string;
}

/** The first dimension as slices; further ones are summed up. */
function slicesOf(t: Table): Slice[] {
  const metric = t.columns.findIndex((c) => !c.dim);
  const dims = t.columns.filter((c) => c.dim).length;
  if (dims === 0) {
    return t.columns.flatMap((c, i) =>
      c.dim ? [] : [{ name: c.name, value: Number(t.rows[0]?.[i] ?? 0), color: colorOf(c.name, i), field: '' }],
    );
  }
  const sums = new Map<string, number>();
  for (const r of t.rows) {
    const name = String(r[0] ?? '');
    sums.set(name, (sums.get(name) ?? 0) + Number(r[metric] ?? 0));
  }
  return [...sums].map(([name, value], i) => ({
    name,
    value,
    color: colorOf(name, i),
    field: t.columns[0].field ?? '',
  }));
}

function arc(from: number, to: number, outer: number, inner: number): string {
  const end = Math.min(to, from + 0.99999); // a whole circle has no arc of its own
  const at = (share: number, r: number) => {
    const a = 2 * Math.PI * share - Math.PI / 2;
    return `${(r * Math.cos(a)).toFixed(3)} ${(r * Math.sin(a)).toFixed(3)}`;
  };
  const big = end - from > 0.5 ? 1 : 0;
  const back = inner > 0 ? `L${at(end, inner)}A${inner} ${inner} 0 ${big} 0 ${at(from, inner)}` : 'L0 0';
  return `M${at(from, outer)}A${outer} ${outer} 0 ${big} 1 ${at(end, outer)}${back}Z`;
}

const holes: Record<string, number> = { s: 30, m: 58, l: 74 };

interface Props {
  table: Table;
  hole?: string;
  label: string;
  onPick?(field: string, value: string): void;
}

export function Pie({ table, hole, label, onPick }: Props) {
  const { lang } = usePrefs();
  const slices = slicesOf(table).filter((s) => s.value > 0);
  const sum = slices.reduce((a, s) => a + s.value, 0);
  const column = table.columns.find((c) => !c.dim) ?? null;
  let at = 0;
  return (
    <div className={styles.pie}>
      <svg viewBox="-100 -100 200 200" role="img" aria-label={label}>
        {slices.map((s) => {
          const from = at;
          at += s.value / sum;
          return (
            <path
              key={s.name}
              d={arc(from, at, 98, holes[hole ?? ''] ?? 0)}
              fill={`var(${s.color})`}
              stroke="var(--bg1)"
            >
              <title>{`${s.name}: ${valueText(s.value, column, lang)} (${percent(s.value / sum, lang)})`}</title>
            </path>
          );
        })}
        {slices.length === 0 && <circle r="90" fill="none" stroke="var(--border)" strokeWidth="4" />}
      </svg>
      <ul>
        {slices.map((s) => (
          <li key={s.name}>
            <button
              type="button"
              disabled={!onPick || !s.field || s.name === '…'}
              onClick={() => onPick?.(s.field, s.name)}
            >
              <i style={{ background: `var(${s.color})` }} />
              <span title={s.name}>{s.name}</span>
              <b>{percent(s.value / sum, lang)}</b>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
