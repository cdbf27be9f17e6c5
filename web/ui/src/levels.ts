// Names of levels as the frameworks write them, brought to six.

export const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type Level = (typeof levels)[number];

// biome-ignore format: one level a line
const names: Record<string, Level> = {
  fatal: 'fatal', emerg: 'fatal', emergency: 'fatal', alert: 'fatal', panic: 'fatal', crit: 'fatal', critical: 'fatal',
  error: 'error', err: 'error', severe: 'error', e: 'error',
  warn: 'warn', warning: 'warn', w: 'warn',
  info: 'info', information: 'info', informational: 'info', notice: 'info', config: 'info', i: 'info',
  debug: 'debug', fine: 'debug', verbose: 'debug', d: 'debug',
  trace: 'trace', finer: 'trace', finest: 'trace', t: 'trace',
};

export function levelOf(text: string): Level | null {
  return names[text.trim().toLowerCase()] ?? null;
}

const hueCache = new Map<string, number>();
/** Those of the series that look like no level: without amber, red and grey. */
const hues = [1, 3, 5, 6, 7, 8, 9];

/** A stable colour of the series for a name such as a service's. */
export function hue(name: string): number {
  let h = hueCache.get(name);
  if (h === undefined) {
    let x = 2166136261;
    for (let i = 0; i < name.length; i++) x = Math.imul(x ^ name.charCodeAt(i), 16777619);
    x ^= x >>> 16; // FNV's low bits hardly differ between short names
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    h = hues[(x >>> 0) % hues.length];
    if (hueCache.size < 10_000) hueCache.set(name, h);
  }
  return h;
}

/** o.h.e.j.SqlHelper for org.hibernate.engine.jdbc.SqlHelper: packages are cut to their first letter. */
export function shortLogger(name: string): string {
  if (!/^[\w$.]+$/.test(name)) return name; // a path or a servlet's name in brackets, shortened by its framework
  const parts = name.split('.');
  return parts.map((p, i) => (i < parts.length - 1 && p ? p[0] : p)).join('.');
}
