import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Row } from '../src/api';
import { LiveTail } from '../src/explore/live';

class FakeSocket {
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  closed = false;
  close() {
    this.closed = true;
  }
  frame(f: object) {
    this.onmessage?.({ data: JSON.stringify({ skipped: 0, unseen: 0, now: new Date(clock).toISOString(), ...f }) });
  }
}

let clock = 1_000_000;
let sockets: FakeSocket[] = [];

function row(n: number, t = clock): Row {
  const id = `r${n}`;
  return {
    id,
    index: 'i',
    t,
    ts: '',
    level: '',
    service: '',
    logger: '',
    thread: '',
    trace: '',
    message: id,
    cut: 0,
    stack: '',
    fields: {},
  };
}
const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => row(from + i));

function tail(limit?: number) {
  const live = new LiveTail({
    url: 'ws://here',
    limit,
    now: () => clock,
    open: () => {
      const s = new FakeSocket();
      sockets.push(s);
      return s;
    },
  });
  live.start();
  return live;
}
const drawn = () => vi.advanceTimersByTime(20);

describe('live tail', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (f: () => void) => setTimeout(f, 16));
    vi.stubGlobal('cancelAnimationFrame', clearTimeout);
    clock = 1_000_000;
    sockets = [];
    return () => {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    };
  });

  it('shows history, then what comes', () => {
    const live = tail();
    sockets[0].frame({ rows: rows(0, 3), history: true });
    sockets[0].frame({ rows: rows(3, 5) });
    drawn();
    const v = live.snapshot();
    expect(v.rows.map((r) => r.id)).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    expect(v).toMatchObject({ status: 'open', ready: true, paused: false, fresh: 0, behind: 0 });
    expect(v.rows.map((r) => r.n)).toEqual([0, 1, 2, 3, 4]);
  });

  it('stands still while paused, and counts', () => {
    const live = tail();
    sockets[0].frame({ rows: rows(0, 3) });
    live.pause();
    sockets[0].frame({ rows: rows(3, 10) });
    drawn();
    expect(live.snapshot().rows).toHaveLength(3);
    expect(live.snapshot().fresh).toBe(7);
    live.resume();
    expect(live.snapshot().rows).toHaveLength(10);
    expect(live.snapshot().fresh).toBe(0);
  });

  it('accounts for every row: shown, waiting or skipped', () => {
    const limit = 50;
    const live = tail(limit);
    live.pause();
    for (let i = 0; i < 40; i++) sockets[0].frame({ rows: rows(i * 10, i * 10 + 10), skipped: i });
    drawn();
    const v = live.snapshot();
    expect(v.fresh).toBe(limit);
    expect(v.rows.length + v.fresh + v.skipped).toBe(400 + 39);
    live.resume();
    const after = live.snapshot();
    expect(after.rows.length + after.skipped).toBe(400 + 39);
  });

  it('keeps no more rows than its limit and a tenth', () => {
    const live = tail(100);
    for (let i = 0; i < 100; i++) sockets[0].frame({ rows: rows(i * 10, i * 10 + 10) });
    drawn();
    const v = live.snapshot();
    expect(v.rows.length).toBeLessThanOrEqual(110);
    expect(v.rows[v.rows.length - 1].id).toBe('r999');
  });

  it('connects again, waits longer each time, and joins without gap or double', () => {
    const live = tail();
    sockets[0].frame({ rows: rows(0, 5), history: true, skipped: 0 });
    sockets[0].frame({ rows: [], skipped: 2, unseen: 1 });
    sockets[0].onclose?.({ code: 1006, reason: '' });
    expect(live.snapshot()).toMatchObject({ status: 'lost', retryAt: clock + 500 });
    vi.advanceTimersByTime(500);
    sockets[1].onclose?.({ code: 1006, reason: '' });
    expect(live.snapshot().retryAt).toBe(clock + 1000);
    vi.advanceTimersByTime(1000);
    sockets[2].frame({ rows: rows(3, 8), history: true });
    drawn();
    const v = live.snapshot();
    expect(v.rows.map((r) => r.id)).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7']);
    expect(v.rows.some((r) => r.gap)).toBe(false);
    expect(v).toMatchObject({ skipped: 2, unseen: 1, status: 'open' });
  });

  it('shows a gap when the new start does not meet the old end', () => {
    const live = tail();
    sockets[0].frame({ rows: rows(0, 5), history: true });
    sockets[0].onclose?.({ code: 1006, reason: '' });
    vi.advanceTimersByTime(500);
    sockets[1].frame({ rows: rows(300, 305), history: true });
    drawn();
    expect(live.snapshot().rows.map((r) => r.gap)).toEqual([...Array(5).fill(false), true, ...Array(4).fill(false)]);
  });

  it('does not try again when it is refused', () => {
    const live = tail();
    sockets[0].onclose?.({ code: 1008, reason: 'the query cannot be read' });
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(live.snapshot()).toMatchObject({ status: 'refused', reason: 'the query cannot be read' });
  });

  it('asks why when a connection never opened', async () => {
    let why: string | null = null;
    const live = new LiveTail({
      url: 'ws://here',
      now: () => clock,
      refusal: () => Promise.resolve(why),
      open: () => {
        const s = new FakeSocket();
        sockets.push(s);
        return s;
      },
    });
    live.start();
    sockets[0].onclose?.({ code: 1006, reason: '' });
    await vi.advanceTimersByTimeAsync(500);
    why = 'the query cannot be read';
    sockets[1].onclose?.({ code: 1006, reason: '' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(2);
    expect(live.snapshot()).toMatchObject({ status: 'refused', reason: why });
  });

  it('says how late a row is', () => {
    const live = tail();
    sockets[0].frame({ rows: [row(0), row(1, clock - 12_000), row(2, clock - 4000)] });
    drawn();
    expect(live.snapshot().rows.map((r) => r.late)).toEqual([0, 12_000, 0]);
  });

  it('stops for good', () => {
    const live = tail();
    live.stop();
    expect(sockets[0].closed).toBe(true);
    sockets[0].onclose?.({ code: 1000, reason: '' });
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });
});
