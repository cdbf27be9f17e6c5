// Time as a person writes it and as the server reads it: date math (now-15m, now-1d/d), ISO times, and typed text such as
// "last 3h", "yesterday" or "지난 3시간".

export interface Range {
  from: string;
  to: string;
}

const unitMs: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a date-math or absolute expression in the browser's zone; NaN when it cannot be read. up: "/d" rounds to the end. */
export function resolve(expr: string, now: number, up = false): number {
  const text = expr.trim();
  if (!text.startsWith('now')) return absolute(text, up);
  let at = now;
  let rest = text.slice(3);
  while (rest !== '') {
    const m = /^(?:([+-])(\d{1,9})|(\/))([smhdwMy])/.exec(rest);
    if (!m) return Number.NaN;
    at = m[3] ? round(at, m[4], up) : shift(at, m[1] === '-' ? -Number(m[2]) : Number(m[2]), m[4]);
    rest = rest.slice(m[0].length);
  }
  return at;
}

function shift(at: number, n: number, unit: string): number {
  if (unit === 's' || unit === 'm' || unit === 'h') return at + n * unitMs[unit];
  const d = new Date(at);
  if (unit === 'd') d.setDate(d.getDate() + n);
  else if (unit === 'w') d.setDate(d.getDate() + 7 * n);
  else if (unit === 'M') d.setMonth(d.getMonth() + n);
  else d.setFullYear(d.getFullYear() + n);
  return d.getTime();
}

function round(at: number, unit: string, up: boolean): number {
  const d = new Date(at);
  if (unit === 's') d.setMilliseconds(0);
  else if (unit === 'm') d.setSeconds(0, 0);
  else if (unit === 'h') d.setMinutes(0, 0, 0);
  else d.setHours(0, 0, 0, 0);
  if (unit === 'w') d.setDate(d.getDate() - ((d.getDay() + 6) % 7));
  if (unit === 'M') d.setDate(1);
  if (unit === 'y') d.setMonth(0, 1);
  return up ? shift(d.getTime(), 1, unit) - 1 : d.getTime();
}

const absoluteForm =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/;

function absolute(text: string, up: boolean): number {
  const m = absoluteForm.exec(text);
  if (!m) return Number.NaN;
  const [y, mo, d] = [Number(m[1]), Number(m[2]) - 1, Number(m[3])];
  if (mo > 11 || d < 1 || d > 31 || Number(m[4] ?? 0) > 24) return Number.NaN;
  if (m[4] === undefined) return up ? new Date(y, mo, d + 1).getTime() - 1 : new Date(y, mo, d).getTime();
  const clock = [Number(m[4]), Number(m[5] ?? 0), Number(m[6] ?? 0), Number((m[7] ?? '0').padEnd(3, '0').slice(0, 3))];
  if (!m[8]) return new Date(y, mo, d, clock[0], clock[1], clock[2], clock[3]).getTime();
  const utc = Date.UTC(y, mo, d, clock[0], clock[1], clock[2], clock[3]);
  if (m[8] === 'Z') return utc;
  const zone = m[8].replace(':', '');
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5));
  return utc - (zone[0] === '-' ? -minutes : minutes) * 60_000;
}

// biome-ignore format: one unit a line
const words: Record<string, string> = {
  s: 's', sec: 's', secs: 's', second: 's', seconds: 's', 초: 's',
  m: 'm', min: 'm', mins: 'm', minute: 'm', minutes: 'm', 분: 'm',
  h: 'h', hr: 'h', hrs: 'h', hour: 'h', hours: 'h', 시간: 'h',
  d: 'd', day: 'd', days: 'd', 일: 'd',
  w: 'w', week: 'w', weeks: 'w', 주: 'w',
  mo: 'M', month: 'M', months: 'M', 개월: 'M', 달: 'M',
  y: 'y', year: 'y', years: 'y', 년: 'y',
};

