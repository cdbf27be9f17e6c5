// Explore's state lives in the URL: this reads it, and writes it back as a new history entry or in place.

import { useCallback, useMemo, useRef } from 'react';
import { useLocation } from 'wouter';
import { useRawSearch } from '../rawsearch';
import { type ExploreState, type Filter, format, type Op, parse } from '../url';

export type SetState = (patch: Partial<ExploreState>, opts?: { replace?: boolean }) => void;

export function useExploreState(): [ExploreState, SetState] {
  const search = useRawSearch();
  const [, navigate] = useLocation();
  const state = useMemo(() => parse(search), [search]);
  const latest = useRef(state);
  latest.current = state;
  const set = useCallback<SetState>(
    (patch, opts) => {
      latest.current = { ...latest.current, ...patch };
      const s = format(latest.current);
      navigate(s ? `/explore?${s}` : '/explore', { replace: opts?.replace ?? false });
    },
    [navigate],
  );
  return [state, set];
}

export const opposite: Record<Op, Op> = {
  is: 'is_not',
  is_not: 'is',
  exists: 'not_exists',
  not_exists: 'exists',
  range: 'range',
  one_of: 'none_of',
  none_of: 'one_of',
  dsl: 'dsl',
};

function about(a: Filter, b: Filter): boolean {
  const op = a.op === b.op || a.op === opposite[b.op];
  return op && a.field === b.field && JSON.stringify(a.value) === JSON.stringify(b.value);
}

/** The filters with one more in place of an equal or an opposite one. */
export function withFilter(all: Filter[], f: Filter): Filter[] {
  return [...all.filter((o) => !about(o, f)), f];
}
