import { describe, expect, it } from 'vitest';
import { bounds, clock, lastOf, resolve, shifted, stamp, typed, widened } from '../src/time';

const now = new Date(2026, 10, 22, 14, 2, 11, 318).getTime();
const local = (...a: [number, number, number, number?, number?, number?, number?]) =>
  new Date(...(a as [number, number, number])).getTime();

describe('date math', () => {
  const cases: [string, boolean, number][] = [
    ['now', false, now],
    ['now-15m', false, now - 900_000],
    ['now+1h', false, now + 3_600_000],
    ['now/d', false, local(2026, 10, 22)],
    ['now/d', true, local(2026, 10, 23) - 1],
    ['now-1d/d', false, local(2026, 10, 21)],
    ['now-1d/d', true, local(2026, 10, 22) - 1],
    ['now/w', false, local(2026, 10, 16)],
    ['now-1M/M', false, local(2026, 9, 1)],
    ['now/y', false, local(2026, 0, 1)],
    ['2026-11-22', false, local(2026, 10, 22)],
    ['2026-11-22', true, local(2026, 10, 23) - 1],
    ['2026-11-22T05:02:11.318Z', false, Date.UTC(2026, 10, 22, 5, 2, 11, 318)],
    ['2026-11-22T14:02:11+09:00', false, Date.UTC(2026, 10, 22, 5, 2, 11)],
  ];
  for (const [text, up, want] of cases)
    it(`${text}${up ? ' rounded up' : ''}`, () => expect(resolve(text, now, up)).toBe(want));
  for (const text of ['', 'yesterdayish', 'now-', 'now-1x', '2026-13-01', 'now-15mm', '22.11.2026'])
    it(`cannot read "${text}"`, () => expect(resolve(text, now)).toBeNaN());
});

describe('typed text', () => {
  const cases: [string, string, string][] = [
    ['last 3h', 'now-3h', 'now'],
    ['3h', 'now-3h', 'now'],
    ['Past 15 minutes', 'now-15m', 'now'],
    ['2 weeks ago', 'now-2w', 'now'],
    ['지난 3시간', 'now-3h', 'now'],
    ['최근 15분', 'now-15m', 'now'],
    ['30분 전', 'now-30m', 'now'],
    ['yesterday', 'now-1d/d', 'now-1d/d'],
    ['어제', 'now-1d/d', 'now-1d/d'],
    ['now-1d/d', 'now-1d/d', 'now'],
    ['now-2d to now-1d', 'now-2d', 'now-1d'],
  ];
  for (const [text, from, to] of cases) it(text, () => expect(typed(text, now)).toEqual({ from, to }));

  it('a day and two times', () =>
    expect(typed('2026-11-22 14:00 - 14:30', now)).toEqual({
      from: new Date(local(2026, 10, 22, 14)).toISOString(),
      to: new Date(local(2026, 10, 22, 14, 30)).toISOString(),
    }));
  it('a day is all of it', () =>
    expect(typed('2026-11-20', now)).toEqual({
      from: new Date(local(2026, 10, 20)).toISOString(),
      to: new Date(local(2026, 10, 21) - 1).toISOString(),
    }));
  for (const text of ['', 'soon', '3 bananas', 'a to b', '2026-11-22 to never'])
    it(`cannot read "${text}"`, () => expect(typed(text, now)).toBeNull());
});

describe('ranges', () => {
  it('move by half their width', () => {
    const r = shifted({ from: 'now-2h', to: 'now' }, -1, now);
    expect(bounds(r, now)).toEqual({ from: now - 3 * 3_600_000, to: now - 3_600_000 });
  });
  it('widen, but not past now', () => {
    const r = bounds(widened({ from: 'now-2h', to: 'now' }, now), now);
    expect(r).toEqual({ from: now - 3 * 3_600_000, to: now });
  });
  it('know "last"', () => {
    expect(lastOf({ from: 'now-15m', to: 'now' })).toEqual({ n: 15, unit: 'm' });
    expect(lastOf({ from: 'now-15m', to: 'now-5m' })).toBeNull();
  });
});

describe('times on screen', () => {
  it('a clock with milliseconds', () => expect(clock(now)).toBe('14:02:11.318'));
  it('a stamp without zeros at its end', () => {
    expect(stamp(now)).toBe('2026-11-22 14:02:11.318');
    expect(stamp(local(2026, 10, 22, 14, 2))).toBe('2026-11-22 14:02');
  });
});
