// One search at a time: frames come in as the server sends them, the result before stays until the new rows are there, and a
// request that fails for a passing reason is sent again after 1, 2, 4 ... 30 seconds.

import { useCallback, useEffect, useReducer, useRef } from 'react';
import * as api from '../api';
import type { ExploreState } from '../url';

export interface Result {
  phase: 'loading' | 'done' | 'failed';
  rows: api.Row[];
  /** Grows with each set of rows that replaces another. */
  serial: number;
  /** The request the rows answer, as text: the same after a refresh. */
  asked: string;
  cursor: string | null;
  histogram: api.Histogram | null;
  parsed: api.Parsed | null;
  done: api.Done | null;
  error: api.ApiError | null;
  /** Rows, histogram and totals belong to the search before. */
  stale: boolean;
  more: boolean;
  /** A person stopped it: what is there is a part. */
  stopped: boolean;
  /** When the next try begins, in ms since 1970; 0 when none is planned. */
  retryAt: number;
}

const empty: Result = {
  phase: 'loading',
  rows: [],
  serial: 0,
  asked: '',
  cursor: null,
  histogram: null,
  parsed: null,
  done: null,
  error: null,
  stale: false,
  more: false,
  stopped: false,
  retryAt: 0,
};

type Event =
  | { type: 'start' }
  | { type: 'frame'; frame: api.Frame; asked: string }
  | { type: 'fail'; error: api.ApiError; retryAt: number }
  | { type: 'stop'; by?: 'person' }
  | { type: 'more' }
  | { type: 'moreRows'; rows: api.Row[]; cursor: string | null }
  | { type: 'moreEnd' };

function reduce(r: Result, e: Event): Result {
  switch (e.type) {
    case 'start':
      return {
        ...r,
        phase: 'loading',
        stale: r.rows.length > 0 || r.done !== null,
        error: null,
        retryAt: 0,
        more: false,
        stopped: false,
      };
    case 'frame':
      return onFrame(r, e.frame, e.asked);
    case 'fail':
      return { ...r, phase: 'failed', error: e.error, retryAt: e.retryAt };
    case 'stop':
      return { ...r, phase: 'done', retryAt: 0, stopped: e.by === 'person' && r.phase === 'loading' };
    case 'more':
      return { ...r, more: true };
    case 'moreRows':
      return { ...r, rows: [...r.rows, ...e.rows], cursor: e.cursor };
    case 'moreEnd':
      return { ...r, more: false };
  }
}

function onFrame(r: Result, f: api.Frame, asked: string): Result {
  if ('parsed' in f)
    return { ...r, parsed: { ...f.parsed, tokens: f.parsed.tokens ?? [], hints: f.parsed.hints ?? [] } };
  if ('hits' in f) {
    return {
      ...r,
      rows: f.hits.rows ?? [],
      cursor: f.hits.cursor,
      serial: r.serial + 1,
      asked,
      stale: false,
      done: null,
    };
  }
  if ('histogram' in f) return { ...r, histogram: { ...f.histogram, buckets: f.histogram.buckets ?? [] } };
  if ('done' in f)
    return r.parsed?.error ? { ...r, phase: 'done' } : { ...r, phase: 'done', done: f.done, stale: false };
  return { ...r, phase: 'failed', error: new api.ApiError(f.error.status, f.error.type, f.error.reason) };
}

export const pageSize = 200;
const maxRetry = 30_000;

export function requestOf(s: ExploreState): api.ExploreRequest {
  return {
    index: s.index,
    query: s.q,
    lang: s.lang,
    filters: s.f.filter((f) => !f.disabled),
    from: s.from,
    to: s.to,
    tz: api.timeZone,
    breakdown: s.by,
    size: pageSize,
    ...(s.view === 'table' && s.sort !== '' && { sort: s.sort }),
  };
}

export interface Search extends Result {
  /** Ask again for the same. */
  run(): void;
  cancel(): void;
  loadMore(): void;
}

/** active: false keeps the result as it is and asks nothing (while live tail is shown). */
export function useSearch(s: ExploreState, active: boolean): Search {
  const [result, dispatch] = useReducer(reduce, empty);
  const abort = useRef<AbortController | null>(null);
  const timer = useRef(0);
  const asked = requestOf(s);
  const key = JSON.stringify(asked);
  const request = useRef(asked);
  request.current = asked;
  const state = useRef(result);
  state.current = result;

  const run = useCallback((failures = 0) => {
    abort.current?.abort();
    clearTimeout(timer.current);
    const own = new AbortController();
    abort.current = own;
    dispatch({ type: 'start' });
    follow(request.current, own.signal, dispatch).catch((e) => {
      if (own.signal.aborted) return;
      const error = e instanceof api.ApiError ? e : new api.ApiError(0, 'unreachable', (e as Error).message);
      const wait = Math.min(maxRetry, 1000 * 2 ** failures);
      dispatch({ type: 'fail', error, retryAt: error.passing ? Date.now() + wait : 0 });
      if (error.passing) timer.current = window.setTimeout(() => run(failures + 1), wait);
    });
  }, []);

  const cancel = useCallback(() => {
    abort.current?.abort();
    clearTimeout(timer.current);
    dispatch({ type: 'stop', by: 'person' });
  }, []);

  const loadMore = useCallback(() => {
    const now = state.current;
    const own = abort.current;
    if (!now.cursor || now.more || now.stale || now.phase === 'loading' || !own) return;
    dispatch({ type: 'more' });
    more({ ...request.current, cursor: now.cursor }, own.signal, dispatch)
      .catch(() => undefined) // the next scroll to the end asks again
      .finally(() => !own.signal.aborted && dispatch({ type: 'moreEnd' }));
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the request
  useEffect(() => {
    if (!active) return;
    run();
    return () => {
      abort.current?.abort();
      clearTimeout(timer.current);
    };
  }, [key, active, run]);

  const again = useCallback(() => run(), [run]);
  return { ...result, run: again, cancel, loadMore };
}

async function follow(req: api.ExploreRequest, signal: AbortSignal, dispatch: (e: Event) => void) {
  const asked = JSON.stringify(req);
  for await (const frame of api.explore(req, signal)) {
    if (signal.aborted) return;
    if ('error' in frame) throw new api.ApiError(frame.error.status, frame.error.type, frame.error.reason);
    dispatch({ type: 'frame', frame, asked });
  }
  if (!signal.aborted) dispatch({ type: 'stop' });
}

async function more(req: api.ExploreRequest, signal: AbortSignal, dispatch: (e: Event) => void) {
  for await (const f of api.explore(req, signal)) {
    if (signal.aborted) return;
    if ('hits' in f) dispatch({ type: 'moreRows', rows: f.hits.rows ?? [], cursor: f.hits.cursor });
  }
}
