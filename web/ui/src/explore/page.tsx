// Explore: a search bar, events over time, the fields, and the log itself; or the log as it comes, in live tail.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import * as api from '../api';
import { carry } from '../carry';
import { useKeys } from '../keys';
import type { QueryBarHandle } from '../kit/querybar';
import { levels } from '../levels';
import { prefs, remember, setPrefs, usePrefs } from '../prefs';
import { shifted } from '../time';
import type { Filter } from '../url';
import { Fields } from './fields';
import { LivePane } from './livepane';
import styles from './page.module.css';
import { ResultPane } from './resultpane';
import { useSearch } from './search';
import { useExploreState, withFilter } from './state';
import { TopBar } from './topbar';

/** How long the list of fields is taken as it is. */
const fieldsFresh = 10_000;

export function ExplorePage() {
  const { fields: showFields } = usePrefs();
  const [state, set] = useExploreState();
  const search = useSearch(state, !state.live);
  const bar = useRef<QueryBarHandle>(null);
  const time = useRef<{ open(): void }>(null);
  const fields = useQuery({
    queryKey: ['fields', state.index],
    queryFn: ({ signal }) => api.fields(state.index, signal),
    staleTime: fieldsFresh,
    refetchInterval: (q) => (q.state.data?.fields?.length ? false : fieldsFresh),
  });
  const known = fields.data?.fields ?? [];
  const [sample, setSample] = useState<{ rows: api.Row[]; serial: number }>({ rows: [], serial: 0 });
  const seen = state.live ? sample : search;

  // While nothing was stored yet the fields are asked for again and again: once there are some, so are events.
  const none = fields.isSuccess && known.length === 0;
  const wasNone = useRef(false);
  useEffect(() => {
    if (wasNone.current && !none && !state.live) search.run();
    wasNone.current = none;
  }, [none, state.live, search.run]);

  useEffect(() => carry(state), [state]);

  const addFilter = (f: Filter) => set({ f: withFilter(state.f, f) });
  const toggleColumn = (c: string) =>
    set({ cols: state.cols.includes(c) ? state.cols.filter((x) => x !== c) : [...state.cols, c] });
  const run = (q: string) => {
    remember(q);
    if (q === state.q) search.run();
    else set({ q, open: null });
  };
  const onlyLevel = (n: number) => {
    const level = levelName(search.histogram, levels[n], state.by);
    const rest = state.f.filter((f) => f.field !== 'log.level');
    const now = state.f.find((f) => f.field === 'log.level' && f.op === 'is' && f.value === level);
    set({ f: now ? rest : [...rest, { field: 'log.level', op: 'is', value: level }] });
  };

  useKeys({
    search: () => bar.current?.focus(),
    run: () => bar.current?.run(),
    live: () => set({ live: !state.live, open: null }),
    time: () => time.current?.open(),
    earlier: () => set({ ...shifted(state, -1, Date.now()), live: false }),
    later: () => set({ ...shifted(state, 1, Date.now()), live: false }),
    wrap: () => setPrefs({ wrap: !prefs().wrap }),
    fold: () => setPrefs({ fold: !prefs().fold }),
    level1: () => onlyLevel(0),
    level2: () => onlyLevel(1),
    level3: () => onlyLevel(2),
    level4: () => onlyLevel(3),
    level5: () => onlyLevel(4),
    level6: () => onlyLevel(5),
  });

  return (
    <div className={styles.page}>
      <TopBar state={state} set={set} search={search} fields={known} onRun={run} bar={bar} time={time} />
      <div className={styles.body}>
        {showFields && (
          <Fields
            state={state}
            fields={known}
            rows={seen.rows}
            serial={seen.serial}
            onColumn={toggleColumn}
            onFilter={addFilter}
          />
        )}
        {state.live ? (
          <LivePane
            state={state}
            onFilter={addFilter}
            onColumn={toggleColumn}
            onSample={(rows) => setSample((s) => ({ rows, serial: s.serial - 1 }))}
          />
        ) : (
          <ResultPane
            state={state}
            set={set}
            search={search}
            empty={none}
            onFilter={addFilter}
            onColumn={toggleColumn}
          />
        )}
      </div>
    </div>
  );
}

/** The level as the documents write it: WARNING stays WARNING. */
export function levelName(h: api.Histogram | null, level: string, by: string): string {
  if (h && by === 'log.level') {
    for (const b of h.buckets) {
      for (const k of Object.keys(b.by ?? {})) if (k.toLowerCase() === level) return k;
    }
  }
  return level.toUpperCase();
}
