// A server of made-up events for working on the pages without a weir: `npm run dev`. Same addresses, same shapes.

import { createServer } from 'node:http';
import { document, event } from './events.mjs';
import { compile } from './query.mjs';
import { accept } from './websocket.mjs';

const perSecond = 4;
const kept = 40_000;
const rows = [];
const began = Date.now();
for (let n = kept; n > 0; n--) rows.push(event(kept - n, began - n * (1000 / perSecond) - ((n * 7919) % 251)));

const units = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

function time(expr) {
  const m = /^now(?:-(\d+)([smhdw]))?(\/d)?$/.exec(expr);
  if (!m) return Date.parse(expr);
  const at = Date.now() - (m[1] ? Number(m[1]) * units[m[2]] : 0);
  return m[3] ? new Date(at).setHours(0, 0, 0, 0) : at;
}

function filtered(req) {
  const q = compile(req.lang === 'lucene' ? req.query.replaceAll('AND', 'and') : (req.query ?? ''));
  const from = time(req.from ?? '1970-01-01');
  const to = time(req.to ?? 'now');
  const tests = (req.filters ?? []).map((f) => (r) => {
    const v = f.field === '_id' ? r.id : r.fields[f.field];
    if (f.op === 'exists') return v !== undefined;
    if (f.op === 'not_exists') return v === undefined;
    if (f.op === 'range')
      return Number(v) >= Number(f.value.gte ?? -Infinity) && Number(v) < Number(f.value.lt ?? Infinity);
    return (String(v) === String(f.value)) === (f.op === 'is');
  });
  const list = rows.filter((r) => r.t >= from && r.t <= to && q.test(r) && tests.every((t) => t(r)));
  return { q, from, to, list };
}

const steps = [1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];

function histogram(list, from, to, field) {
  const interval = steps.find((s) => (to - from) / s <= 120) ?? 864e5;
  const first = Math.floor(from / interval) * interval;
  const count = Math.min(400, Math.floor((to - first) / interval) + 1);
  const buckets = Array.from({ length: count }, (_, i) => ({ t: first + i * interval, n: 0, by: {} }));
  for (const r of list) {
    const b = buckets[Math.floor((r.t - first) / interval)];
    const key = String(r.fields[field] ?? '');
    if (b) {
      b.n++;
      b.by[key] = (b.by[key] ?? 0) + 1;
    }
  }
  return { interval_ms: interval, buckets, total: list.length };
}

async function explore(req, res) {
  const began = performance.now();
  const { q, from, to, list } = filtered(req);
  const send = (f) => res.write(`${JSON.stringify(f)}\n`);
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  send({ parsed: { tokens: q.tokens, hints: [], error: q.error, from_ms: from, to_ms: to } });
  if (!q.error) {
    const at = req.cursor ? Number(req.cursor) : list.length;
    const page = list.slice(Math.max(0, at - req.size), at).reverse();
    send({ hits: { rows: page, cursor: at - req.size > 0 ? String(at - req.size) : null } });
    if (!req.cursor) send({ histogram: histogram(list, from, to, req.breakdown) });
  }
  send({
    done: {
      took_ms: Math.round(performance.now() - began),
      total: list.length,
      newest_ms: rows.at(-1).t,
      partial: false,
    },
  });
  res.end();
}

const types = {
  '@timestamp': 'date',
  message: 'text',
  'log.offset': 'long',
  'kafka.partition': 'long',
  'kafka.offset': 'long',
  'http.response.status_code': 'long',
};

function fields() {
  const names = new Set(rows.slice(-500).flatMap((r) => Object.keys(r.fields)));
  return [...names]
    .sort()
    .map((name) => ({ name, type: types[name] ?? 'keyword', searchable: true, aggregatable: name !== 'message' }));
}