const named: Record<string, Range> = {
  today: { from: 'now/d', to: 'now/d' },
  오늘: { from: 'now/d', to: 'now/d' },
  yesterday: { from: 'now-1d/d', to: 'now-1d/d' },
  어제: { from: 'now-1d/d', to: 'now-1d/d' },
  'this week': { from: 'now/w', to: 'now/w' },
  '이번 주': { from: 'now/w', to: 'now/w' },
  'this month': { from: 'now/M', to: 'now/M' },
  '이번 달': { from: 'now/M', to: 'now/M' },
};

/** A range from typed text, null when it cannot be read. */
export function typed(text: string, now: number): Range | null {
  const s = text.trim().toLowerCase().replace(/\s+/g, ' ');
  if (s === '') return null;
  if (named[s]) return named[s];
  const last = /^(?:last |past |지난 |최근 )?(\d{1,6}) ?([a-z가-힣]+)(?: ago| 전| 동안)?$/.exec(s);
  if (last && words[last[2]]) return { from: `now-${last[1]}${words[last[2]]}`, to: 'now' };
  return pair(text.trim(), now);
}

function pair(text: string, now: number): Range | null {
  const halves = text.split(/\s+(?:to|-|–|~|→|부터)\s+|\s*(?:→|~)\s*/i);
  if (halves.length > 2) return null;
  const from = oneEnd(halves[0], now, false);
  if (halves.length === 1) {
    if (from === null) return null;
    return { from, to: (dayOnly(text) && oneEnd(text, now, true)) || 'now' };
  }
  const to = oneEnd(sameDay(halves[0], halves[1]), now, true);
  return from === null || to === null ? null : { from, to };
}

function dayOnly(text: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}$/.test(text.trim());
}

/** "2026-11-22 14:00 - 14:30": the second half takes the day of the first. */
function sameDay(first: string, second: string): string {
  const day = /^\d{4}-\d{1,2}-\d{1,2}/.exec(first.trim());
  return day && /^\d{1,2}:\d{2}/.test(second.trim()) ? `${day[0]} ${second.trim()}` : second;
}

function oneEnd(text: string, now: number, up: boolean): string | null {
  const ms = resolve(text, now, up);
  if (Number.isNaN(ms)) return null;
  return text.trim().startsWith('now') ? text.trim() : new Date(ms).toISOString();
}

/** The number and unit of "now-15m" to "now", null for any other range. */
export function lastOf(r: Range): { n: number; unit: string } | null {
  const m = /^now-(\d+)([smhdwMy])$/.exec(r.from);
  return m && r.to === 'now' ? { n: Number(m[1]), unit: m[2] } : null;
}

export function bounds(r: Range, now: number): { from: number; to: number } {
  return { from: resolve(r.from, now), to: resolve(r.to, now, true) };
}

/** The range moved by half its width, as absolute times. */
export function shifted(r: Range, direction: -1 | 1, now: number): Range {
  const b = bounds(r, now);
  const step = (direction * (b.to - b.from)) / 2;
  return { from: new Date(b.from + step).toISOString(), to: new Date(b.to + step).toISOString() };
}

/** The range made twice as wide around its middle, never past now. */
export function widened(r: Range, now: number): Range {
  const b = bounds(r, now);
  const half = (b.to - b.from) / 2;
  return {
    from: new Date(b.from - half).toISOString(),
    to: new Date(Math.min(b.to + half, Math.max(now, b.to))).toISOString(),
  };
}

const two = (n: number) => String(n).padStart(2, '0');

/** 14:02:11.318 in the browser's zone. */
export function clock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** 2026-11-22 in the browser's zone. */
export function day(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** 2026-11-22 14:02:11.318, without parts that are zero at the end. */
export function stamp(ms: number): string {
  const c = clock(ms);
  const short = c.endsWith('.000') ? (c.endsWith(':00.000') ? c.slice(0, 5) : c.slice(0, 8)) : c;
  return `${day(ms)} ${short}`;
}
