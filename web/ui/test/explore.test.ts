import { describe, expect, it } from 'vitest';
import { type Bucket, frames } from '../src/api';
import { compose } from '../src/explore/compose';
import { seek } from '../src/explore/list';
import { seriesOf } from '../src/explore/series';
import { lineCount, parseStack, rootCause } from '../src/explore/stack';
import { withFilter } from '../src/explore/state';
import { samplesOf } from '../src/flow/history';
import { age, linksOf, partsOf } from '../src/flow/page';
import { pathOf } from '../src/flow/sparklines';
import { hue, levelOf, shortLogger } from '../src/levels';
import type { Filter } from '../src/url';
import { matchesParts } from '../src/words';

describe('filters', () => {
  const is: Filter = { field: 'a', op: 'is', value: 'x' };
  it('take the place of their opposite', () =>
    expect(withFilter([is], { ...is, op: 'is_not' })).toEqual([{ ...is, op: 'is_not' }]));
  it('are not doubled, and switched on again', () => expect(withFilter([{ ...is, disabled: true }], is)).toEqual([is]));
  it('stand beside others', () => expect(withFilter([is], { ...is, value: 'y' })).toHaveLength(2));
});

describe('filters as a query', () => {
  const all: Filter[] = [
    { field: 'log.level', op: 'is', value: 'ERROR' },
    { field: 'odd:name', op: 'is_not', value: 'say "hi" \\' },
    { field: 'trace.id', op: 'exists' },
    { field: 'x', op: 'not_exists' },
    { field: 'took', op: 'range', value: { gte: '10', lt: '20' } },
    { field: 'off', op: 'is', value: 1, disabled: true },
  ];
  it('KQL', () =>
    expect(compose('a or b', 'kql', all)).toBe(
      '(a or b) and log.level:"ERROR" and not odd\\:name:"say \\"hi\\" \\\\" and trace.id:* and not x:* and took >= "10" and took < "20"',
    ));
  it('Lucene', () =>
    expect(compose('', 'lucene', all.slice(2, 5))).toBe(
      '_exists_:trace.id AND NOT _exists_:x AND took:["10" TO "20"}',
    ));
  it('nothing to add', () => expect(compose('a', 'kql', [])).toBe('a'));
});

describe('a stack trace', () => {
  const stack =
    'a.B: boom\n\tat a.C(D.java:1)\n\tat a.E(F.java:2)\nCaused by: x.Y: deep\n\tat x.Z(Z.java:3)\n\t... 4 common frames omitted\n';
  it('is cut into parts', () =>
    expect(parseStack(stack).map((p) => [p.kind, p.lines.length])).toEqual([
      ['head', 1],
      ['frames', 2],
      ['cause', 1],
      ['frames', 2],
    ]));
  it('has a root cause', () => {
    expect(rootCause(stack)).toBe('Caused by: x.Y: deep');
    expect(rootCause('a.B: boom\n\tat x')).toBe('a.B: boom');
    expect(rootCause('Caused by: first')).toBe('Caused by: first');
  });
  it('has lines', () => expect([lineCount(stack), lineCount('one'), lineCount('a\nb')]).toEqual([6, 1, 2]));
});

describe('levels and names', () => {
  it('are brought to six', () =>
    expect(['WARNING', 'Err', ' SEVERE', 'notice', 'finest', 'CRITICAL', 'loud'].map(levelOf)).toEqual([
      'warn',
      'error',
      'error',
      'info',
      'trace',
      'fatal',
      null,
    ]));
  it('shorten loggers', () => expect(shortLogger('org.hibernate.engine.jdbc.SqlHelper')).toBe('o.h.e.j.SqlHelper'));
  it('give services colours of their own', () => {
    expect(new Set(['api', 'notifications', 'stories'].map(hue)).size).toBe(3);
    expect(hue('api')).toBe(hue('api'));
  });
  it('leave other names whole', () =>
    expect(shortLogger('o.a.c.c.C.[.[/].[servlet]')).toBe('o.a.c.c.C.[.[/].[servlet]'));
  it('find fields by parts', () => {
    expect(matchesParts('destination.geo.city', 'geo dest')).toBe(true);
    expect(matchesParts('destination.geo.city', 'geo src')).toBe(false);
  });
});

