import * as api from '../api';
import type { Filter } from '../url';

export type Kind = 'count' | 'ratio' | 'absence' | 'new_pattern';

export interface Action {
  type: 'webhook' | 'slack' | 'discord' | 'email';
  url?: string;
  to?: string;
  template?: string;
}

export interface Rule {
  name: string;
  enabled: boolean;
  kind: Kind;
  index: string;
  query: string;
  lang: 'kql' | 'lucene';
  filters?: Filter[];
  part?: string;
  group_by?: string;
  window: string;
  every: string;
  for?: string;
  op?: string;
  threshold: number;
  repeat?: string;
  actions: Action[] | null;
  silenced_until?: string;
}

export interface Event {
  time: string;
  group?: string;
  status: string;
  value: number;
  text?: string;
  sent?: string[] | null;
}

export interface State {
  status: 'ok' | 'pending' | 'firing' | 'error';
  since: string;
  last_run: string;
  next_run: string;
  took_ms: number;
  error?: string;
  groups: Record<string, { status: string; since: string; value: number }> | null;
  history: Event[] | null;
}

export interface View {
  id: string;
  version: string;
  rule: Rule;
  state: State | null;
}

export interface Preview {
  step_ms: number;
  points: { t: number; value: number; firing: boolean }[];
  fired: number;
  now: number;
  groups: number;
  exact: boolean;
}

export async function list(signal?: AbortSignal): Promise<View[]> {
  return (await api.get<{ rules: View[] }>('weir/alerts', {}, signal)).rules;
}

export function save(r: Rule, id?: string, version?: string): Promise<View> {
  return id ? api.send('PUT', `weir/alerts/${encodeURIComponent(id)}`, r, version) : api.send('POST', 'weir/alerts', r);
}

export function remove(id: string) {
  return api.send('DELETE', `weir/alerts/${encodeURIComponent(id)}`);
}

export function silence(id: string, minutes: number) {
  return api.send('POST', `weir/alerts/${encodeURIComponent(id)}/silence`, { minutes });
}

export async function preview(r: Rule, signal: AbortSignal): Promise<Preview> {
  return (await api.post('weir/alert-preview', r, signal)).json();
}

export function test(rule: Rule, action: Action) {
  return api.send('POST', 'weir/alert-test', { rule, action });
}

export const blank: Rule = {
  name: '',
  enabled: true,
  kind: 'count',
  index: 'logs-*',
  query: 'log.level:ERROR',
  lang: 'kql',
  window: '5m',
  every: '1m',
  op: '>',
  threshold: 10,
  actions: [],
};
