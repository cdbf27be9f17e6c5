// Live tail: the newest row at the bottom. Scrolling up, selecting text or opening a row pauses; the viewport then never moves.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import * as api from '../api';
import { EventDetail, type Tab } from '../event/detail';
import { duration, rate, useT } from '../i18n';
import { useKeys } from '../keys';
import { Button, Tip } from '../kit/button';
import { writeClipboard } from '../kit/copy';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import { highlighter } from '../text';
import type { ExploreState, Filter } from '../url';
import { compose } from './compose';
import { hasLevel, hasMatch, type ListHandle, LogList, lineOf, openKey, seek } from './list';
import { type LiveRow, LiveTail, type LiveView } from './live';
import styles from './page.module.css';
import { eventLink, useCountdown } from './resultpane';
import type { RowAction } from './row';

/** A row flashes when it came less than this many milliseconds ago. */
const flash = 400;
/** Above this rate rows do not flash. */
const flashRate = 50;
/** Pixels from the end that still count as the end. */
const nearEnd = 24;

interface Props {
  state: ExploreState;
  onFilter(f: Filter): void;
  onColumn(field: string): void;
  /** The first rows that came: their fields are listed as seen. */
  onSample(rows: api.Row[]): void;
}

function useLive(state: ExploreState): [LiveTail, LiveView] {
  const query = compose(state.q, state.lang, state.f);
  const address = api.tailUrl({ index: state.index, query, lang: state.lang });
  const live = useMemo(() => new LiveTail({ url: address, refusal: () => api.tailRefusal(address) }), [address]);
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return [live, useSyncExternalStore(live.subscribe, live.snapshot)];
}

function useTokens(state: ExploreState): RegExp | null {
  const [hits, setHits] = useState<RegExp | null>(null);
  useEffect(() => {
    setHits(null);
    if (state.q.trim() === '' || state.lang !== 'kql') return;
    const abort = new AbortController();
    api
      .kql(state.q, state.q.length, state.index, abort.signal)
      .then((a) => setHits(highlighter(state.q, a.tokens ?? [])))
      .catch(() => undefined); // without tokens the rows come without marks
    return () => abort.abort();
  }, [state.q, state.lang, state.index]);
  return hits;
}

export function LivePane({ state, onFilter, onColumn, onSample }: Props) {
  const t = useT();
  const { lang } = usePrefs();
  const [live, view] = useLive(state);
  const hits = useTokens(state);
  const list = useRef<ListHandle>(null);
  const [focused, setFocused] = useState(-1);
  const [tab, setTab] = useState<Tab>('fields');
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set<string>());
  const { rows, paused } = view;
  const place = useRef(0);
  const some = rows.length > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the first rows are there
  useEffect(() => {
    if (some) onSample(rows.slice(-100));
  }, [some, live]);
  useFollow(list, live, view);

  const act = useCallback(
    (i: number, action: RowAction) => {
      const row = live.snapshot().rows[i];
      if (!row) return;
      setFocused(i);
      if (action === 'copy') void writeClipboard(lineOf(row));
      else if (action === 'link') void writeClipboard(eventLink(row));
      else {
        live.pause();
        if (action === 'context') setTab('context');
        setOpened((o) => (o.has(openKey(row)) && action === 'toggle' ? new Set() : new Set([openKey(row)])));
      }
    },
    [live],
  );
  const resume = () => {
    setOpened(new Set());
    setFocused(-1);
    live.resume();
    requestAnimationFrame(() => list.current?.toEnd());
  };
  const go = (i: number) => {
    if (i < 0 || i >= rows.length) return;
    live.pause();
    setFocused(i);
    list.current?.scrollTo(i);
  };
  const from = focused < 0 ? rows.length : focused;
  useKeys({
    pause: () => (paused ? resume() : live.pause()),
    down: () => go(from + 1),
    up: () => go(from - 1),
    open: () => (focused >= 0 ? act(focused, 'toggle') : false),
    shut: () => setOpened(new Set()),
    close: () => (opened.size > 0 ? setOpened(new Set()) : paused ? resume() : false),
    newest: resume,
    oldest: () => go(0),
    nextError: () => go(seek(rows, from, 1, hasLevel('error', 'fatal'))),
    prevError: () => go(seek(rows, from, -1, hasLevel('error', 'fatal'))),
    nextWarn: () => go(seek(rows, from, 1, hasLevel('warn'))),
    prevWarn: () => go(seek(rows, from, -1, hasLevel('warn'))),
    nextMatch: () => go(seek(rows, from, 1, hasMatch(hits))),
    prevMatch: () => go(seek(rows, from, -1, hasMatch(hits))),
    context: () => (focused >= 0 ? act(focused, 'context') : false),
    copyLine: () => (focused >= 0 ? act(focused, 'copy') : false),
    copyLink: () => (focused >= 0 ? act(focused, 'link') : false),
  });
  const now = Date.now();

  return (
    <main className={styles.pane}>
      <LiveBar view={view} onToggle={() => (paused ? resume() : live.pause())} onRetry={() => live.retry()} />
      {rows.length === 0 ? (
        <div className={styles.center} role="status">
          <h2>{view.ready ? t.live.waiting : view.status === 'refused' ? view.reason : t.live.connecting}</h2>
          {view.ready && <p>{t.live.waitingHelp}</p>}
        </div>
      ) : (
        <LogList<LiveRow>
          ref={list}
          rows={rows}
          keyOf={(r) => r.n}
          opened={opened}
          focused={focused}
          cols={state.cols}
          hits={hits}
          serial="live"
          following
          onColumn={onColumn}
          onAction={act}
          onScroll={(el) => {
            const end = el.scrollHeight - el.scrollTop - el.clientHeight <= nearEnd;
            // Only a person scrolls up: following moves down, and rows that came since the last scroll leave the end behind.
            const up = el.scrollTop < place.current;
            place.current = el.scrollTop;
            if (!end && up) live.pause();
            else if (end && opened.size === 0 && focused < 0) live.resume();
          }}
          rowExtra={(r) => ({
            fresh: r.came > 0 && view.rate < flashRate && now - r.came < flash,
            late: r.late > 0 ? t.live.late(duration(r.late, lang)) : undefined,
          })}
          gapBefore={(r) => (r.gap ? t.live.gap : undefined)}
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
              onClose={() => setOpened(new Set())}
            />
          )}
        />
      )}
      {paused && (
        <button type="button" className={styles.fresh} onClick={resume}>
          <Icon name="arrowDown" size={14} />
          {t.live.fresh(view.fresh)}
          <span>{t.live.paused}</span>
          <span>{t.live.skipped(view.skipped)}</span>
        </button>
      )}
      <Announce view={view} />
    </main>
  );
}

