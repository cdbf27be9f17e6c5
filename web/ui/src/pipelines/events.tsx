// Records of the topic, and what each filter makes of them.

import { useState } from 'react';
import { duration } from '../i18n';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import { Icon } from '../kit/icon';
import { Message } from '../kit/message';
import { usePrefs } from '../prefs';
import { clock } from '../time';
import type * as api from './api';
import styles from './page.module.css';
import { failing, type PreviewState, text } from './preview';
import { words } from './words';

interface Props {
  p: PreviewState;
  topics: string[];
  onVisit(place: string): void;
  onLine(text: string): void;
}

export function Events({ p, topics, onVisit, onLine }: Props) {
  const w = useWords(words);
  const [only, setOnly] = useState(false);
  const [open, setOpen] = useState<number | null>(0);
  const traced = p.shown?.after ?? p.shown?.before ?? [];
  const records = p.shown?.records ?? [];
  const list = only ? traced.filter(failing) : traced;
  return (
    <>
      <Source p={p} topics={topics} only={only} setOnly={setOnly} />
      {p.failure && (
        <p className={styles.trouble} role="alert">
          {w.previewFailed}: {p.failure}
        </p>
      )}
      {p.stale && p.shown && <p className={styles.remark}>{w.stale}</p>}
      <ul className={styles.events} data-stale={p.stale || undefined}>
        {p.shown && list.length === 0 && <li className={styles.empty}>{only ? w.noFailing : w.noEvents}</li>}
        {list.map((t) => (
          <EventRow
            key={t.record}
            t={t}
            record={records[t.record]}
            open={open === t.record}
            onOpen={() => setOpen(open === t.record ? null : t.record)}
            onVisit={onVisit}
            onLine={onLine}
          />
        ))}
      </ul>
    </>
  );
}

interface SourceProps {
  p: PreviewState;
  topics: string[];
  only: boolean;
  setOnly(v: boolean): void;
}

function Source({ p, topics, only, setOnly }: SourceProps) {
  const w = useWords(words);
  const { sample, setSample } = p;
  const pasted = sample.lines !== undefined;
  const froms: [string, string][] = [
    ['newest', w.newest],
    ['-5m', w.back('5 min')],
    ['-1h', w.back('1 h')],
    ['-24h', w.back('24 h')],
    ['oldest', w.oldest],
  ];
  return (
    <div className={styles.source}>
      <select
        aria-label={w.topic}
        value={pasted ? ' ' : sample.topic}
        onChange={(e) =>
          setSample(e.target.value === ' ' ? { lines: [] } : { topic: e.target.value, count: 50, from: 'newest' })
        }
      >
        {topics.map((t) => (
          <option key={t} value={t}>
            {t}
          </option>
        ))}
        <option value=" ">{w.lines}</option>
      </select>
      {!pasted && (
        <>
          <select
            aria-label={w.from}
            value={sample.from}
            onChange={(e) => setSample({ ...sample, from: e.target.value })}
          >
            {froms.map(([v, name]) => (
              <option key={v} value={v}>
                {name}
              </option>
            ))}
          </select>
          <select
            aria-label={w.count}
            value={sample.count}
            onChange={(e) => setSample({ ...sample, count: Number(e.target.value) })}
          >
            {[10, 50, 100, 500].map((n) => (
              <option key={n}>{n}</option>
            ))}
          </select>
          <input
            aria-label={w.contains}
            placeholder={w.contains}
            defaultValue={sample.contains}
            onBlur={(e) => setSample({ ...sample, contains: e.target.value || undefined })}
            onKeyDown={(e) => {
              if (e.key === 'Enter' && !e.nativeEvent.isComposing) e.currentTarget.blur();
            }}
          />
          <IconButton icon="refresh" size={14} label={w.again} onClick={p.again} />
        </>
      )}
      <span className={styles.grow} />
      <label>
        <input type="checkbox" checked={only} onChange={(e) => setOnly(e.target.checked)} /> {w.onlyFailing}
      </label>
      {pasted && (
        <textarea
          className={styles.paste}
          aria-label={w.paste}
          placeholder={w.paste}
          rows={4}
          onChange={(e) => setSample({ lines: e.target.value.split('\n').filter(Boolean) })}
        />
      )}
    </div>
  );
}

