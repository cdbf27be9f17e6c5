// The server's answers under /weir/pipelines, typed.

import * as api from '../api';

export interface Source {
  name: string;
  text: string;
}

export interface Pipeline {
  id: string;
  state: 'running' | 'failed' | 'stopped' | 'starting';
  error?: string;
  hash: string;
  version: number;
  writable: boolean;
  source: string;
  settings: { workers: number; batch_size: number; ecs_compatibility: string; queue_type: string };
  topics: string[] | null;
  inputs: string[] | null;
  outputs: string[] | null;
  filters: number;
  events: { in: number; filtered: number; out: number; dropped?: number };
}

export interface Texts extends Pipeline {
  files: Source[];
}

export interface Problem {
  file: string;
  line: number;
  column: number;
  length: number;
  severity: 'error' | 'warning';
  message: string;
  hint?: string;
  text: string;
}

export interface Change {
  field: string;
  old?: unknown;
  new?: unknown;
}

export interface Step {
  plugin: string;
  id: string;
  place: string;
  event: number;
  micros: number;
  added?: Change[];
  changed?: Change[];
  removed?: Change[];
  tags?: string[];
  dropped?: boolean;
  split_into?: number;
  skipped?: boolean;
  why?: string;
}

export interface Output {
  plugin: string;
  place: string;
  action?: string;
  index?: string;
  id?: string;
  document: string;
}

export interface Traced {
  record: number;
  steps: Step[] | null;
  outputs: Output[] | null;
  rule?: string;
  failure?: string;
}

export interface Sampled {
  topic?: string;
  partition: number;
  offset: number;
  time: string;
  value: string;
}

export interface Difference {
  record: number;
  a: Output[] | null;
  b: Output[] | null;
  fields: Change[] | null;
}

export interface Comparison {
  records: number;
  same: number;
  lost: number;
  new: number;
  differences: Difference[] | null;
  micros_a: number;
  micros_b: number;
}

export interface Preview {
  records: Sampled[] | null;
  before: Traced[] | null;
  after?: Traced[] | null;
  comparison?: Comparison;
  problems: Problem[] | null;
}

export interface Sample {
  topic?: string;
  count?: number;
  from?: string;
  contains?: string;
  lines?: string[];
}

export interface Option {
  name: string;
  kind: string;
  default?: string;
  required?: boolean;
  enum?: string[];
  doc?: string;
  deprecated?: string;
  refused?: string;
  unread?: string;
}

export interface Plugin {
  name: string;
  options: Option[] | null;
}

export interface Catalog {
  filters: Plugin[];
  inputs: Plugin[];
  outputs: Plugin[];
  codecs: Plugin[];
  common: { filter: Option[]; input: Option[]; output: Option[] };
  patterns: string[];
}

export interface Version {
  version: number;
  hash: string;
  time: string;
  note: string;
  active: boolean;
  failed?: string;
}

export interface Applied {
  version: number;
  hash: string;
  how: string;
}

export interface Capture {
  name: string;
  value: unknown;
  from: number;
  to: number;
}

/** What a pattern makes of a line; places count bytes. */
export interface Tried {
  line: string;
  matched: boolean;
  from: number;
  to: number;
  fields?: Capture[];
  miss?: { prefix: string; rest: string; from: number; furthest: number; expected: string; name?: string };
}

const at = (id: string, rest: string) => `weir/pipelines/${encodeURIComponent(id)}${rest}`;

export async function list(signal?: AbortSignal): Promise<Pipeline[]> {
  return (await api.get<{ pipelines: Pipeline[] }>('weir/pipelines', {}, signal)).pipelines;
}

export function show(id: string, signal?: AbortSignal): Promise<Texts> {
  return api.get<Texts>(at(id, ''), {}, signal);
}

export function catalog(signal?: AbortSignal): Promise<Catalog> {
  return api.get<Catalog>('weir/pipelines/plugins', {}, signal);
}

export async function check(id: string, files: Source[], signal?: AbortSignal): Promise<Problem[]> {
  const res = await api.post('weir/pipelines/check', { id, files }, signal);
  return ((await res.json()) as { problems: Problem[] | null }).problems ?? [];
}

export async function format(text: string): Promise<string> {
  return (await api.send<{ text: string }>('POST', 'weir/pipelines/format', { text })).text;
}

export async function preview(id: string, files: Source[], sample: Sample, signal?: AbortSignal): Promise<Preview> {
  return (await api.post(at(id, '/preview'), { files, sample }, signal)).json();
}

export function apply(id: string, files: Source[], base: string, note: string): Promise<Applied> {
  return api.send<Applied>('POST', at(id, '/apply'), { files, base, note });
}

export async function history(id: string, signal?: AbortSignal): Promise<Version[]> {
  return (await api.get<{ versions: Version[] }>(at(id, '/history'), {}, signal)).versions;
}

export async function version(id: string, n: number): Promise<Source[]> {
  return (await api.get<{ files: Source[] }>(at(id, `/history/${n}`), {})).files;
}

export function rollback(id: string, n: number): Promise<Applied> {
  return api.send<Applied>('POST', at(id, '/rollback'), { version: n });
}

export async function tryGrok(pattern: string, lines: string[], signal?: AbortSignal): Promise<Tried[]> {
  const res = await api.post('weir/pipelines/grok', { pattern, lines }, signal);
  return ((await res.json()) as { tried: Tried[] }).tried;
}

/** Selections are places in UTF-16 units of the first line; without any, the server proposes a pattern for all lines. */
export async function proposeGrok(lines: string[], selections: { from: number; to: number }[]): Promise<string> {
  const res = await api.post('weir/pipelines/grok/propose', { lines, selections });
  return ((await res.json()) as { pattern: string }).pattern;
}