describe('the series of a histogram', () => {
  const buckets: Bucket[] = [
    { t: 0, n: 10, by: { INFO: 6, ERROR: 2, WARNING: 1 } },
    { t: 1, n: 5, by: { INFO: 5 } },
  ];
  it('are ordered by level, with what has none on top', () =>
    expect(seriesOf({ interval_ms: 1, buckets, total: 15 }).map((s) => [s.name, s.total])).toEqual([
      ['error', 2],
      ['warn', 1],
      ['info', 11],
      ['…', 1],
    ]));
  it('add up to each bucket', () => {
    const s = seriesOf({ interval_ms: 1, buckets, total: 15 });
    expect(buckets.map((_, i) => s.reduce((a, x) => a + x.values[i], 0))).toEqual([10, 5]);
  });
  it('of another field are ordered by size', () => {
    const by = [{ t: 0, n: 9, by: { b: 2, a: 3, c: 4 } }];
    expect(seriesOf({ interval_ms: 1, buckets: by, total: 9 }).map((s) => s.name)).toEqual(['c', 'a', 'b']);
  });
  it('of nothing is one empty series', () =>
    expect(seriesOf({ interval_ms: 1, buckets: [{ t: 0, n: 0, by: {} }], total: 0 })).toHaveLength(1));
});

describe('rows', () => {
  it('are sought in both directions', () => {
    const list = [1, 2, 3, 4].map((t) => ({ t }) as never);
    const even = (r: { t: number }) => r.t % 2 === 0;
    expect(seek(list, -1, 1, even)).toBe(1);
    expect(seek(list, 1, 1, even)).toBe(3);
    expect(seek(list, 3, 1, even)).toBe(-1);
    expect(seek(list, 3, -1, even)).toBe(1);
  });
});

describe('frames', () => {
  const read = async (chunks: string[]) => {
    const enc = new TextEncoder();
    const bytes = chunks.map((c) => enc.encode(c));
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        for (const b of bytes) c.enqueue(b);
        c.close();
      },
    });
    const out = [];
    for await (const f of frames(body)) out.push(f);
    return out;
  };
  it('come one a line, wherever the pieces are cut', async () => {
    const text = '{"a":"결제"}\n{"b":2}\n\n{"c":[3]}';
    for (let i = 1; i < text.length; i++) {
      expect(await read([text.slice(0, i), text.slice(i)])).toEqual([{ a: '결제' }, { b: 2 }, { c: [3] }]);
    }
  });
});

describe('the flow', () => {
  it('is empty for an empty answer', () => expect(linksOf(partsOf({}))).toEqual([]));
  it('joins each stage to the next', () => {
    const p = partsOf({
      stages: {
        agents: [{ id: 'a', acked_s: 5, files: [{ path: '/x.log', lines_s: 5 }] }],
        broker: { topics: [{ name: 'logs', groups: [{ name: 'g', lag_ms: 9000 }] }] },
        pipelines: [{ name: 'main', group: 'g', in_s: 5, out_s: 4 }],
        store: { docs: 1 },
      },
    });
    expect(linksOf(p).map((l) => [l.from, l.to, l.age])).toEqual([
      ['file a /x.log', 'agent a', 0],
      ['agent a', 'topic logs', 0],
      ['topic logs', 'pipe main', 9000],
      ['pipe main', 'store', 0],
    ]);
  });
  it('puts the topics that carry lines first', () => {
    const topics = [
      { name: 'weir-flow', in_s: 9 },
      { name: 'a', in_s: 1 },
      { name: 'b', in_s: 2 },
    ];
    expect(partsOf({ stages: { broker: { topics } } }).topics.map((t) => t.name)).toEqual(['b', 'a', 'weir-flow']);
  });
  it('adds the series of all parts, with gaps where none has a figure', () => {
    const samples = samplesOf({
      step_ms: 5000,
      to_ms: 20_000,
      series: {
        'agent a acked': [1, null, 3],
        'agent b acked': [2],
        'group g logs lag_ms': [7, 8, null],
        'store docs': [1, 1, 1],
      },
      not_kept: 0,
    });
    expect(samples.map((s) => [s.t, s.shipped, s.stored, s.lag])).toEqual([
      [10_000, 1, 1, 7],
      [15_000, null, 1, 8],
      [20_000, 5, 1, null],
    ]);
  });
  it('draws a line from the left to the right, the highest value near the top', () => {
    const samples = [0, 10, 5].map((v, i) => ({ t: i * 1000, shipped: v, stored: null, lag: null }));
    expect(pathOf(samples, (s) => s.shipped, 10).line).toBe('M0 56L150 4L300 30');
    expect(pathOf(samples, (s) => s.stored, 10).line).toBe('');
  });
  it('tells ages apart', () => expect([0, 5000, 60_000].map(age)).toEqual(['fresh', 'late', 'old']));
});
