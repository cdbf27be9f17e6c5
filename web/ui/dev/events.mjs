// Log events as three Spring services write them: mostly quiet, at times a burst of deadlocks with a stack trace.

const services = [
  {
    name: 'mvc',
    path: '/var/log/mvc/app.log',
    loggers: [
      'org.hibernate.engine.jdbc.spi.SqlExceptionHelper',
      'com.example.mvc.order.OrderService',
      'o.s.web.servlet.DispatcherServlet',
    ],
  },
  {
    name: 'webflux-notify',
    path: '/var/log/notify/app.log',
    loggers: [
      'com.example.notify.push.PushSender',
      'reactor.netty.http.client.HttpClientConnect',
      'org.mongodb.driver.cluster',
    ],
  },
  {
    name: 'story',
    path: '/var/log/story/app.log',
    loggers: [
      'com.example.story.web.StoryController',
      'com.example.story.feed.FeedWorker',
      'org.mongodb.driver.connection',
    ],
  },
];

const users = ['kim', 'lee', 'park', 'choi', 'jung'];

/** Numbers from a seed, so that the same event comes out each time. */
function random(seed) {
  let s = (seed * 2654435761) >>> 0;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    s >>>= 0;
    return s / 4294967296;
  };
}

const pick = (r, list) => list[Math.floor(r() * list.length)];
const hex = (r, n) => Array.from({ length: n }, () => Math.floor(r() * 16).toString(16)).join('');

function message(r, level, service) {
  const n = Math.floor(r() * 9000) + 100;
  if (level === 'ERROR' || level === 'FATAL') {
    return pick(r, [
      'Deadlock found when trying to get lock; try restarting transaction',
      `Order ${n} failed: payment was refused by the provider`,
      '결제 처리에 실패했습니다: 승인 시간이 초과되었습니다',
      `Connection to push.example.com timed out after ${n} ms`,
    ]);
  }
  if (level === 'WARN') {
    return pick(r, [
      `HikariPool-1 - Thread starvation or clock leap detected (housekeeper delta=${n} ms)`,
      `Slow query: ${n} ms select o.id, o.total from orders o where o.user_id = ?`,
      `Retry 2 of 5 for user ${pick(r, users)}`,
    ]);
  }
  if (level === 'DEBUG') return `Cache miss for key user:${n}:${pick(r, users)}`;
  if (level === 'TRACE') return `binding parameter [1] as [BIGINT] - [${n}]`;
  return pick(r, [
    `GET /api/v1/${service}/${n} 200 ${Math.floor(r() * 80) + 1}ms`,
    `POST /api/v1/${service} 201 ${Math.floor(r() * 180) + 10}ms user=${pick(r, users)}`,
    `주문 ${n} 건을 처리했습니다`,
    `\u001b[32mStarted\u001b[0m worker feed-${n % 8} in ${(r() * 3).toFixed(3)} seconds`,
    `Sent push to ${n} devices`,
  ]);
}

function stack(r) {
  const frames = (pkg, n) =>
    Array.from(
      { length: n },
      (_, i) =>
        `\tat ${pkg}.${pick(r, ['Order', 'Lock', 'Tx', 'Query'])}${i}.run(${pick(r, ['Order', 'Tx'])}.java:${Math.floor(r() * 400)})`,
    );
  return [
    'org.springframework.dao.CannotAcquireLockException: could not execute statement',
    ...frames('org.springframework.orm.jpa', 9),
    'Caused by: org.hibernate.exception.LockAcquisitionException: could not execute statement',
    ...frames('org.hibernate.exception.internal', 12),
    '\t... 31 common frames omitted',
    'Caused by: java.sql.SQLTransactionRollbackException: (conn=41) Deadlock found when trying to get lock; try restarting transaction',
    ...frames('org.mariadb.jdbc.export', 7),
    '\t... 42 common frames omitted',
  ].join('\n');
}

/** The n-th event of the stream, at time t. */
export function event(n, t) {
  const r = random(n + 17);
  for (let i = 0; i < 4; i++) r();
  const service = pick(r, services);
  const burst = Math.floor(t / 60_000) % 7 === 3;
  const x = r();
  const level =
    x < (burst ? 0.25 : 0.012)
      ? 'ERROR'
      : x < 0.0125
        ? 'FATAL'
        : x < 0.06
          ? 'WARN'
          : x < 0.88
            ? 'INFO'
            : x < 0.97
              ? 'DEBUG'
              : 'TRACE';
  const text = message(r, level, service.name);
  const trace = r() < 0.6 ? hex(r, 32) : '';
  const logger = pick(r, service.loggers);
  const thread = `http-nio-8080-exec-${Math.floor(r() * 10) + 1}`;
  const offset = n * 131;
  const trail = level === 'ERROR' && r() < 0.5 ? stack(r) : '';
  const fields = {
    '@timestamp': new Date(t).toISOString(),
    'log.level': level,
    'service.name': service.name,
    'host.name': 'server-a',
    'log.logger': logger,
    'process.thread.name': thread,
    'log.file.path': service.path,
    'log.offset': offset,
    'kafka.topic': 'logs',
    'kafka.partition': n % 3,
    'kafka.offset': 3_700_000 + n,
    'user.name': pick(r, users),
    'http.response.status_code': level === 'ERROR' ? 500 : 200,
    message: text,
  };
  if (trace) fields['trace.id'] = trace;
  const id = `e${n.toString(36).padStart(8, '0')}`;
  return {
    id,
    index: `logs-spring-${new Date(t).toISOString().slice(0, 10)}`,
    t,
    ts: new Date(t).toISOString(),
    level,
    service: service.name,
    logger,
    thread,
    trace,
    message: text,
    cut: 0,
    stack: trail,
    source: { id: service.name.padEnd(32, '0'), path: service.path, offset },
    fields,
    sort: [t, n],
  };
}

/** The document of a row, nested as a store keeps it. */
export function document(row) {
  const doc = {};
  const all = { ...row.fields };
  if (row.stack) all['error.stack_trace'] = row.stack;
  for (const [name, value] of Object.entries(all)) {
    const path = name.split('.');
    let o = doc;
    for (const p of path.slice(0, -1)) o = o[p] ??= {};
    o[path.at(-1)] = value;
  }
  return doc;
}
