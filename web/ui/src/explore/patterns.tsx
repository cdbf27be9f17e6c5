// Patterns: what the messages of a search have in common, grouped by the server.

import { useQuery } from '@tanstack/react-query';
import * as api from '../api';
import { number, percent } from '../i18n';
import { useWords } from '../i18n/words';
import { IconButton } from '../kit/button';
import { usePrefs } from '../prefs';
import { clock, stamp } from '../time';
import type { ExploreState, Filter } from '../url';
import styles from './patterns.module.css';
import { patternWords } from './patternwords';

interface Pattern {
  template: string;
  count: number;
  share: number;
  first_ms: number;
  last_ms: number;
  slots: number[];
  levels: Record<string, number>;
  example: string;
  dsl: unknown;
}

interface Answer {
  patterns: Pattern[];
  seen: number;
  rest: number;
  all: boolean;
  partial: boolean;
  from_ms: number;
  to_ms: number;
  took_ms: number;
}

interface Props {
  state: ExploreState;
  /** Changes when the search is run again. */
  serial: number;
  onFilter(f: Filter): void;
}

export default function Patterns({ state, serial, onFilter }: Props) {
  const w = useWords(patternWords);
  const { lang } = usePrefs();
  const { q, lang: language, index, from, to, f } = state;
  const answer = useQuery({
    queryKey: ['patterns', q, language, index, from, to, JSON.stringify(f), serial],
    queryFn: async ({ signal }) => {
      const body = { index, query: q, lang: language, from, to, tz: api.timeZone, filters: f };
      return (await (await api.post('weir/patterns', body, signal)).json()) as Answer;
    },
    placeholderData: (before) => before,
    retry: false,
  });
  const a = answer.data;
  // Only the newest were looked at: what lies before them is not empty, but unknown.
  const start =
    a && !a.all ? Math.min(...a.patterns.map((p) => p.slots.findIndex((n) => n > 0)).filter((i) => i >= 0)) : 0;
  const slotsOf = (p: Pattern) => p.slots.slice(Number.isFinite(start) ? start : 0);
  const day = a !== undefined && a.to_ms - a.from_ms > 20 * 3_600_000;
  const when = (ms: number) => (day ? stamp(ms) : clock(ms).slice(0, 8));
  const filter = (p: Pattern, not: boolean) =>
    onFilter({
      field: `≈ ${p.template.slice(0, 80)}`,
      op: 'dsl',
      value: not ? { bool: { must_not: [p.dsl] } } : p.dsl,
    });
  if (answer.error) {
    return (
      <p className={styles.note} role="alert">
        {answer.error.message}
      </p>
    );
  }
  if (!a) return <p className={styles.note}>{w.reading}</p>;
  return (
    <div className={styles.pane} data-stale={answer.isPlaceholderData || undefined}>
      <p className={styles.note}>
        {w.head(number(a.patterns.length, lang), number(a.seen, lang))}
        {!a.all && ` · ${w.newest}`}
        {a.rest > 0 && ` · ${w.rest(number(a.rest, lang))}`}
      </p>
      <table className={styles.table} aria-label={w.title}>
        <thead>
          <tr>
            <th scope="col">{w.count}</th>
            <th scope="col">{w.share}</th>
            <th scope="col">{w.trend}</th>
            <th scope="col">{w.pattern}</th>
            <th scope="col">{w.first}</th>
            <th scope="col">{w.last}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {a.patterns.slice(0, 500).map((p) => (
            <tr key={`${p.template} ${p.first_ms}`}>
              <td className={styles.count}>{number(p.count, lang)}</td>
              <td className={styles.share}>
                <i style={{ width: `${Math.max(2, p.share * 100)}%` }} />
                {percent(p.share, lang)}
              </td>
              <td>
                <Trend slots={slotsOf(p)} level={mostOf(p.levels)} />
              </td>
              <td className={styles.template}>
                <button
                  type="button"
                  disabled={!p.dsl}
                  title={p.example.slice(0, 600)}
                  onClick={() => filter(p, false)}
                >
                  <i className={styles.level} data-level={mostOf(p.levels).toLowerCase()}>
                    {mostOf(p.levels)}
                  </i>
                  <Template text={p.template} />
                  {fresh(p, a) && <b>{w.fresh}</b>}
                </button>
              </td>
              <td className={styles.time}>{when(p.first_ms)}</td>
              <td className={styles.time}>{when(p.last_ms)}</td>
              <td>
                {p.dsl ? (
                  <IconButton
                    icon="minusCircle"
                    size={14}
                    label={`${w.hide}: ${p.template.slice(0, 60)}`}
                    onClick={() => filter(p, true)}
                  />
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** First seen in the last tenth of the range. */
function fresh(p: Pattern, a: Answer): boolean {
  return a.all && p.first_ms > a.to_ms - (a.to_ms - a.from_ms) / 10;
}

function mostOf(levels: Record<string, number>): string {
  return Object.entries(levels).sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

/** The template with its wildcards set back. */
function Template({ text }: { text: string }) {
  return (
    <span>
      {text
        .slice(0, 1000)
        .split(/(<\*>)/)
        .map((part, i) => (part === '<*>' ? <em key={i}>∗</em> : part))}
    </span>
  );
}

function Trend({ slots, level }: { slots: number[]; level: string }) {
  const most = Math.max(1, ...slots);
  return (
    <svg
      className={styles.trend}
      data-level={level.toLowerCase()}
      viewBox={`0 0 ${slots.length * 2} 20`}
      aria-hidden="true"
      preserveAspectRatio="none"
    >
      {slots.map((n, i) =>
        n > 0 ? (
          <rect
            key={i}
            x={i * 2}
            width={1.5}
            y={20 - Math.max(2, (n / most) * 20)}
            height={Math.max(2, (n / most) * 20)}
          />
        ) : null,
      )}
    </svg>
  );
}
