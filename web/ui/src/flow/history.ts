// What the flow was in the minutes before: a bounded ring of samples, kept while the pages are open, one for each answer of
// /weir/flow.

import { useSyncExternalStore } from 'react';
import type { Flow } from './api';

export interface Sample {
  /** When it was taken, ms since 1970. */
  t: number;
  /** Events per second that agents shipped; null when no agent is known. */
  shipped: number | null;
  /** Documents per second that the store took; null when no store is known. */
  stored: number | null;
  /** Milliseconds the oldest unread record waits; null when no group is known. */
  lag: number | null;
}

/** Samples kept: an hour at one in five seconds. */
export const limit = 720;

export function sampleOf(f: Flow, t: number): Sample {
  const agents = f.stages?.agents ?? [];
  const groups = (f.stages?.broker?.topics ?? []).flatMap((topic) => topic.groups ?? []);
  return {
    t,
    shipped: agents.length > 0 ? agents.reduce((s, a) => s + (a.acked_s ?? 0), 0) : null,
    stored: f.stages?.store?.docs_s ?? null,
    lag: groups.length > 0 ? Math.max(0, ...groups.map((g) => g.lag_ms ?? 0)) : null,
  };
}

export class History {
  private list: Sample[] = [];
  private readonly listeners = new Set<() => void>();

  /** Adds a sample; one at or before the last is the same answer seen twice. */
  push(s: Sample) {
    const last = this.list[this.list.length - 1];
    if (last && s.t <= last.t) return;
    this.list = [...this.list, s].slice(-limit);
    for (const l of this.listeners) l();
  }

  readonly snapshot = (): Sample[] => this.list;

  readonly subscribe = (l: () => void) => {
    this.listeners.add(l);
    return () => this.listeners.delete(l);
  };
}

export const history = new History();

export function useHistory(): Sample[] {
  return useSyncExternalStore(history.subscribe, history.snapshot);
}
