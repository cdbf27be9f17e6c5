import { type ReactNode, useState } from 'react';
import { duration, rate, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { usePrefs } from '../prefs';
import { clock } from '../time';
import { type Sample, type Span, samplesOf, spans, useHistory } from './history';
import styles from './page.module.css';
import { words } from './words';

const width = 300;
const height = 56;

/** The path of a line over time, and of the area below it; a gap where nothing is known is bridged. */
export function pathOf(
  samples: Sample[],
  value: (s: Sample) => number | null,
  top: number,
): { line: string; area: string } {
  const points = samples.flatMap((s) => {
    const v = value(s);
    return v === null ? [] : [{ t: s.t, v }];
  });
  if (points.length < 2) return { line: '', area: '' };
  const first = points[0].t;
  const span = points[points.length - 1].t - first;
  const x = (t: number) => Math.round(((t - first) / span) * width * 10) / 10;
  const y = (v: number) => Math.round((height - (v / top) * (height - 4)) * 10) / 10;
  const line = points.map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.t)} ${y(p.v)}`).join('');
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}

/** How the flow went: kept by the server. */
export function Sparklines() {
  const t = useT();
  const { lang } = usePrefs();
  const w = useWords(words);
  const [span, setSpan] = useState<Span>('1h');
  const q = useHistory(span);
  const samples = q.data ? samplesOf(q.data) : [];
  const perSecond = (v: number) => t.flow.rate(rate(v, lang));
  return (
    <section aria-label={w.history}>
      <header className={styles.spans}>
        <h2>{w.history}</h2>
        {spans.map((v) => (
          <button key={v} type="button" aria-pressed={v === span} onClick={() => setSpan(v)}>
            {v}
          </button>
        ))}
      </header>
      <div className={styles.sparks}>
        <Spark
          title={t.flow.shipped}
          samples={samples}
          value={(s) => s.shipped}
          show={perSecond}
          color="--info"
          least={1}
        />
        <Spark
          title={t.flow.stored}
          samples={samples}
          value={(s) => s.stored}
          show={perSecond}
          color="--ok"
          least={1}
        />
        <Spark
          title={t.flow.waiting}
          samples={samples}
          value={(s) => s.lag}
          show={(v) => (v === 0 ? t.flow.noLag : duration(v, lang))}
          color="--warn"
          least={1000}
        />
      </div>
    </section>
  );
}

interface Props {
  title: string;
  samples: Sample[];
  value(s: Sample): number | null;
  show(v: number): ReactNode;
  color: string;
  /** The scale never shrinks below this, so that noise does not look like a storm. */
  least: number;
}

export function Spark({ title, samples, value, show, color, least }: Props) {
  const known = samples.map(value).filter((v) => v !== null);
  const now = known[known.length - 1];
  if (now === undefined) return null;
  const most = Math.max(...known);
  const { line, area } = pathOf(samples, value, Math.max(least, most));
  return (
    <section className={styles.spark} aria-label={title}>
      <header>
        <span>{title}</span>
        <b>{show(now)}</b>
      </header>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        style={{ color: `var(${color})` }}
      >
        <path d={area} fill="currentColor" opacity={0.12} />
        <path d={line} fill="none" stroke="currentColor" strokeWidth={1.5} vectorEffect="non-scaling-stroke" />
      </svg>
      <footer>
        <span>{clock(samples[0].t).slice(0, 8)}</span>
        <span>max {show(most)}</span>
      </footer>
    </section>
  );
}
