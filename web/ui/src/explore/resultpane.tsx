// The result of a search: how many, when, and the rows, newest first.

import { lazy, Suspense, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Histogram as Data, Row } from '../api';
import { url } from '../api';
import { EventDetail, type Tab } from '../event/detail';
import { ago, number, useT } from '../i18n';
import { useKeys } from '../keys';
import { Button } from '../kit/button';
import { writeClipboard } from '../kit/copy';
import { usePrefs } from '../prefs';
import { highlighter } from '../text';
import { bounds } from '../time';
import type { ExploreState, Filter, View } from '../url';
import { Empty } from './empty';
import { hasLevel, hasMatch, type ListHandle, LogList, lineOf, openKey, seek } from './list';
import { levelName } from './page';
import styles from './page.module.css';
import type { RowAction } from './row';
import type { Search } from './search';
import { seriesOf } from './series';
import type { SetState } from './state';

/** Drawn by a library of its own, loaded beside the first search. */
const Histogram = lazy(() => import('./histogram'));
const TableView = lazy(() => import('./tableview'));
const Patterns = lazy(() => import('./patterns'));

/** The ways a result is shown, in the order of their tabs. */
const tabs: View[] = ['logs', 'table', 'patterns'];

interface Props {
  state: ExploreState;
  set: SetState;
  search: Search;
  /** No field is known: nothing was stored yet. */
  empty: boolean;
  onFilter(f: Filter): void;
  onColumn(field: string): void;
}

export function eventLink(row: { index: string; id: string }): string {
  return url(`e?index=${encodeURIComponent(row.index)}&id=${encodeURIComponent(row.id)}`);
}

export function ResultPane({ state, set, search, empty, onFilter, onColumn }: Props) {
  const t = useT();
  const { rows, histogram, serial } = search;
  const range = useRange(state, search);
  const hits = useMemo(
    () => (search.parsed ? highlighter(state.q, search.parsed.tokens) : null),
    [search.parsed, state.q],
  );
  const first = !search.done && serial === 0 && search.phase === 'loading';
  const nothing = search.phase === 'done' && search.done !== null && rows.length === 0 && !search.stale;
  return (
    <main className={styles.pane}>
      {search.phase === 'loading' && <div className={styles.progress} />}
      <Summary state={state} set={set} search={search} onFilter={onFilter} />
      {histogram && !(nothing && empty) && (
        <div className={styles.chart}>
          <Suspense fallback={<div className={styles.chartSpace} />}>
            <Histogram
              data={histogram}
              from={range.from}
              to={range.to}
              dim={search.stale}
              onRange={(a, b) => set({ from: new Date(a).toISOString(), to: new Date(b).toISOString() })}
            />
          </Suspense>
        </div>
      )}
      <Trouble search={search} />
      {search.parsed?.error && rows.length === 0 && search.phase !== 'loading' ? (
        <div className={styles.center}>
          <h2>{t.query.unreadable}</h2>
          <p>{t.query.unreadableHelp}</p>
        </div>
      ) : nothing ? (
        <Empty state={state} set={set} none={empty} />
      ) : first || (rows.length === 0 && search.phase !== 'failed') ? (
        <Skeleton shown={first} />
      ) : state.view === 'patterns' ? (
        <Suspense fallback={null}>
          <Patterns state={state} serial={serial} onFilter={onFilter} />
        </Suspense>
      ) : state.view === 'table' ? (
        <Suspense fallback={null}>
          <Table state={state} set={set} search={search} hits={hits} onFilter={onFilter} onColumn={onColumn} />
        </Suspense>
      ) : (
        <Rows
          key={serial === 0 ? 'none' : 'rows'}
          state={state}
          set={set}
          search={search}
          hits={hits}
          onFilter={onFilter}
          onColumn={onColumn}
        />
      )}
      <p className="sr" aria-live="polite">
        {search.done && search.phase === 'done' ? t.explore.announce(search.done.total) : ''}
      </p>
    </main>
  );
}

/** The range as the server read it, so that the axis and the bars agree; else as this browser reads it. */
function useRange(state: ExploreState, search: Search) {
  const p = search.parsed;
  return useMemo(() => {
    if (p?.from_ms && p.to_ms) return { from: p.from_ms, to: p.to_ms };
    return bounds(state, Date.now());
  }, [p, state]);
}

function Skeleton({ shown }: { shown: boolean }) {
  const widths = [62, 48, 71, 55, 66, 40, 74, 58, 50, 69, 44, 63];
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {shown && widths.map((w) => <i key={w} style={{ width: `${w}%` }} />)}
    </div>
  );
}