interface RowProps {
  t: api.Traced;
  record?: api.Sampled;
  open: boolean;
  onOpen(): void;
  onVisit(place: string): void;
  onLine(text: string): void;
}

/** The line of a record: the message of a shipper's JSON, else the whole value. */
export function lineOf(value: string): string {
  try {
    const v = JSON.parse(value) as { message?: unknown };
    return typeof v?.message === 'string' ? v.message : value;
  } catch {
    return value;
  }
}

function EventRow({ t, record, open, onOpen, onVisit, onLine }: RowProps) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const steps = t.steps ?? [];
  const line = lineOf(record?.value ?? '');
  const drop = steps.find((s) => s.dropped);
  const micros = steps.reduce((n, s) => n + s.micros, 0);
  return (
    <li className={styles.event} data-bad={failing(t) || undefined}>
      <button type="button" className={styles.line} aria-expanded={open} onClick={onOpen}>
        <Icon name={open ? 'down' : 'right'} size={12} />
        <time>{record ? clock(Date.parse(record.time)) : ''}</time>
        <span className={styles.message}>
          <Message text={line.slice(0, 2000)} hits={null} flat />
        </span>
        {drop && <em>{w.dropped}</em>}
        <span className={styles.cost}>{duration(micros / 1000, lang)}</span>
      </button>
      {open && (
        <div className={styles.steps}>
          <p className={styles.original}>
            <span>{record?.topic ? `${record.topic}-${record.partition}@${record.offset}` : w.original}</span>
            <Button kind="quiet" icon="bolt" onClick={() => onLine(line)}>
              {w.tabs.helper}
            </Button>
          </p>
          {steps.map((s, i) => (
            <StepView key={i} s={s} onVisit={onVisit} />
          ))}
          {t.failure && <p className={styles.bad}>{t.failure}</p>}
          {(t.outputs ?? []).map((o, i) => (
            <Result key={i} o={o} />
          ))}
        </div>
      )}
    </li>
  );
}

function StepView({ s, onVisit }: { s: api.Step; onVisit(place: string): void }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const quiet = !s.added && !s.changed && !s.removed && !s.dropped && !s.split_into && !s.tags?.length && !s.skipped;
  return (
    <div className={styles.step}>
      <button type="button" className={styles.place} onClick={() => onVisit(s.place)} title={s.place}>
        <b>{s.plugin}</b>
        <span>{s.place}</span>
        <i>{duration(s.micros / 1000, lang)}</i>
      </button>
      <ul>
        {quiet && <li className={styles.muted}>{w.untouched}</li>}
        {(s.added ?? []).map((c) => (
          <DiffLine key={`+${c.field}`} kind="+" c={c} />
        ))}
        {(s.changed ?? []).map((c) => (
          <DiffLine key={`~${c.field}`} kind="~" c={c} />
        ))}
        {(s.removed ?? []).map((c) => (
          <DiffLine key={`-${c.field}`} kind="−" c={c} />
        ))}
        {(s.tags ?? []).map((tag) => (
          <li key={tag} className={styles.bad}>
            {tag}
          </li>
        ))}
        {s.split_into ? <li>{w.split(s.split_into)}</li> : null}
        {s.dropped && <li className={styles.bad}>{w.dropped}</li>}
        {s.skipped && <li className={styles.muted}>{w.skipped}</li>}
        {s.why && <li className={styles.why}>{s.why}</li>}
      </ul>
    </div>
  );
}

export function DiffLine({ kind, c }: { kind: '+' | '~' | '−'; c: api.Change }) {
  return (
    <li className={styles.diff} data-kind={kind}>
      <i>{kind}</i>
      <span>{c.field}</span>
      {kind === '~' ? (
        <code>
          <del>{text(c.old).slice(0, 160)}</del>
          <ins>{text(c.new).slice(0, 400)}</ins>
        </code>
      ) : (
        <code>{text(kind === '+' ? c.new : c.old).slice(0, 400)}</code>
      )}
    </li>
  );
}

function Result({ o }: { o: api.Output }) {
  const w = useWords(words);
  return (
    <details className={styles.result}>
      <summary>
        {w.result} <b>{o.plugin}</b> {o.index ?? ''}
      </summary>
      <pre tabIndex={0}>{pretty(o.document)}</pre>
    </details>
  );
}

function pretty(doc: string): string {
  try {
    return JSON.stringify(JSON.parse(doc), null, 2);
  } catch {
    return doc;
  }
}
