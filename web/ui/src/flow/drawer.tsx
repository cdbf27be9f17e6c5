// What stands behind a node of the picture: opened beside it, so that the flow stays in sight.

import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { bytes, duration, number, rate, short, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import { usePrefs } from '../prefs';
import type { AgentStage, Flow } from './api';
import { AuditPane } from './audit';
import { DeadLetters } from './dead';
import styles from './drawer.module.css';
import { partsOf } from './page';
import { GroupPane, Messages, Partitions, Settings } from './topic';
import { words } from './words';

export interface Opened {
  kind: 'topic' | 'pipeline' | 'agent' | 'audit';
  name: string;
}

export function Drawer({ opened, f, onClose }: { opened: Opened; f: Flow; onClose(): void }) {
  const w = useWords(words);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.focus();
    return () => before?.focus();
  }, []);
  const parts = partsOf(f);
  const agent = parts.agents.find((a) => a.id === opened.name);
  const title = opened.kind === 'audit' ? w.auditTitle : opened.kind === 'agent' ? (agent?.host ?? '') : opened.name;
  return (
    <div
      className={styles.drawer}
      ref={box}
      tabIndex={-1}
      role="dialog"
      aria-label={title}
      onKeyDown={(e) => {
        if (e.key === 'Escape') onClose();
      }}
    >
      <header className={styles.head}>
        <h2>{title}</h2>
        <IconButton icon="close" label={w.close} onClick={onClose} />
      </header>
      {opened.kind === 'topic' && <TopicPane name={opened.name} />}
      {opened.kind === 'pipeline' && <PipelinePane name={opened.name} f={f} />}
      {opened.kind === 'agent' && agent && <AgentPane a={agent} />}
      {opened.kind === 'audit' && <AuditPane />}
    </div>
  );
}

function Tabs<T extends string>({ list, children }: { list: T[]; children(tab: T): ReactNode }) {
  const w = useWords(words);
  const [tab, setTab] = useState<T>(list[0]);
  return (
    <>
      <div role="tablist" className={styles.tabs}>
        {list.map((x) => (
          <button key={x} type="button" role="tab" aria-selected={x === tab} onClick={() => setTab(x)}>
            {w.tabs[x]}
          </button>
        ))}
      </div>
      {children(tab)}
    </>
  );
}

function TopicPane({ name }: { name: string }) {
  return (
    <Tabs key={name} list={['messages', 'partitions', 'groups', 'settings']}>
      {(tab) => (
        <>
          {tab === 'messages' && <Messages name={name} />}
          {tab === 'partitions' && <Partitions name={name} />}
          {tab === 'groups' && <GroupPane name={name} />}
          {tab === 'settings' && <Settings name={name} />}
        </>
      )}
    </Tabs>
  );
}

function PipelinePane({ name, f }: { name: string; f: Flow }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const [, navigate] = useLocation();
  const p = f.stages?.pipelines?.find((x) => x.name === name);
  return (
    <Tabs key={name} list={['plugins', 'dead']}>
      {(tab) =>
        tab === 'dead' ? (
          <DeadLetters pipeline={name} />
        ) : (
          <div className={styles.body}>
            <p className={styles.row}>
              <Button icon="edit" onClick={() => navigate(`/pipelines?id=${encodeURIComponent(name)}`)}>
                {w.edit}
              </Button>
            </p>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">{w.plugin}</th>
                  <th scope="col">{w.perEvent}</th>
                  <th scope="col">{w.in}</th>
                  <th scope="col">{w.out}</th>
                  <th scope="col">{w.failures}</th>
                </tr>
              </thead>
              <tbody>
                {(p?.plugins ?? []).map((g) => (
                  <tr key={g.id}>
                    <th scope="row">
                      {g.name} <small>{g.line}</small>
                    </th>
                    <td>{g.ms_per_event === undefined ? '' : duration(g.ms_per_event, lang)}</td>
                    <td>{short(g.in ?? 0, lang)}</td>
                    <td>{short(g.out ?? 0, lang)}</td>
                    <td data-bad={g.failures ? true : undefined}>{number(g.failures ?? 0, lang)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Tabs>
  );
}

function AgentPane({ a }: { a: AgentStage }) {
  const t = useT();
  const w = useWords(words);
  const { lang } = usePrefs();
  return (
    <div className={styles.body}>
      <p className={styles.muted}>
        {a.id} · {a.version} · {a.online === false ? t.flow.offline : w.lastSeen}
      </p>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{w.file}</th>
            <th scope="col">{w.lines}</th>
            <th scope="col">{w.size}</th>
            <th scope="col">{w.behind}</th>
            <th scope="col">{w.oldestEvent}</th>
          </tr>
        </thead>
        <tbody>
          {(a.files ?? []).map((file) => (
            <tr key={file.path}>
              <th scope="row" className={styles.path}>
                {file.path}
              </th>
              <td>{rate(file.lines_s ?? 0, lang)}</td>
              <td>{bytes(file.size ?? 0)}</td>
              <td>{file.behind ? bytes(file.behind) : t.flow.noLag}</td>
              <td>{file.behind && file.oldest_ms ? duration(file.oldest_ms, lang) : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