function Summary({ state, set, search, onFilter }: Pick<Props, 'state' | 'set' | 'search' | 'onFilter'>) {
  const t = useT();
  const { lang } = usePrefs();
  const { done, histogram } = search;
  const total = done?.total ?? histogram?.total;
  return (
    <div className={styles.summary}>
      <Tabs value={state.view} onChange={(view) => set({ view })} />
      {total !== undefined && <strong>{t.explore.hits(total)}</strong>}
      {done && <span>{t.explore.took(done.took_ms)}</span>}
      {done?.newest_ms ? (
        <span>{t.explore.newest(ago(Math.min(done.newest_ms, Date.now()), Date.now(), lang))}</span>
      ) : null}
      {search.stopped && <span className={styles.lost}>{t.explore.stopped}</span>}
      {done?.partial && <span className={styles.lost}>{t.explore.partial}</span>}
      <span className={styles.grow} />
      {histogram && histogram.total > 0 && <Legend data={histogram} by={state.by} onFilter={onFilter} />}
      <By value={state.by} rows={search.rows} onChange={(by) => set({ by })} />
    </div>
  );
}

function Tabs({ value, onChange }: { value: View; onChange(v: View): void }) {
  const t = useT();
  return (
    <div role="tablist" className={styles.views}>
      {tabs.map((v) => (
        <button key={v} type="button" role="tab" aria-selected={v === value} onClick={() => onChange(v)}>
          {t.explore.views[v]}
        </button>
      ))}
    </div>
  );
}

function Legend({ data, by, onFilter }: { data: Data; by: string; onFilter(f: Filter): void }) {
  const t = useT();
  const { lang } = usePrefs();
  const series = useMemo(() => seriesOf(data), [data]);
  return (
    <div className={styles.legend}>
      {series.map((s) => (
        <button
          key={s.name}
          type="button"
          className={styles.series}
          disabled={s.name === '…'}
          title={t.explore.levelOnly(s.name)}
          onClick={() => onFilter({ field: by, op: 'is', value: levelName(data, s.name, by) })}
        >
          <i style={{ background: `var(${s.color})` }} />
          {s.name}
          <span>{number(s.total, lang)}</span>
        </button>
      ))}
    </div>
  );
}

function By({ value, rows, onChange }: { value: string; rows: Row[]; onChange(v: string): void }) {
  const t = useT();
  const names = useMemo(() => {
    const seen = new Set(['log.level', 'service.name', 'host.name', value]);
    for (const r of rows.slice(0, 50)) {
      for (const [k, v] of Object.entries(r.fields ?? {})) if (typeof v === 'string' && v.length < 64) seen.add(k);
    }
    return [...seen].slice(0, 40);
  }, [rows, value]);
  return (
    <label>
      <span>{t.explore.by} </span>
      <select
        className={styles.bySelect}
        aria-label={t.explore.breakdown}
        value={value}
        onChange={(e) => onChange(e.target.value)}
      >
        {names.map((n) => (
          <option key={n} value={n}>
            {n}
          </option>
        ))}
      </select>
    </label>
  );
}

function Trouble({ search }: { search: Search }) {
  const t = useT();
  const left = useCountdown(search.retryAt);
  const { error, parsed } = search;
  if (error) {
    return (
      <div className={styles.banner} data-bad role="alert">
        <span>
          {error.status === 0 ? t.explore.unreachable : t.explore.failed}: {error.reason}
        </span>
        {search.retryAt > 0 && <span>{t.explore.retryIn(left)}</span>}
        <Button onClick={search.run}>{t.explore.retry}</Button>
      </div>
    );
  }
  if (parsed?.error && search.rows.length > 0) return <div className={styles.banner}>{t.explore.stale}</div>;
  return null;
}

/** Whole seconds until a moment. */
export function useCountdown(at: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (at === 0) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return Math.max(0, Math.ceil((at - now) / 1000));
}

interface RowsProps extends Omit<Props, 'empty'> {
  hits: RegExp | null;
}

