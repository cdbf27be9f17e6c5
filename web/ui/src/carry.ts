// What goes along from page to page: the time range, and filters that are pinned. A page with a range leaves them here.

import { useSyncExternalStore } from 'react';
import { defaults, type ExploreState, format } from './url';

let carried: ExploreState = defaults;
const listeners = new Set<() => void>();

export function carry(s: ExploreState) {
  const next: ExploreState = { ...defaults, from: s.from, to: s.to, f: s.f.filter((f) => f.pinned) };
  if (format(next) === format(carried)) return;
  carried = next;
  for (const l of listeners) l();
}

/** The query string a link to a page with a range gets, "" when there is nothing to take along. */
export function useCarried(): string {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => format(carried),
  );
}
