// A dashboard's address: its time range, search and filters as in Explore, what its controls chose, and what is open.

import { useCallback, useMemo, useRef } from 'react';
import { useLocation } from 'wouter';
import { useRawSearch } from '../rawsearch';
import { type ExploreState, type Filter, format, parse } from '../url';
import type { Dashboard } from './api';

/** Chosen values of an options list, or the ends of a range. */
export type Choice = string[] | { gte?: string; lt?: string };

export interface DashState extends ExploreState {
  controls: Record<string, Choice>;
  edit: boolean;
  /** The panel shown alone. */
  full: string;
}

export function read(search: string, d: Dashboard | undefined): DashState {
  const p = new URLSearchParams(search);
  const s = parse(search);
  const fallback = d?.time_range ?? { from: 'now-1h', to: 'now' };
  const controls: Record<string, Choice> = {};
  for (const c of p.getAll('c')) {
    const at = c.indexOf(':');
    try {
      const v = JSON.parse(c.slice(at + 1));
      if (at > 0 && typeof v === 'object' && v !== null) controls[decodeURIComponent(c.slice(0, at))] = v;
    } catch {
      // a damaged choice is none
    }
  }
  const interval = d?.refresh_interval;
  return {
    ...s,
    from: p.has('from') ? s.from : fallback.from,
    to: p.has('to') || p.has('from') ? s.to : fallback.to,
    refresh: p.has('refresh') || !interval || interval.pause ? s.refresh : Math.max(1, interval.value / 1000),
    controls,
    edit: p.get('edit') === '1',
    full: p.get('full') ?? '',
  };
}

export function write(s: DashState): string {
  const p = new URLSearchParams(
    format({ ...s, index: 'logs-*', cols: [], by: 'log.level', view: 'logs', live: false, open: null }),
  );
  p.set('from', s.from);
  p.set('to', s.to);
  for (const [field, v] of Object.entries(s.controls)) {
    const some = Array.isArray(v) ? v.length > 0 : Boolean(v.gte || v.lt);
    if (some) p.append('c', `${encodeURIComponent(field)}:${JSON.stringify(v)}`);
  }
  if (s.edit) p.set('edit', '1');
  if (s.full) p.set('full', s.full);
  return p.toString();
}

export type SetDash = (patch: Partial<DashState>, opts?: { replace?: boolean }) => void;

export function useDashState(d: Dashboard | undefined): [DashState, SetDash] {
  const search = useRawSearch();
  const [at, navigate] = useLocation();
  const state = useMemo(() => read(search, d), [search, d]);
  const latest = useRef({ state, at });
  latest.current = { state, at };
  const set = useCallback<SetDash>(
    (patch, opts) => {
      latest.current.state = { ...latest.current.state, ...patch };
      navigate(`${latest.current.at}?${write(latest.current.state)}`, { replace: opts?.replace ?? false });
    },
    [navigate],
  );
  return [state, set];
}

/** What the controls chose, as filters. */
export function controlFilters(c: Record<string, Choice>): Filter[] {
  return Object.entries(c).flatMap(([field, v]): Filter[] => {
    if (Array.isArray(v)) return v.length > 0 ? [{ field, op: 'one_of', value: v }] : [];
    return v.gte || v.lt ? [{ field, op: 'range', value: v }] : [];
  });
}

/** Filters a dashboard itself holds, in whichever form, as those of Explore. */
export function ownFilters(list: unknown[] | undefined): Filter[] {
  return (list ?? []).flatMap((raw): Filter[] => {
    const f = raw as Record<string, unknown> & {
      meta?: { key?: string; alias?: string; negate?: boolean; disabled?: boolean };
      condition?: { field: string; operator: string; value: unknown };
    };
    if (typeof f.op === 'string' && typeof f.field === 'string') return [f as unknown as Filter];
    const clause = f.query ?? (f.condition ? conditionOf(f.condition) : f.dsl);
    if (!clause) return [];
    const negated = Boolean(f.meta?.negate ?? f.negate);
    const value = negated ? { bool: { must_not: [clause] } } : clause;
    const field = f.meta?.alias || f.meta?.key || f.condition?.field || 'filter';
    return [{ field: String(field), op: 'dsl', value, disabled: f.meta?.disabled || undefined }];
  });
}

function conditionOf(c: { field: string; operator: string; value: unknown }): object {
  if (c.operator === 'exists') return { exists: { field: c.field } };
  if (c.operator === 'range') return { range: { [c.field]: c.value } };
  if (Array.isArray(c.value)) {
    return { bool: { should: c.value.map((v) => ({ match_phrase: { [c.field]: v } })), minimum_should_match: 1 } };
  }
  return { match_phrase: { [c.field]: c.value } };
}
