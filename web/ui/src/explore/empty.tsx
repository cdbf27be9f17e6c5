// Nothing to show, and why: no index yet, nothing in this range, or a search and filters that match nothing.

import { useQuery } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import * as api from '../api';
import { ago, useT } from '../i18n';
import { Button } from '../kit/button';
import { usePrefs } from '../prefs';
import { stamp } from '../time';
import type { ExploreState } from '../url';
import { filterLabel } from './filters';
import styles from './page.module.css';
import { requestOf } from './search';
import type { SetState } from './state';

/** Milliseconds shown around the last event that matches. */
const around = 7 * 60_000;
const beginning = '1970-01-01T00:00:00.000Z';

/** The newest row of a search; the rest of the answer is not waited for. */
async function newestOf(req: api.ExploreRequest, signal: AbortSignal): Promise<api.Row | null> {
  for await (const f of api.explore({ ...req, size: 1 }, signal)) {
    if ('hits' in f) return f.hits.rows?.[0] ?? null;
    if ('error' in f) throw new api.ApiError(f.error.status, f.error.type, f.error.reason);
  }
  return null;
}

export function Empty({ state, set, none }: { state: ExploreState; set: SetState; none: boolean }) {
  const t = useT();
  const { lang } = usePrefs();
  const [, navigate] = useLocation();
  const req = requestOf(state);
  const narrowed = state.q.trim() !== '' || req.filters.length > 0;
  const key = JSON.stringify(req);
  const elsewhere = useQuery({
    queryKey: ['probe-all-time', key],
    queryFn: ({ signal }) => newestOf({ ...req, from: beginning, to: 'now' }, signal),
    enabled: !none,
    retry: false,
  });
  const here = useQuery({
    queryKey: ['probe-range', key],
    queryFn: ({ signal }) => newestOf({ ...req, query: '', filters: [] }, signal),
    enabled: !none && narrowed,
    retry: false,
  });
  if (none) {
    return (
      <Message title={t.empty.noIndex(state.index)} text={t.empty.noIndexHelp}>
        <Button kind="accent" icon="bolt" onClick={() => navigate('/start')}>
          {t.empty.start}
        </Button>
      </Message>
    );
  }
  const last = elsewhere.data;
  const blamed = narrowed && Boolean(here.data);
  const jump = () =>
    last && set({ from: new Date(last.t - around).toISOString(), to: new Date(last.t + around).toISOString() });
  return (
    <Message
      title={blamed ? t.empty.query : t.empty.range}
      text={
        last ? `${t.empty.last(ago(last.t, Date.now(), lang))} (${stamp(last.t)})` : blamed ? t.empty.queryHelp : ''
      }
    >
      {last && (
        <Button kind="accent" onClick={jump}>
          {t.empty.jump}
        </Button>
      )}
      {blamed &&
        state.f
          .filter((f) => !f.disabled)
          .map((f) => (
            <Button key={filterLabel(f, t)} onClick={() => set({ f: state.f.filter((o) => o !== f) })}>
              {t.empty.dropFilter(filterLabel(f, t))}
            </Button>
          ))}
      {blamed && state.q.trim() !== '' && <Button onClick={() => set({ q: '' })}>{t.empty.dropQuery}</Button>}
    </Message>
  );
}

function Message({ title, text, children }: { title: string; text: string; children?: React.ReactNode }) {
  return (
    <div className={styles.center} role="status">
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      <div className={styles.choices}>{children}</div>
    </div>
  );
}
