// The whole state of Explore as a query string, and back. A value equal to its default is left out, so that a link says only
// what differs; an unreadable value falls back to the default.

export type Op = 'is' | 'is_not' | 'exists' | 'not_exists' | 'range' | 'one_of' | 'none_of' | 'dsl';

export interface Filter {
  field: string;
  op: Op;
  value?: unknown;
  disabled?: boolean;
  /** Goes along to other pages. */
  pinned?: boolean;
}

/** A half-open range; an absent end is open. */
export interface RangeValue {
  gte?: string;
  lt?: string;
}

export type View = 'logs' | 'table' | 'patterns';
export const views: View[] = ['logs', 'table', 'patterns'];

export interface ExploreState {
  q: string;
  lang: 'kql' | 'lucene';
  index: string;
  from: string;
  to: string;
  /** Field the histogram is broken down by. */
  by: string;
  cols: string[];
  f: Filter[];
  live: boolean;
  /** field:asc or field:desc; newest first when empty. */
  sort: string;
  /** How the result is shown. */
  view: View;
  /** Seconds between two refreshes, 0 for none. */
  refresh: number;
  /** The opened event, as index and id. */
  open: { index: string; id: string } | null;
}

export const defaults: ExploreState = {
  q: '',
  lang: 'kql',
  index: 'logs-*',
  from: 'now-15m',
  to: 'now',
  by: 'log.level',
  cols: [],
  f: [],
  live: false,
  view: 'logs',
  sort: '',
  refresh: 0,
  open: null,
};

// biome-ignore format: one line
const codes: Record<Op, string> = {
  is: 'is', is_not: 'not', exists: 'has', not_exists: 'no', range: 'in', one_of: 'any', none_of: 'none', dsl: 'dsl',
};
const ops = Object.fromEntries(Object.entries(codes).map(([op, code]) => [code, op])) as Record<string, Op>;

/** op:field:value, the field with its own colons escaped, `~` in front when switched off. */
function formatFilter(f: Filter): string {
  const field = encodeURIComponent(f.field);
  const head = `${f.disabled ? '~' : ''}${f.pinned ? '^' : ''}${codes[f.op]}:${field}`;
  if (f.op === 'exists' || f.op === 'not_exists') return head;
  if (f.op === 'range') {
    const r = (f.value ?? {}) as RangeValue;
    return `${head}:${encodeURIComponent(r.gte ?? '')}..${encodeURIComponent(r.lt ?? '')}`;
  }
  const plain = typeof f.value === 'string' && !f.value.startsWith('=');
  return `${head}:${plain ? f.value : `=${JSON.stringify(f.value ?? null)}`}`;
}

function parseFilter(text: string): Filter | null {
  const m = /^(~?)(\^?)(\w+):([^:]*)(?::([\s\S]*))?$/.exec(text);
  const op = m && ops[m[3]];
  if (!m || !op || m[4] === '') return null;
  try {
    const f: Filter = { field: decodeURIComponent(m[4]), op };
    if (m[1]) f.disabled = true;
    if (m[2]) f.pinned = true;
    if (op === 'range') f.value = parseRange(m[5] ?? '');
    else if (op !== 'exists' && op !== 'not_exists') f.value = parseValue(m[5] ?? '');
    if ((op === 'one_of' || op === 'none_of') && !Array.isArray(f.value)) return null;
    return f;
  } catch {
    return null;
  }
}

function parseRange(text: string): RangeValue {
  const [gte, lt] = text.split('..').map(decodeURIComponent);
  const r: RangeValue = {};
  if (gte) r.gte = gte;
  if (lt) r.lt = lt;
  return r;
}

/** Strings stand as they are; numbers and booleans come as `=` and JSON. A string that begins with `=` is JSON too. */
function parseValue(text: string): unknown {
  return text.startsWith('=') ? JSON.parse(text.slice(1)) : text;
}

export function format(s: ExploreState): string {
  const p = new URLSearchParams();
  const put = (k: string, v: string, d: string) => {
    if (v !== d) p.append(k, v);
  };
  put('q', s.q, defaults.q);
  put('lang', s.lang, defaults.lang);
  put('index', s.index, defaults.index);
  put('from', s.from, defaults.from);
  put('to', s.to, defaults.to);
  put('by', s.by, defaults.by);
  put('cols', s.cols.map(encodeURIComponent).join(','), '');
  for (const f of s.f) p.append('f', formatFilter(f));
  if (s.live) p.append('live', '1');
  put('view', s.view, defaults.view);
  put('sort', s.sort, defaults.sort);
  if (s.refresh > 0) p.append('refresh', String(s.refresh));
  if (s.open) p.append('open', `${encodeURIComponent(s.open.index)}/${encodeURIComponent(s.open.id)}`);
  return p.toString();
}

export function parse(search: string): ExploreState {
  const p = new URLSearchParams(search);
  const get = (k: 'q' | 'index' | 'from' | 'to' | 'by') => p.get(k) ?? defaults[k];
  return {
    q: get('q'),
    lang: p.get('lang') === 'lucene' ? 'lucene' : 'kql',
    index: get('index') || defaults.index,
    from: get('from') || defaults.from,
    to: get('to') || defaults.to,
    by: get('by') || defaults.by,
    cols: (p.get('cols') ?? '').split(',').filter(Boolean).map(decode),
    f: p
      .getAll('f')
      .map(parseFilter)
      .filter((f) => f !== null),
    live: p.get('live') === '1',
    view: views.find((v) => v === p.get('view')) ?? 'logs',
    sort: /^[^:]+:(asc|desc)$/.test(p.get('sort') ?? '') ? (p.get('sort') ?? '') : '',
    refresh: Math.max(0, Math.min(86_400, Math.trunc(Number(p.get('refresh') ?? 0)) || 0)),
    open: parseOpen(p.get('open')),
  };
}

function parseOpen(text: string | null): ExploreState['open'] {
  const m = /^([^/]+)\/([^/]+)$/.exec(text ?? '');
  return m ? { index: decode(m[1]), id: decode(m[2]) } : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
