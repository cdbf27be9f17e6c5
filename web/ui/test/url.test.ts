import { describe, expect, it } from 'vitest';
import { defaults, type ExploreState, format, parse } from '../src/url';

const full: ExploreState = {
  q: 'message:"결제 실패" and a:b&c=d#e+f',
  lang: 'lucene',
  index: 'logs-*,-logs-old',
  from: 'now-1d/d',
  to: '2026-11-22T14:02:11.318Z',
  by: 'service.name',
  cols: ['trace.id', 'odd,name', 'kafka.offset'],
  f: [
    { field: 'log.level', op: 'is', value: 'ERROR' },
    { field: 'a:b', op: 'is_not', value: 'x:y..z' },
    { field: 'http.status', op: 'is', value: 404 },
    { field: 'ok', op: 'is', value: false },
    { field: 'formula', op: 'is', value: '=1+1' },
    { field: 'trace.id', op: 'exists', disabled: true },
    { field: 'error.code', op: 'not_exists' },
    { field: 'took', op: 'range', value: { gte: '10', lt: '20.5' } },
    { field: 'took', op: 'range', value: { gte: '10' } },
  ],
  view: 'table',
  sort: 'a.b:asc',
  live: true,
  refresh: 30,
  open: { index: 'logs-spring/2026', id: 'a/b?c' },
};

describe('the state in the URL', () => {
  it('comes back as it was', () => expect(parse(format(full))).toEqual(full));
  it('is empty for the defaults', () => expect(format(defaults)).toBe(''));
  it('reads an empty query string as the defaults', () => expect(parse('')).toEqual(defaults));
  it('says only what differs', () => expect(format({ ...defaults, from: 'now-1h' })).toBe('from=now-1h'));

  for (const [name, text] of [
    ['unknown operator', 'f=near:a:b'],
    ['no field', 'f=is::b'],
    ['broken escape', 'f=is:%E0%A4%A:b&open=%E0%A4%A'],
    ['broken JSON', 'f=is:a:={'],
    ['wrong numbers', 'refresh=-5&live=yes&lang=sql'],
  ]) {
    it(`falls back to the defaults: ${name}`, () => expect(parse(text)).toEqual(defaults));
  }

  it('keeps any state that was formatted, however odd its text', () => {
    let seed = 7;
    const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
    const letters = 'a ~:=%&#+"\\/.,한*()\n';
    const word = () => Array.from({ length: (next() % 6) + 1 }, () => letters[next() % letters.length]).join('');
    for (let i = 0; i < 500; i++) {
      const s: ExploreState = {
        ...defaults,
        q: word(),
        cols: [word()],
        f: [{ field: word(), op: 'is', value: word() }],
        open: { index: word(), id: word() },
      };
      expect(parse(format(s))).toEqual(s);
    }
  });
});
