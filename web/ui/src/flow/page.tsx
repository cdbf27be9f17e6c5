// Flow: every stage between a file and a stored document in one picture, and the account of every line below it.

import { useQuery } from '@tanstack/react-query';
import { createContext, lazy, type ReactNode, Suspense, useContext, useState } from 'react';
import { ago, bytes, duration, percent, rate, short, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { cx } from '../kit/cx';
import { Icon } from '../kit/icon';
import { hue } from '../levels';
import { usePrefs } from '../prefs';
import {
  type AgentStage,
  type FileStage,
  type Flow,
  flow,
  type PipelineStage,
  type StoreStage,
  type TopicStage,
} from './api';
import type { Opened } from './drawer';
import { Edges, type Link } from './edges';
import { LedgerStrip } from './ledger';
import styles from './page.module.css';
import { Sparklines } from './sparklines';
import { words } from './words';

const Drawer = lazy(() => import('./drawer').then((m) => ({ default: m.Drawer })));

/** Opens what stands behind a node. */
const Opener = createContext<(o: Opened) => void>(() => undefined);

const every = 2000;
/** Rows drawn in one card; the rest is counted. */
const drawn = 12;

export default function FlowPage() {
  const t = useT();
  const { lang } = usePrefs();
  const q = useQuery({
    queryKey: ['flow'],
    queryFn: ({ signal }) => flow(signal),
    refetchInterval: every,
    retry: false,
  });
  const f = q.data;
  const [opened, setOpened] = useState<Opened | null>(null);
  return (
    <main className={styles.page}>
      <header className={styles.head}>
        <h1>{t.flow.title}</h1>
        {f?.since && <span>{t.flow.since(ago(Date.parse(f.since), Date.now(), lang))}</span>}
        {f?.version && <span>weir {f.version}</span>}
      </header>
      {q.isError && (
        <p className={styles.problem} role="alert">
          <Icon name="warning" size={14} /> {t.flow.failed}: {q.error.message}
        </p>
      )}
      {f && (
        <>
          <Opener.Provider value={setOpened}>
            <Picture f={f} />
          </Opener.Provider>
          {f.ledger && <LedgerStrip ledger={f.ledger} onOpen={() => setOpened({ kind: 'audit', name: '' })} />}
          <Sparklines />
          {opened && (
            <Suspense fallback={null}>
              <Drawer key={`${opened.kind} ${opened.name}`} opened={opened} f={f} onClose={() => setOpened(null)} />
            </Suspense>
          )}
        </>
      )}
    </main>
  );
}

interface Parts {
  agents: AgentStage[];
  files: { agent: string; file: FileStage }[];
  topics: TopicStage[];
  pipelines: PipelineStage[];
  store: StoreStage | null;
}

export function partsOf(f: Flow): Parts {
  const agents = f.stages?.agents ?? [];
  return {
    agents,
    files: agents.flatMap((a) => (a.files ?? []).map((file) => ({ agent: a.id, file }))),
    topics: [...(f.stages?.broker?.topics ?? [])].sort(
      (a, b) => Number(own(a)) - Number(own(b)) || (b.in_s ?? 0) - (a.in_s ?? 0),
    ),
    pipelines: f.stages?.pipelines ?? [],
    store: f.stages?.store ?? null,
  };
}

/** A topic weir writes for itself: it stands behind those that carry lines. */
function own(t: TopicStage): boolean {
  return t.name.startsWith('weir-');
}

/** What is joined with what: width by rate, colour by the age of the oldest waiting record. */
export function linksOf(p: Parts): Link[] {
  const main = p.topics[0];
  const worst = (topic?: TopicStage) => Math.max(0, ...(topic?.groups ?? []).map((g) => g.lag_ms ?? 0));
  const links: Link[] = p.files.slice(0, drawn).map(({ agent, file }) => ({
    from: `file ${agent} ${file.path}`,
    to: `agent ${agent}`,
    rate: file.lines_s ?? 0,
    age: file.oldest_ms ?? 0,
  }));
  for (const a of p.agents) {
    if (main)
      links.push({
        from: `agent ${a.id}`,
        to: `topic ${main.name}`,
        rate: a.acked_s ?? 0,
        age: a.online === false ? 1e9 : 0,
      });
  }
  for (const pipe of p.pipelines) {
    const read = p.topics.filter((t) => (t.groups ?? []).some((g) => g.name === pipe.group));
    for (const topic of read.length > 0 ? read : main ? [main] : []) {
      links.push({ from: `topic ${topic.name}`, to: `pipe ${pipe.name}`, rate: pipe.in_s ?? 0, age: worst(topic) });
    }
    if (p.store) links.push({ from: `pipe ${pipe.name}`, to: 'store', rate: pipe.out_s ?? 0, age: 0 });
  }
  return links;
}

function Picture({ f }: { f: Flow }) {
  const t = useT();
  const parts = partsOf(f);
  return (
    <Edges links={linksOf(parts)} className={styles.picture}>
      <Column title={t.flow.files} empty={parts.files.length === 0}>
        {parts.files.slice(0, drawn).map(({ agent, file }) => (
          <FileNode key={`${agent} ${file.path}`} agent={agent} file={file} />
        ))}
        {parts.files.length > drawn && <p className={styles.rest}>+{parts.files.length - drawn}</p>}
      </Column>
      <Column title={t.flow.agents} empty={parts.agents.length === 0}>
        {parts.agents.map((a) => (
          <AgentNode key={a.id} agent={a} />
        ))}
      </Column>
      <Column title={t.flow.broker} empty={parts.topics.length === 0}>
        {parts.topics.map((topic) => (
          <TopicNode key={topic.name} topic={topic} />
        ))}
      </Column>
      <Column title={t.flow.pipelines} empty={parts.pipelines.length === 0}>
        {parts.pipelines.map((p) => (
          <PipelineNode key={p.name} pipeline={p} />
        ))}
      </Column>
      <Column title={t.flow.store} empty={!parts.store}>
        {parts.store && <StoreNode store={parts.store} />}
      </Column>
    </Edges>
  );
}

function Column({ title, empty, children }: { title: string; empty: boolean; children: ReactNode }) {
  const t = useT();
  return (
    <section className={styles.column}>
      <h2>{title}</h2>
      <div className={styles.nodes}>
        {empty && <p className={styles.none}>{t.flow.none}</p>}
        {children}
      </div>
    </section>
  );
}

interface NodeProps {
  id: string;
  title: ReactNode;
  value?: string;
  bad?: boolean;
  opens?: Opened;
  children?: ReactNode;
}

function Node({ id, title, value, bad, opens, children }: NodeProps) {
  const w = useWords(words);
  const open = useContext(Opener);
  return (
    <article className={cx(styles.node, bad && styles.bad)} data-node={id}>
      <header>
        {opens ? (
          <button
            type="button"
            className={cx(styles.name, styles.opens)}
            title={w.open(opens.name)}
            onClick={() => open(opens)}
          >
            {title}
          </button>
        ) : (
          <span className={styles.name}>{title}</span>
        )}
        {value && <b>{value}</b>}
      </header>
      {children}
    </article>
  );
}

/** Pairs of a word and a figure; absent figures are left out. */
function Facts({ items }: { items: [string, string | null | undefined, boolean?][] }) {
  return (
    <dl className={styles.facts}>
      {items.map(([name, value, bad]) =>
        value === null || value === undefined ? null : (
          <div key={name} data-bad={bad || undefined}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

/** The file and its folder: three services may all write an app.log. */
function fileName(path: string): string {
  return path.split(/[\\/]/).slice(-2).join('/');
}

function FileNode({ agent, file }: { agent: string; file: FileStage }) {
  const t = useT();
  const { lang } = usePrefs();
  const behind = file.behind ?? 0;
  return (
    <Node
      id={`file ${agent} ${file.path}`}
      opens={{ kind: 'agent', name: agent }}
      title={
        <>
          {file.service && <i className={styles.dot} style={{ background: `var(--series-${hue(file.service)})` }} />}
          <span title={file.path}>{fileName(file.path)}</span>
        </>
      }
      value={file.lines_s === undefined ? undefined : t.flow.rate(rate(file.lines_s, lang))}
    >
      <Facts
        items={[
          [t.flow.behind, behind > 0 ? bytes(behind) : t.flow.noLag],
          ['', file.size === undefined ? null : bytes(file.size)],
        ]}
      />
    </Node>
  );
}

function AgentNode({ agent: a }: { agent: AgentStage }) {
  const t = useT();
  const { lang } = usePrefs();
  return (
    <Node
      id={`agent ${a.id}`}
      opens={{ kind: 'agent', name: a.id }}
      bad={a.online === false}
      title={
        <>
          <i
            className={styles.state}
            data-off={a.online === false || undefined}
            title={a.online === false ? t.flow.offline : t.flow.online}
          />
          <span title={a.id}>{a.host || a.id}</span>
        </>
      }
      value={a.acked_s === undefined ? undefined : t.flow.rate(rate(a.acked_s, lang))}
    >
      <Facts
        items={[
          [t.flow.queue, a.queue_pct === undefined ? null : percent(a.queue_pct / 100, lang)],
          [t.flow.retries, a.retries ? short(a.retries, lang) : null, true],
        ]}
      />
    </Node>
  );
}

function TopicNode({ topic }: { topic: TopicStage }) {
  const t = useT();
  const { lang } = usePrefs();
  const partitions = topic.partitions ?? [];
  const most = Math.max(1, ...partitions.map((p) => (p.high ?? 0) - (p.low ?? 0)));
  return (
    <Node
      id={`topic ${topic.name}`}
      opens={{ kind: 'topic', name: topic.name }}
      title={topic.name}
      value={topic.in_s === undefined ? undefined : t.flow.rate(rate(topic.in_s, lang))}
    >
      <table className={styles.table}>
        <tbody>
          {partitions.slice(0, drawn).map((p) => {
            const lag = Math.max(0, ...(p.groups ?? []).map((g) => g.lag ?? 0));
            const ms = Math.max(0, ...(p.groups ?? []).map((g) => g.lag_ms ?? 0));
            return (
              <tr key={p.id}>
                <th scope="row" title={`${t.flow.partition} ${p.id}`}>
                  p{p.id}
                </th>
                <td className={styles.fill}>
                  <i style={{ width: `${Math.max(3, (((p.high ?? 0) - (p.low ?? 0)) / most) * 100)}%` }} />
                </td>
                <td data-age={age(ms)}>
                  {lag === 0 ? '0' : short(lag, lang)}
                  {ms > 0 && <small> {duration(ms, lang)}</small>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {(topic.groups ?? []).map((g) => (
        <Facts
          key={g.name}
          items={[
            [g.name, g.members === undefined ? (g.state ?? '') : t.flow.members(g.members)],
            [
              t.flow.lag,
              g.lag ? `${short(g.lag, lang)}${g.lag_ms ? ` · ${duration(g.lag_ms, lang)}` : ''}` : t.flow.noLag,
              age(g.lag_ms ?? 0) === 'old',
            ],
          ]}
        />
      ))}
    </Node>
  );
}

/** Under five seconds is fresh, over a minute is old. */
export function age(ms: number): 'fresh' | 'late' | 'old' {
  return ms < 5000 ? 'fresh' : ms < 60_000 ? 'late' : 'old';
}

function PipelineNode({ pipeline: p }: { pipeline: PipelineStage }) {
  const t = useT();
  const { lang } = usePrefs();
  return (
    <Node
      id={`pipe ${p.name}`}
      opens={{ kind: 'pipeline', name: p.name }}
      title={p.name}
      value={p.out_s === undefined ? undefined : t.flow.rate(rate(p.out_s, lang))}
    >
      {(p.plugins ?? []).length > 0 && (
        <table className={styles.table}>
          <tbody>
            {(p.plugins ?? []).slice(0, drawn).map((g) => (
              <tr key={g.id} title={g.line}>
                <th scope="row">{g.name}</th>
                <td>{g.ms_per_event === undefined ? '' : duration(g.ms_per_event, lang)}</td>
                <td data-age={g.failures ? 'late' : undefined}>{g.failures ? short(g.failures, lang) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Facts
        items={[
          [t.flow.busy, p.utilization === undefined ? null : percent(p.utilization, lang)],
          [t.flow.failures, p.failures ? short(p.failures, lang) : null, true],
          [t.flow.dropped, p.dropped === undefined ? null : short(p.dropped, lang)],
          [t.flow.dead, p.dead === undefined ? null : short(p.dead, lang), (p.dead ?? 0) > 0],
        ]}
      />
    </Node>
  );
}

function StoreNode({ store: s }: { store: StoreStage }) {
  const t = useT();
  const { lang } = usePrefs();
  return (
    <Node
      id="store"
      title={s.docs === undefined ? t.flow.store : t.flow.docs(s.docs)}
      value={s.docs_s === undefined ? undefined : t.flow.rate(rate(s.docs_s, lang))}
    >
      {(s.indices ?? []).length > 0 && (
        <table className={styles.table}>
          <tbody>
            {(s.indices ?? []).slice(0, drawn).map((x) => (
              <tr key={x.name}>
                <th scope="row" className={styles.long} title={x.name}>
                  {x.name.replace(/^\.ds-/, '')}
                </th>
                <td>{x.docs === undefined ? '' : short(x.docs, lang)}</td>
                <td>{x.bytes === undefined ? '' : bytes(x.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Facts
        items={[
          [t.flow.newest, s.newest_ms ? ago(Math.min(s.newest_ms, Date.now()), Date.now(), lang) : null],
          [t.flow.bulk, s.bulk_ms === undefined ? null : duration(s.bulk_ms, lang)],
          ['', s.bytes === undefined || s.indices?.length === 1 ? null : bytes(s.bytes)],
          [t.flow.rejected, s.rejected ? short(s.rejected, lang) : null, true],
        ]}
      />
    </Node>
  );
}