function values(p) {
  const { list } = filtered({ query: p.get('query') ?? '', from: p.get('from'), to: p.get('to') });
  const counts = new Map();
  let exists = 0;
  for (const r of list) {
    const v = r.fields[p.get('field')];
    if (v === undefined) continue;
    exists++;
    counts.set(v, (counts.get(v) ?? 0) + 1);
  }
  const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
  return { total: list.length, exists, distinct: counts.size, values: top.map(([value, n]) => ({ value, n })) };
}

function complete(text, cursor) {
  const before = text.slice(0, cursor);
  const value = /([\w.@]+):\s*([^\s:()"]*)$/.exec(before);
  if (value) {
    const from = cursor - value[2].length;
    const all = values(
      new URLSearchParams({ field: value[1] === 'level' ? 'log.level' : value[1], from: 'now-1d', to: 'now' }),
    );
    const items = all.values.filter((v) => String(v.value).toLowerCase().startsWith(value[2].toLowerCase()));
    return {
      from,
      to: cursor,
      kinds: ['value'],
      items: items.map((v) => ({ text: String(v.value), kind: 'value', detail: String(v.n) })),
    };
  }
  const word = /([\w.@]*)$/.exec(before)[1];
  const operand =
    before.slice(0, before.length - word.length).trim() !== '' &&
    !/(?:and|or|not|\()\s*$/i.test(before.slice(0, before.length - word.length));
  const items = operand
    ? ['and', 'or'].filter((w) => w.startsWith(word)).map((w) => ({ text: `${w} `, kind: 'conjunction' }))
    : fields()
        .filter((f) => f.name.includes(word))
        .slice(0, 12)
        .map((f) => ({ text: `${f.name}:`, kind: 'field', detail: f.type }));
  return { from: cursor - word.length, to: cursor, kinds: operand ? ['conjunction'] : ['field'], items };
}

function context(p) {
  const i = rows.findIndex((r) => r.id === p.get('id'));
  const same = rows.filter((r) => r.source.id === rows[i]?.source.id);
  const at = same.indexOf(rows[i]);
  const n = Number(p.get('n'));
  return { before: same.slice(Math.max(0, at - n), at), hit: rows[i], after: same.slice(at + 1, at + 1 + n) };
}

function flow() {
  const s = Date.now() / 1000;
  const file = (service, path, rate) => ({
    service,
    path,
    source: service.padEnd(32, '0'),
    size: 88_000_000,
    acked: 88_000_000 - 4096,
    behind: 4096,
    lines_s: rate,
    bytes_s: rate * 180,
    oldest_ms: 120,
  });
  const agent = (id, f, extra) => ({
    id,
    host: 'server-a',
    version: '0.1.0',
    online: true,
    published_s: f.lines_s,
    acked_s: f.lines_s,
    queue_pct: 3,
    retries: 0,
    files: [f],
    ...extra,
  });
  const lag = (i) => Math.round(20 + 15 * Math.sin(s / 7 + i) + (i === 2 ? 900 : 0));
  return {
    since: new Date(began - 3_600_000).toISOString(),
    version: '0.1.0',
    insecure: true,
    stages: {
      agents: [
        agent('fb-mvc', file('mvc', '/var/log/mvc/app.log', 1210)),
        agent('fb-notify', file('webflux-notify', '/var/log/notify/app.log', 940)),
        agent('fb-story', file('story', '/var/log/story/app.log', 1020), { retries: 3, online: s % 20 > 3 }),
      ],
      broker: {
        topics: [
          {
            name: 'logs',
            in_s: 3170,
            bytes_s: 570_000,
            partitions: [0, 1, 2].map((id) => ({
              id,
              low: 0,
              high: 3_700_000 + (Math.round(s * 10) % 1e6),
              bytes: 61e6 + id * 8e6,
              groups: [{ name: 'weir-main', committed: 3_700_000, lag: lag(id), lag_ms: lag(id) * 3 }],
            })),
            groups: [
              { name: 'weir-main', state: 'Stable', members: 1, lag: lag(0) + lag(1) + lag(2), lag_ms: lag(2) * 3 },
            ],
          },
        ],
      },
      pipelines: [
        {
          name: 'main',
          group: 'weir-main',
          in_s: 3170,
          out_s: 3158,
          workers: 2,
          utilization: 0.41,
          dropped: 43_200,
          dead: 85,
          failures: 6,
          plugins: [
            {
              id: 'grok_1',
              name: 'grok',
              ms_per_event: 0.018,
              in: 11_204_518,
              out: 11_204_518,
              failures: 6,
              line: 'main.conf:12',
            },
            {
              id: 'date_1',
              name: 'date',
              ms_per_event: 0.002,
              in: 11_204_518,
              out: 11_204_518,
              failures: 0,
              line: 'main.conf:20',
            },
            {
              id: 'drop_1',
              name: 'drop',
              ms_per_event: 0.001,
              in: 11_204_518,
              out: 11_161_318,
              failures: 0,
              line: 'main.conf:31',
            },
          ],
        },
      ],
      store: {
        docs: 11_160_233,
        docs_s: 3158,
        bytes: 2.1e9,
        bulk_ms: 4.2,
        newest_ms: Date.now() - 400,
        rejected: 0,
        indices: [
          { name: 'logs-spring-2026.11.22', docs: 9_160_233, bytes: 1.7e9 },
          { name: 'logs-spring-2026.11.21', docs: 2_000_000, bytes: 0.4e9 },
        ],
      },
    },
    ledger: {
      read_events: 11_204_518,
      read_bytes: 2_010_000_000,
      indexed: 11_160_233,
      dropped: 43_200,
      dead: 85,
      in_flight: 1000,
      unexplained: 0,
    },
  };
}

function tail(req, socket) {
  const p = new URL(req.url, 'http://localhost').searchParams;
  const q = compile(p.get('query') ?? '');
  const ws = accept(req, socket);
  const send = (list, more) =>
    ws.send(JSON.stringify({ rows: list, skipped: 0, unseen: 0, now: new Date().toISOString(), ...more }));
  send(rows.filter(q.test).slice(-200), { history: true });
  let at = rows.length;
  const timer = setInterval(() => {
    const fresh = rows.slice(at).filter(q.test);
    at = rows.length;
    if (fresh.length > 0) send(fresh);
  }, 50);
  ws.onClose(() => clearInterval(timer));
}

async function body(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return JSON.parse(text);
}

async function answer(req, res) {
  const u = new URL(req.url, 'http://localhost');
  const json = (v) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(v));
  switch (u.pathname) {
    case '/weir/explore':
      return explore(await body(req), res);
    case '/weir/kql': {
      const b = await body(req);
      const q = compile(b.text);
      return json({ tokens: q.tokens, hints: [], error: q.error, dsl: {}, complete: complete(b.text, b.cursor) });
    }
    case '/weir/fields':
      return json({ fields: fields() });
    case '/weir/values':
      return json(values(u.searchParams));
    case '/weir/context':
      return json(context(u.searchParams));
    case '/weir/event': {
      const row = rows.find((r) => r.id === u.searchParams.get('id'));
      if (row) return json({ index: row.index, id: row.id, source: document(row) });
      return res
        .writeHead(404)
        .end(JSON.stringify({ error: { status: 404, type: 'not_found', reason: 'no such event' } }));
    }
    case '/weir/flow':
      return json(flow());
    case '/weir/info':
      return json({ version: '0.1.0', insecure: true, demo: true });
    default:
      return res.writeHead(404).end();
  }
}

export function start(port) {
  let n = kept;
  const timer = setInterval(() => rows.push(event(n++, Date.now())), 1000 / perSecond);
  const server = createServer((req, res) => {
    answer(req, res).catch((e) =>
      res.writeHead(500).end(JSON.stringify({ error: { status: 500, type: 'error', reason: String(e.message) } })),
    );
  });
  server.on('upgrade', tail);
  server.on('close', () => clearInterval(timer));
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}
