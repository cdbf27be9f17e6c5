// Top values: a bar and a number each, lying; or standing for an axis of categories.

import { percent } from '../i18n';
import { usePrefs } from '../prefs';
import styles from './chart.module.css';
import { type Chart, other } from './data';
import { valueText } from './format';

interface Props {
  chart: Chart;
  stacked: boolean;
  share?: boolean;
  label: string;
  onPick?(field: string, value: string): void;
}

function totalsOf(chart: Chart): number[] {
  return chart.xs.map((_, i) => chart.series.reduce((a, s) => a + (s.values[i] ?? 0), 0));
}

export function LyingBars({ chart, stacked, share, label, onPick }: Props) {
  const { lang } = usePrefs();
  const totals = totalsOf(chart);
  const lone = chart.series.length === 1;
  const top = Math.max(1e-9, ...(stacked || lone ? totals : chart.series.flatMap((s) => s.values.map((v) => v ?? 0))));
  const sum = totals.reduce((a, b) => a + b, 0);
  return (
    <ul className={styles.bars} aria-label={label}>
      {chart.xs.map((x, i) => {
        const name = String(x);
        const whole = share ? totals[i] || 1 : top;
        return (
          <li key={name}>
            <button
              type="button"
              className={styles.bar}
              disabled={!onPick || name === other || !chart.x?.field}
              title={name}
              onClick={() => onPick?.(chart.x?.field ?? '', name)}
            >
              <span className={styles.barName}>{name === '' ? '""' : name}</span>
              <b>{lone || stacked ? valueText(totals[i], chart.series[0]?.column ?? null, lang) : ''}</b>
              {lone && sum > 0 && <em>{percent(totals[i] / sum, lang)}</em>}
            </button>
            <span className={stacked || lone ? styles.track : styles.tracks}>
              {chart.series.map((s) => (
                <i
                  key={s.name}
                  title={`${s.name}: ${valueText(s.values[i], s.column, lang)}`}
                  style={{
                    width: `${(100 * (s.values[i] ?? 0)) / whole}%`,
                    background: `var(${lone ? '--series-1' : s.color})`,
                  }}
                />
              ))}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function StandingBars({ chart, stacked, share, label, onPick }: Props) {
  const { lang } = usePrefs();
  const totals = totalsOf(chart);
  const pile = stacked || share;
  const top = Math.max(1e-9, ...(pile ? totals : chart.series.flatMap((s) => s.values.map((v) => v ?? 0))));
  return (
    <ul className={styles.columns} aria-label={label}>
      {chart.xs.map((x, i) => {
        const name = String(x);
        return (
          <li key={name}>
            <button
              type="button"
              className={styles.column}
              disabled={!onPick || name === other || !chart.x?.field}
              title={`${name}: ${valueText(totals[i], chart.series[0]?.column ?? null, lang)}`}
              onClick={() => onPick?.(chart.x?.field ?? '', name)}
            >
              <span className={pile ? styles.pile : styles.side}>
                {(pile ? [...chart.series].reverse() : chart.series).map((s) => (
                  <i
                    key={s.name}
                    style={{
                      height: `${(100 * (s.values[i] ?? 0)) / (share ? totals[i] || 1 : top)}%`,
                      background: `var(${chart.series.length === 1 ? '--series-1' : s.color})`,
                    }}
                  />
                ))}
              </span>
              <span className={styles.columnName}>{name}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