/** Stays at the end while following, unless text is selected in the log: then it pauses. */
function useFollow(list: { current: ListHandle | null }, live: LiveTail, view: LiveView) {
  const count = view.rows.length > 0 ? view.rows[view.rows.length - 1].n : -1;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new last row
  useLayoutEffect(() => {
    if (view.paused) return;
    const el = list.current?.element();
    const s = document.getSelection();
    if (s && !s.isCollapsed && el?.contains(s.anchorNode)) live.pause();
    else list.current?.toEnd();
  }, [count, view.paused]);
}

function LiveBar({ view, onToggle, onRetry }: { view: LiveView; onToggle(): void; onRetry(): void }) {
  const t = useT();
  const { lang } = usePrefs();
  const left = useCountdown(view.status === 'lost' ? view.retryAt : 0);
  const names = { open: t.live.live, refused: t.live.refused, connecting: t.live.connecting, lost: t.live.connecting };
  const state = view.paused ? t.live.paused : names[view.status];
  return (
    <div className={styles.liveBar}>
      <strong data-paused={view.paused || view.status !== 'open' || undefined}>{state}</strong>
      <span>{t.live.rate(rate(view.rate, lang))}</span>
      <span>{t.live.lines(view.rows.length)}</span>
      {view.polling && <span>{t.live.polling}</span>}
      {view.behind !== null && view.behind < 86_400_000 && <span>{t.live.behind(duration(view.behind, lang))}</span>}
      {view.skipped > 0 && (
        <Tip text={t.live.skippedHelp}>
          <span className={styles.lost}>{t.live.skipped(view.skipped)}</span>
        </Tip>
      )}
      {view.unseen > 0 && (
        <Tip text={t.live.unseenHelp}>
          <span className={styles.lost}>{t.live.unseen(view.unseen)}</span>
        </Tip>
      )}
      {view.status === 'lost' && (
        <span className={styles.lost} role="alert">
          {t.live.lost(left)}{' '}
          <button type="button" onClick={onRetry}>
            <u>{t.explore.retry}</u>
          </button>
        </span>
      )}
      {view.status === 'refused' && view.rows.length > 0 && (
        <span className={styles.lost} role="alert">
          {view.reason}
        </span>
      )}
      <span className={styles.grow} />
      <Button kind="quiet" icon={view.paused ? 'play' : 'pause'} onClick={onToggle}>
        {view.paused ? t.live.resume : t.live.pause}
      </Button>
    </div>
  );
}

/** Tells counts to screen readers, at most every five seconds. */
function Announce({ view }: { view: LiveView }) {
  const t = useT();
  const latest = useRef(view);
  latest.current = view;
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setInterval(() => {
      const v = latest.current;
      setText(v.paused ? `${t.live.paused}, ${t.live.fresh(v.fresh)}` : t.live.lines(v.rows.length));
    }, 5000);
    return () => clearInterval(timer);
  }, [t]);
  return (
    <p className="sr" aria-live="polite">
      {text}
    </p>
  );
}
