// The server's answers under /weir, typed, and the few ways to ask for them. Addresses are relative to <base href>.

import type { Filter } from './url';

export interface Row {
  id: string;
  index: string;
  /** Milliseconds since 1970. */
  t: number;
  ts: string;
  level: string;
  service: string;
  logger: string;
  thread: string;
  trace: string;
  message: string;
  /** Bytes of the message that were left out; 0 when it is whole. */
  cut: number;
  stack: string;
  source?: { id: string; path: string; offset: number };
  fields: Record<string, unknown>;
  sort?: unknown[];
}

export type TokenKind = 'field' | 'operator' | 'value' | 'keyword' | 'paren' | 'text';

/** Offsets count UTF-16 units, as the browser does. */
export interface Token {
  from: number;
  to: number;
  kind: TokenKind;
}

export interface Hint {
  code: string;
  text: string;
  from: number;
  to: number;
}

export interface QueryError {
  message: string;
  at: number;
  expected: string;
  /** The whole query as it was probably meant, '' when nobody can tell. */
  fix: string;
}

export interface Parsed {
  tokens: Token[];
  hints: Hint[];
  error: QueryError | null;
  from_ms: number;
  to_ms: number;
}

export interface Bucket {
  t: number;
  n: number;
  by: Record<string, number>;
}

export interface Histogram {
  interval_ms: number;
  buckets: Bucket[];
  total: number;
}

export interface Done {
  took_ms: number;
  total: number;
  newest_ms?: number;
  partial: boolean;
}

export interface Failure {
  status: number;
  type: string;
  reason: string;
}

export type Frame =
  | { parsed: Parsed }
  | { hits: { rows: Row[]; cursor: string | null } }
  | { histogram: Histogram }
  | { done: Done }
  | { error: Failure };

export interface ExploreRequest {
  index: string;
  query: string;
  lang: 'kql' | 'lucene';
  filters: Filter[];
  from: string;
  to: string;
  tz: string;
  breakdown: string;
  size: number;
  sort?: string;
  cursor?: string;
}

export interface FieldInfo {
  name: string;
  type: string;
  searchable: boolean;
  aggregatable: boolean;
}

export interface Values {
  total: number;
  exists: number;
  distinct: number;
  values: { value: unknown; n: number }[];
}

export interface Completion {
  text: string;
  kind: 'field' | 'operator' | 'value' | 'conjunction';
  detail?: string;
}

export interface KqlAnswer {
  tokens: Token[];
  hints: Hint[];
  error: QueryError | null;
  dsl: unknown;
  complete: { from: number; to: number; kinds: string[]; items: Completion[] };
}

export interface TailFrame {
  rows?: Row[];
  skipped: number;
  unseen: number;
  now: string;
  history?: boolean;
  polling?: boolean;
}

export interface Info {
  version: string;
  insecure: boolean;
  demo: boolean;
  live: boolean;
  embedded: boolean;
  flow: boolean;
  queue: boolean;
  pipelines: boolean;
  check: boolean;
}

export interface Ledger {
  read_events: number;
  read_bytes: number;
  indexed: number;
  dropped: number;
  dead: number;
  in_flight: number;
  unexplained: number;
}

/** A request that was answered with an error, or (status 0) was not answered at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly reason: string,
  ) {
    super(reason);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function url(path: string): string {
  return new URL(path, document.baseURI).href;
}

export function basePath(): string {
  return new URL('.', document.baseURI).pathname.replace(/\/$/, '');
}

export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let res: Response;
  try {
    res = await fetch(url(path), init);
  } catch (e) {
    if ((e as Error).name === 'AbortError') throw e;
    throw new ApiError(0, 'unreachable', (e as Error).message);
  }
  if (!res.ok) throw await failureOf(res);
  return res;
}

async function failureOf(res: Response): Promise<ApiError> {
  const text = await res.text().catch(() => '');
  try {
    const o = JSON.parse(text);
    if (o.message && o.statusCode) return new ApiError(res.status, 'error', o.message);
    const e = o.error;
    if (typeof e === 'string') return new ApiError(res.status, 'error', e);
    return new ApiError(e.status ?? res.status, e.type ?? 'error', e.reason ?? res.statusText);
  } catch {
    return new ApiError(res.status, 'error', text.slice(0, 300) || res.statusText);
  }
}

/** A request that changes something; body undefined sends none. */
export async function send<T>(method: string, path: string, body?: unknown, version?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined && !(body instanceof FormData)) headers['Content-Type'] = 'application/json';
  if (version) headers['If-Match'] = version;
  const form = body instanceof FormData || body === undefined ? body : JSON.stringify(body);
  const res = await ask(path, { method, headers, body: form });
  const text = await res.text();
  return (text === '' ? {} : JSON.parse(text)) as T;
}

export function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

/** One JSON value a line, as the lines come. */
export async function* frames<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += value ?? '';
      const lines = rest.split('\n');
      rest = done ? '' : (lines.pop() ?? '');
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => undefined); // who stops reading early stops the server's work too
  }
}

export async function* explore(req: ExploreRequest, signal: AbortSignal): AsyncGenerator<Frame> {
  const res = await post('weir/explore', req, signal);
  if (res.body) yield* frames<Frame>(res.body);
}

export function query(params: Record<string, string | number | undefined>): string {
  const p = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v !== undefined && v !== '') p.set(k, String(v));
  return p.toString();
}

export async function get<T>(path: string, params: Record<string, string | number | undefined>, signal?: AbortSignal) {
  const res = await ask(`${path}?${query(params)}`, { signal });
  return (await res.json()) as T;
}

/** The answer as text, so that numbers over 2^53 and the order of keys survive. */
export async function eventText(index: string, id: string, signal?: AbortSignal): Promise<string> {
  return (await ask(`weir/event?${query({ index, id })}`, { signal })).text();
}

export function context(index: string, id: string, n: number, signal?: AbortSignal) {
  return get<{ before: Row[]; hit: Row; after: Row[] }>('weir/context', { index, id, n }, signal);
}

export function fields(index: string, signal?: AbortSignal) {
  return get<{ fields: FieldInfo[] | null }>('weir/fields', { index }, signal);
}

export interface ValuesRequest {
  index: string;
  field: string;
  query: string;
  lang: string;
  from: string;
  to: string;
  size?: number;
  filters?: string;
}

export function values(req: ValuesRequest, signal?: AbortSignal) {
  return get<Values>('weir/values', { ...req, tz: timeZone }, signal);
}

export async function kql(text: string, cursor: number, index: string, signal?: AbortSignal): Promise<KqlAnswer> {
  return (await post('weir/kql', { text, cursor, index, tz: timeZone }, signal)).json();
}

export function info(signal?: AbortSignal) {
  return get<Info>('weir/info', {}, signal);
}

export function tailUrl(params: { index: string; query: string; lang: string }): string {
  const u = new URL(`weir/tail?${query(params)}`, document.baseURI);
  u.protocol = u.protocol === 'https:' ? 'wss:' : 'ws:';
  return u.href;
}

/** Why live tail is refused: the same address, asked without a WebSocket; null when the server would serve it, or is away. */
export async function tailRefusal(address: string): Promise<string | null> {
  try {
    const res = await fetch(address.replace(/^ws/, 'http'));
    if (res.status < 400 || res.status === 426 || res.status >= 500) return null;
    return (await failureOf(res)).reason;
  } catch {
    return null;
  }
}