function Rows({ state, set, search, hits, onFilter, onColumn }: RowsProps) {
  const t = useT();
  const { rows } = search;
  const list = useRef<ListHandle>(null);
  const [focused, setFocused] = useState(-1);
  const [tab, setTab] = useState<Tab>('fields');
  const opened = useMemo(() => new Set(state.open ? [`${state.open.index}/${state.open.id}`] : []), [state.open]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the focused row belongs to the rows before
  useEffect(() => setFocused(-1), [search.serial]);
  const onScroll = useKeepPlace(list, search, opened);

  const toggle = useCallback(
    (row: Row, open?: boolean) => {
      const is = opened.has(openKey(row));
      set({ open: (open ?? !is) ? { index: row.index, id: row.id } : null }, { replace: true });
    },
    [opened, set],
  );
  const act = useCallback(
    (i: number, action: RowAction) => {
      const row = rows[i];
      if (!row) return;
      setFocused(i);
      if (action === 'copy') void writeClipboard(lineOf(row));
      else if (action === 'link') void writeClipboard(eventLink(row));
      else if (action === 'context') {
        setTab('context');
        toggle(row, true);
      } else toggle(row);
    },
    [rows, toggle],
  );
  const go = (i: number) => {
    if (i < 0 || i >= rows.length) return;
    setFocused(i);
    list.current?.scrollTo(i);
  };
  useKeys({
    down: () => go(Math.min(rows.length - 1, focused + 1)),
    up: () => go(Math.max(0, focused - 1)),
    open: () => (focused >= 0 ? toggle(rows[focused], true) : false),
    shut: () => set({ open: null }, { replace: true }),
    close: () => (state.open ? set({ open: null }, { replace: true }) : false),
    newest: () => go(0),
    oldest: () => go(rows.length - 1),
    nextError: () => go(seek(rows, focused, 1, hasLevel('error', 'fatal'))),
    prevError: () => go(seek(rows, focused, -1, hasLevel('error', 'fatal'))),
    nextWarn: () => go(seek(rows, focused, 1, hasLevel('warn'))),
    prevWarn: () => go(seek(rows, focused, -1, hasLevel('warn'))),
    nextMatch: () => go(seek(rows, focused, 1, hasMatch(hits))),
    prevMatch: () => go(seek(rows, focused, -1, hasMatch(hits))),
    context: () => (focused >= 0 ? act(focused, 'context') : false),
    copyLine: () => (focused >= 0 ? act(focused, 'copy') : false),
    copyLink: () => (focused >= 0 ? act(focused, 'link') : false),
  });

  return (
    <LogList
      ref={list}
      rows={rows}
      keyOf={openKey}
      opened={opened}
      focused={focused}
      cols={state.cols}
      hits={hits}
      serial={search.serial}
      dim={search.stale}
      onAction={act}
      onEnd={search.loadMore}
      onScroll={onScroll}
      onColumn={onColumn}
      detail={(row) => (
        <EventDetail
          row={row}
          tab={tab}
          onTab={setTab}
          cols={state.cols}
          hits={hits}
          onFilter={onFilter}
          onColumn={onColumn}
          onOpen={(r) => window.open(eventLink(r), '_blank', 'noopener')}
          onClose={() => set({ open: null }, { replace: true })}
        />
      )}
      footer={
        <p className={styles.footer}>
          {search.more || search.phase === 'loading' ? t.explore.more : search.cursor ? '' : t.explore.end}
        </p>
      }
    />
  );
}

/** The rows as a table, with the opened event below. */
function Table({ state, set, search, hits, onFilter, onColumn }: RowsProps) {
  const [tab, setTab] = useState<Tab>('fields');
  const row = state.open;
  useKeys({ close: () => (row ? set({ open: null }, { replace: true }) : false) });
  return (
    <>
      <TableView
        rows={search.rows}
        cols={state.cols}
        sort={state.sort}
        opened={row ? `${row.index}/${row.id}` : ''}
        hits={hits}
        dim={search.stale}
        onSort={(sort) => set({ sort })}
        onColumn={onColumn}
        onOpen={(r) => set({ open: { index: r.index, id: r.id } }, { replace: true })}
        onEnd={search.loadMore}
      />
      {row && (
        <div className={styles.drawer}>
          <EventDetail
            key={row.id}
            row={row}
            tab={tab}
            onTab={setTab}
            cols={state.cols}
            hits={hits}
            onFilter={onFilter}
            onColumn={onColumn}
            onOpen={(r) => window.open(eventLink(r), '_blank', 'noopener')}
            onClose={() => set({ open: null }, { replace: true })}
          />
        </div>
      )}
    </>
  );
}

/**
 * Where the list stands when another set of rows comes: after a refresh at the row it stood at, for a new search at the opened
 * event (a link names one), else at the top.
 */
function useKeepPlace(list: { current: ListHandle | null }, search: Search, opened: Set<string>) {
  const { rows, serial, asked } = search;
  const before = useRef({ serial: 0, asked: '', top: '' });
  useLayoutEffect(() => {
    const was = before.current;
    if (was.serial === serial || rows.length === 0) return;
    before.current = { serial, asked, top: '' };
    const wanted = was.asked === asked ? new Set([was.top]) : opened;
    const i = rows.findIndex((r) => wanted.has(openKey(r)));
    list.current?.scrollTo(Math.max(0, i), was.asked !== asked && i > 0 ? 'center' : 'start');
  }, [list, rows, opened, serial, asked]);
  return useCallback(() => {
    const i = list.current?.top() ?? 0;
    // At the very top the list stays at the top: new rows come into view there.
    before.current.top = i > 0 && rows[i] ? openKey(rows[i]) : '';
  }, [list, rows]);
}
