// Saved searches and settings, kept by the server.

import * as api from './api';
import { defaults, type ExploreState, type Filter } from './url';

export interface Saved<T> {
  type: string;
  id: string;
  title: string;
  body: T;
  updated_at?: string;
  version: string;
}

/** What is kept of a search: without the range unless it was asked for. */
export interface SavedSearch {
  query: string;
  lang: 'kql' | 'lucene';
  index: string;
  cols: string[];
  filters: Filter[];
  by?: string;
  view?: ExploreState['view'];
  from?: string;
  to?: string;
}

export async function list<T>(type: string, signal?: AbortSignal): Promise<Saved<T>[]> {
  return (await api.get<{ objects: Saved<T>[] }>(`weir/objects/${type}`, {}, signal)).objects;
}

export function put<T>(type: string, id: string, title: string, body: T, version?: string) {
  const path = `weir/objects/${type}/${encodeURIComponent(id)}`;
  return api.send<Saved<T>>('PUT', path, { title, body }, version);
}

export function remove(type: string, id: string) {
  return api.send('DELETE', `weir/objects/${type}/${encodeURIComponent(id)}`);
}

export function newId(): string {
  return crypto.getRandomValues(new Uint32Array(3)).reduce((s, n) => s + n.toString(36), '');
}

export function searchOf(s: ExploreState, withRange: boolean): SavedSearch {
  const kept: SavedSearch = {
    query: s.q,
    lang: s.lang,
    index: s.index,
    cols: s.cols,
    filters: s.f,
    by: s.by,
    view: s.view,
  };
  return withRange ? { ...kept, from: s.from, to: s.to } : kept;
}

export function stateOf(b: SavedSearch, now: Pick<ExploreState, 'from' | 'to'>): ExploreState {
  return {
    ...defaults,
    q: b.query ?? '',
    lang: b.lang === 'lucene' ? 'lucene' : 'kql',
    index: b.index || defaults.index,
    cols: b.cols ?? [],
    f: (b.filters ?? []).filter((f) => typeof f.op === 'string'),
    by: b.by || defaults.by,
    view: b.view ?? 'logs',
    from: b.from ?? now.from,
    to: b.to ?? now.to,
  };
}
