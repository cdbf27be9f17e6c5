// All events of one trace: a line per service with a mark per event, and the log lines in their order.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import * as api from '../api';
import { words } from '../explore/words';
import { duration } from '../i18n';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { Message } from '../kit/message';
import { hue, levelOf } from '../levels';
import { usePrefs } from '../prefs';
import { clock } from '../time';
import type { Filter } from '../url';
import styles from './trace.module.css';

/** How far from the event its trace is looked for, in milliseconds. */
const around = 3_600_000;
const most = 1000;

interface Props {
  trace: string;
  field: string;
  at: number;
  id: string;
  index: string;
  onFilter?(f: Filter): void;
  onOpen?(row: api.Row): void;
}

async function rowsOf(
  trace: string,
  field: string,
  at: number,
  index: string,
  signal: AbortSignal,
): Promise<api.Row[]> {
  const req: api.ExploreRequest = {
    index,
    query: '',
    lang: 'kql',
    filters: [{ field, op: 'is', value: trace }],
    from: new Date(at - around).toISOString(),
    to: new Date(at + around).toISOString(),
    tz: api.timeZone,
    breakdown: '',
    size: most,
    sort: '@timestamp:asc',
  };
  for await (const f of api.explore(req, signal)) {
    if ('hits' in f) return f.hits.rows ?? [];
    if ('error' in f) throw new api.ApiError(f.error.status, f.error.type, f.error.reason);
  }
  return [];
}

/** A data stream's pattern finds the events in the backing indices beside this one too. */
function patternOf(index: string): string {
  const m = /^\.ds-([a-z]+)-/.exec(index);
  return m ? `${m[1]}-*` : index.replace(/[-.]\d{4}[-.]\d{2}[-.]\d{2}.*$/, '*');
}

export default function Trace(p: Props) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const index = patternOf(p.index);
  const q = useQuery({
    queryKey: ['trace', p.trace, index],
    queryFn: ({ signal }) => rowsOf(p.trace, p.field, p.at, index, signal),
    enabled: p.trace !== '' && Number.isFinite(p.at),
    staleTime: 30_000,
  });
  const rows = q.data ?? [];
  const services = useMemo(() => [...new Set(rows.map((r) => r.service))], [rows]);
  if (p.trace === '') return <p className={styles.note}>{w.noTrace}</p>;
  if (q.error) return <p className={styles.note}>{q.error.message}</p>;
  if (!q.data) return <p className={styles.note}>{w.loading}</p>;
  const from = rows[0]?.t ?? p.at;
  const span = Math.max(1, (rows[rows.length - 1]?.t ?? p.at) - from);
  const place = (t: number) => `${(100 * (t - from)) / span}%`;
  return (
    <div className={styles.trace}>
      <header>
        <span role="status">
          {w.traceOf(rows.length, services.length)} · {duration(span === 1 ? 0 : span, lang)}
          {rows.length === most && ` · ${w.traceMore(most)}`}
        </span>
        {p.onFilter && (
          <Button kind="quiet" icon="filter" onClick={() => p.onFilter?.({ field: p.field, op: 'is', value: p.trace })}>
            {w.traceOpen}
          </Button>
        )}
      </header>
      <ul className={styles.lanes}>
        {services.map((s) => {
          const own = rows.filter((r) => r.service === s);
          const color = `var(--series-${hue(s)})`;
          const last = own[own.length - 1].t;
          return (
            <li key={s}>
              <span>{s || '–'}</span>
              <div>
                <i
                  className={styles.span}
                  style={{ left: place(own[0].t), width: `${(100 * (last - own[0].t)) / span}%`, background: color }}
                />
                {own.map((r) => (
                  <button
                    key={r.index + r.id}
                    type="button"
                    title={`${clock(r.t)} ${r.message.slice(0, 200)}`}
                    aria-label={`${clock(r.t)} ${r.message.slice(0, 80)}`}
                    data-level={levelOf(r.level) ?? undefined}
                    data-here={r.id === p.id || undefined}
                    style={{ left: place(r.t), background: levelOf(r.level) === 'error' ? undefined : color }}
                    onClick={() => p.onOpen?.(r)}
                  />
                ))}
              </div>
            </li>
          );
        })}
      </ul>
      <ol className={styles.rows}>
        {rows.map((r) => (
          <li key={r.index + r.id} data-here={r.id === p.id || undefined}>
            <button type="button" onClick={() => p.onOpen?.(r)}>
              <span className={styles.at}>+{duration(r.t - from, lang)}</span>
              <span className={styles.level} data-level={levelOf(r.level) ?? undefined}>
                {levelOf(r.level) ?? r.level}
              </span>
              <span className={styles.service}>
                <i style={{ background: `var(--series-${hue(r.service)})` }} />
                {r.service}
              </span>
              <span className={styles.message}>
                <Message text={r.message} hits={null} flat />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
