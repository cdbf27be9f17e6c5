// The pictures of a dashboard's panels: asked for in one request, drawn as each comes. What is there stays, dimmed, until the new one is.

import { useCallback, useEffect, useReducer, useRef } from 'react';
import * as api from '../api';
import * as dash from './api';

export interface Picture {
  result: dash.PanelResult | null;
  /** The request the result answers. */
  key: string;
  loading: boolean;
}

export interface Scope {
  query: string;
  lang: string;
  filters: dash.PanelsRequest['filters'];
  from: string;
  to: string;
}

interface State {
  pictures: Record<string, Picture>;
  parsed: api.Parsed | null;
  failed: api.ApiError | null;
  took: number;
}

type Event =
  | { type: 'start'; ids: string[] }
  | { type: 'panel'; result: dash.PanelResult; key: string }
  | { type: 'parsed'; parsed: api.Parsed }
  | { type: 'end'; ids: string[]; took: number; failed: api.ApiError | null };

function reduce(s: State, e: Event): State {
  const pictures = { ...s.pictures };
  switch (e.type) {
    case 'start':
      for (const id of e.ids) pictures[id] = { ...(pictures[id] ?? { result: null, key: '' }), loading: true };
      return { ...s, pictures, failed: null };
    case 'panel':
      pictures[e.result.id] = { result: e.result, key: e.key, loading: false };
      return { ...s, pictures };
    case 'parsed':
      return { ...s, parsed: e.parsed };
    case 'end':
      for (const id of e.ids) if (pictures[id]?.loading) pictures[id] = { ...pictures[id], loading: false };
      return { ...s, pictures, took: e.took || s.took, failed: e.failed };
  }
}

/** What stands still needs no question. */
const silent = new Set(['markdown', 'image', 'links']);

export function usePanels(panels: dash.Panel[], scope: Scope, tick: number): State {
  const [state, dispatch] = useReducer(reduce, { pictures: {}, parsed: null, failed: null, took: 0 });
  const asked = useRef(new Map<string, string>());
  const scopeKey = JSON.stringify(scope);
  const defs = panels.filter((p) => !silent.has(p.type));
  const defsKey = JSON.stringify(defs.map((p) => [p.id, p.type, p.config]));
  const latest = useRef({ defs, scope });
  latest.current = { defs, scope };
  const lastTick = useRef(tick);
  const running = useRef(new Set<AbortController>());

  const ask = useCallback(async (list: dash.Panel[], own: Scope, keys: Map<string, string>) => {
    const abort = new AbortController();
    running.current.add(abort);
    const ids = list.map((p) => p.id);
    dispatch({ type: 'start', ids });
    let took = 0;
    let failed: api.ApiError | null = null;
    try {
      const req: dash.PanelsRequest = {
        index: '',
        query: own.query,
        lang: own.lang,
        filters: own.filters.filter((f) => !f.disabled),
        from: own.from,
        to: own.to,
        tz: api.timeZone,
        panels: list.map((p) => ({ id: p.id, type: p.type, config: p.config })),
      };
      for await (const f of dash.panels(req, abort.signal)) {
        if (abort.signal.aborted) return;
        if ('parsed' in f) dispatch({ type: 'parsed', parsed: f.parsed });
        else if ('panel' in f) {
          const key = keys.get(f.panel.id) ?? '';
          // An answer to a question that was replaced meanwhile is nobody's.
          if (asked.current.get(f.panel.id) === key) dispatch({ type: 'panel', result: f.panel, key });
        } else took = f.done.took_ms;
      }
    } catch (e) {
      if (abort.signal.aborted) return;
      failed = e instanceof api.ApiError ? e : new api.ApiError(0, 'unreachable', (e as Error).message);
    } finally {
      running.current.delete(abort);
    }
    dispatch({ type: 'end', ids, took, failed });
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys stand for panels and scope
  useEffect(() => {
    const all = lastTick.current !== tick;
    lastTick.current = tick;
    const now = latest.current;
    const due = new Map<string, dash.Panel[]>();
    const keys = new Map<string, string>();
    for (const p of now.defs) {
      const range = p.config.time_range as { from: string; to: string } | undefined;
      const own: Scope = range?.from ? { ...now.scope, from: range.from, to: range.to ?? 'now' } : now.scope;
      const key = JSON.stringify([own, p.type, p.config, tick]);
      if (!all && asked.current.get(p.id) === key) continue;
      asked.current.set(p.id, key);
      keys.set(p.id, key);
      const group = JSON.stringify(own);
      due.set(group, [...(due.get(group) ?? []), p]);
    }
    for (const [group, list] of due) void ask(list, JSON.parse(group) as Scope, keys);
  }, [scopeKey, defsKey, tick, ask]);

  useEffect(
    () => () => {
      for (const a of running.current) a.abort();
      asked.current.clear();
    },
    [],
  );
  return state;
}
