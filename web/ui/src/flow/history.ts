// What the flow was before: the server keeps figures of every part for an hour in steps of five seconds, for a day in minutes.

import { useQuery } from '@tanstack/react-query';
import * as api from '../api';

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

export interface History {
  step_ms: number;
  to_ms: number;
  series: Record<string, (number | null)[]>;
  not_kept: number;
}

export const spans = ['15m', '1h', '6h', '24h'] as const;
export type Span = (typeof spans)[number];

/** Sums or worst values over all series whose name fits; null where none has a figure. */
export function over(h: History, name: RegExp, join: (a: number, b: number) => number): (number | null)[] {
  const lists = Object.entries(h.series)
    .filter(([k]) => name.test(k))
    .map(([, list]) => list);
  const length = Math.max(0, ...lists.map((l) => l.length));
  return Array.from({ length }, (_, i) =>
    lists.reduce<number | null>((sum, l) => {
      const v = l[i - length + l.length] ?? null;
      return v === null ? sum : sum === null ? v : join(sum, v);
    }, null),
  );
}

/** The whole flow as samples, oldest first. */
export function samplesOf(h: History): Sample[] {
  const shipped = over(h, /^agent .* acked$/, (a, b) => a + b);
  const stored = over(h, /^store docs$/, (a, b) => a + b);
  const lag = over(h, /^group .* lag_ms$/, Math.max);
  const n = Math.max(shipped.length, stored.length, lag.length);
  return Array.from({ length: n }, (_, i) => ({
    t: h.to_ms - (n - 1 - i) * h.step_ms,
    shipped: shipped[i] ?? null,
    stored: stored[i] ?? null,
    lag: lag[i] ?? null,
  }));
}

export function useHistory(span: Span) {
  return useQuery({
    queryKey: ['flow-history', span],
    queryFn: ({ signal }) => api.get<History>('weir/flow/history', { span }, signal),
    refetchInterval: 5000,
    retry: false,
  });
}
