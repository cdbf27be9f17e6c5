// The way of one event: the parts it passed, and what each filter does to its record when it is run again.

import { useQuery } from '@tanstack/react-query';
import * as api from '../api';
import { words } from '../explore/words';
import { bytes } from '../i18n';
import { useWords } from '../i18n/words';
import { stamp } from '../time';
import styles from './journey.module.css';

interface Change {
  field: string;
  old?: unknown;
  new?: unknown;
}

interface Step {
  plugin: string;
  id: string;
  place: string;
  micros: number;
  added?: Change[];
  changed?: Change[];
  removed?: Change[];
  tags?: string[];
  dropped?: boolean;
  skipped?: string;
}

interface Journey {
  stations: { name: string; time?: string; facts: Record<string, string> }[];
  why?: string;
  reason?: string;
  again?: {
    record: { topic: string; partition: number; offset: number; time: string; value: string };
    runs: {
      pipeline: string;
      error?: string;
      traced?: {
        steps?: Step[] | null;
        outputs?: { plugin: string; index?: string }[] | null;
        rule?: string;
        failure?: string;
      }[];
    }[];
  };
}

export default function JourneyTab({ index, id }: { index: string; id: string }) {
  const w = useWords(words);
  const q = useQuery({
    queryKey: ['journey', index, id],
    queryFn: ({ signal }) => api.get<Journey>('weir/journey', { index, id }, signal),
    staleTime: 60_000,
    retry: false,
  });
  if (q.error) return <p className={styles.note}>{q.error.message}</p>;
  if (!q.data) return <p className={styles.note}>{w.loading}</p>;
  const { stations, again, why, reason } = q.data;
  return (
    <div className={styles.journey}>
      <ol className={styles.stations} aria-label={w.stationHelp}>
        {stations.map((s) => (
          <li key={s.name}>
            <b>{w.stations[s.name] ?? s.name}</b>
            {s.time && <time>{Number.isNaN(Date.parse(s.time)) ? s.time : stamp(Date.parse(s.time))}</time>}
            <dl>
              {Object.entries(s.facts).map(([k, v]) => (
                <div key={k}>
                  <dt>{k}</dt>
                  <dd title={v}>{v}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ol>
      {why && (
        <p className={styles.note}>
          {w.why[why] ?? why}
          {reason && `: ${reason}`}
        </p>
      )}
      {again && (
        <>
          <h3>
            {w.record}{' '}
            <small>
              {again.record.topic}-{again.record.partition}@{again.record.offset} · {bytes(again.record.value.length)}
            </small>
          </h3>
          <pre className={styles.raw}>{again.record.value.slice(0, 4000)}</pre>
          <h3>{w.rerun}</h3>
          <p className={styles.help}>{w.rerunHelp}</p>
          {again.runs.map((r) => (
            <section key={r.pipeline}>
              <h4>{r.pipeline}</h4>
              {r.error && <p className={styles.note}>{r.error}</p>}
              {(r.traced ?? []).map((t, i) => (
                <div key={i}>
                  {(t.steps ?? []).map((s, j) => (
                    <StepRow key={j} s={s} />
                  ))}
                  {(t.outputs ?? []).length > 0 && (
                    <p className={styles.help}>
                      {w.outputs}:{' '}
                      {(t.outputs ?? []).map((o) => `${o.plugin}${o.index ? ` → ${o.index}` : ''}`).join(', ')}
                    </p>
                  )}
                  {(t.rule || t.failure) && <p className={styles.note}>{t.rule || t.failure}</p>}
                </div>
              ))}
            </section>
          ))}
        </>
      )}
    </div>
  );
}

function value(v: unknown): string {
  const s = typeof v === 'string' ? v : JSON.stringify(v);
  return s === undefined ? '' : s.length > 300 ? `${s.slice(0, 300)}…` : s;
}

function StepRow({ s }: { s: Step }) {
  const w = useWords(words);
  const some = (s.added?.length ?? 0) + (s.changed?.length ?? 0) + (s.removed?.length ?? 0) + (s.tags?.length ?? 0);
  return (
    <div className={styles.step}>
      <header>
        <b>{s.plugin}</b>
        <span>{s.place}</span>
        <span>{Math.round(s.micros)} µs</span>
        {s.dropped && <em>{w.droppedHere}</em>}
        {s.skipped && (
          <em>
            {w.skipped}: {s.skipped}
          </em>
        )}
        {some === 0 && !s.dropped && !s.skipped && <span>{w.nothing}</span>}
      </header>
      {(['added', 'changed', 'removed'] as const).map((kind) =>
        (s[kind] ?? []).map((c) => (
          <div key={kind + c.field} className={styles.change} data-kind={kind}>
            <i role="img" aria-label={w[kind]}>
              {kind === 'added' ? '+' : kind === 'removed' ? '−' : '~'}
            </i>
            <code>{c.field}</code>
            {c.old !== undefined && <del>{value(c.old)}</del>}
            {c.new !== undefined && <span>{value(c.new)}</span>}
          </div>
        )),
      )}
      {(s.tags ?? []).map((tag) => (
        <div key={tag} className={styles.change} data-kind="added">
          <i aria-hidden="true">+</i>
          <code>tags</code>
          <span>{tag}</span>
        </div>
      ))}
    </div>
  );
}
