// Topics, groups, messages and dead letters, as the server reads them over Kafka.

import * as api from '../api';

export interface Partition {
  id: number;
  leader: number;
  low: number;
  high: number;
  bytes: number;
  error?: string;
}

export interface Topic {
  name: string;
  partitions: number;
  records: number;
  bytes: number;
  parts: Partition[] | null;
  configs: { name: string; value: string; default?: string; source?: string }[] | null;
  groups: { group: string; state: string; members: number; lag: number; lag_ms: number }[] | null;
}

export interface Message {
  topic: string;
  partition: number;
  offset: number;
  time: string;
  key: string;
  value: string;
  value_kind: 'json' | 'text' | 'base64' | 'null';
  value_bytes: number;
  cut?: boolean;
  headers: { key: string; value: string }[] | null;
  origin?: { source: string; first: number; length: number };
}

export interface Page {
  messages: Message[] | null;
  next: Record<string, number> | null;
  scanned: number;
  end: boolean;
}

export interface Group {
  name: string;
  state: string;
  members: number;
  lag: number;
  lag_ms: number;
  /** Why it cannot be moved through the queue. */
  kept?: string;
  member_list: { id: string; client_id: string; host: string; partitions: Record<string, number[]> }[] | null;
  offsets:
    | { topic: string; partition: number; committed: number; low: number; high: number; lag: number; lag_ms: number }[]
    | null;
}

export interface Move {
  topic: string;
  partition: number;
  from: number;
  to: number;
}

export interface Letter {
  place: string;
  value: string;
  dead: {
    pipeline: string;
    stage: string;
    reason: string;
    plugin?: string;
    why?: string;
    topic?: string;
    partition: number;
    offset: number;
    time: string;
    try_doc?: unknown;
  };
}

export interface Account {
  source: string;
  host: string;
  path: string;
  read: number;
  indexed: number;
  dropped: number;
  merged: number;
  dead: number;
  lost: number;
  in_flight: number;
  missing: number;
  repeats: number;
  gaps?: [number, number][] | null;
}

export interface Audit {
  groups: { group: string; complete_until: string; total: Account; sources: Account[] | null }[] | null;
}

export interface MessageQuery {
  from?: string;
  partition?: string;
  key?: string;
  contains?: string;
  limit?: number;
  at?: string;
}

const name = encodeURIComponent;

export const topic = (id: string, signal?: AbortSignal) => api.get<Topic>(`weir/topics/${name(id)}`, {}, signal);
export const messages = (id: string, q: MessageQuery) =>
  api.get<Page>(`weir/topics/${name(id)}/messages`, { ...q } as Record<string, string>);
export const group = (id: string, signal?: AbortSignal) => api.get<Group>(`weir/groups/${name(id)}`, {}, signal);

export async function reset(id: string, to: string, topics: string[], dry: boolean): Promise<Move[]> {
  const body = { to, topics, dry_run: dry };
  return (await api.send<{ moves: Move[] }>('POST', `weir/groups/${name(id)}/reset`, body)).moves;
}

export const dead = (pipeline: string, signal?: AbortSignal) =>
  api.get<{ letters: Letter[]; cut: boolean }>('weir/dead', { pipeline }, signal);

export async function replay(places: string[], to: string): Promise<number> {
  const { put } = await api.send<{ put: Record<string, number> }>('POST', 'weir/dead/replay', { places, topic: to });
  return Object.values(put).reduce((a, b) => a + b, 0);
}

export const audit = (since: string, signal?: AbortSignal) => api.get<Audit>('weir/audit', { since }, signal);
