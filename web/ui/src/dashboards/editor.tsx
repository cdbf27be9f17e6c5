// The editor at the right: the chart as it will be, and its parts as a form or as JSON.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';
import * as api from '../api';
import { useWords } from '../i18n/words';
import { composing } from '../ime';
import { Button, IconButton } from '../kit/button';
import { cx } from '../kit/cx';
import type { Panel } from './api';
import { PanelBody } from './body';
import {
  blank,
  build,
  type Draft,
  draftOf,
  kinds,
  type MetricDraft,
  needsGroup,
  newMetric,
  type TermsDraft,
  takesGroups,
  takesMetrics,
} from './draft';
import styles from './editor.module.css';
import { type Scope, usePanels } from './run';
import { words } from './words';

interface Props {
  panel: Panel;
  scope: Scope;
  from: number;
  to: number;
  onChange(p: Panel): void;
  onDone(): void;
  onRemove(): void;
}

/** Milliseconds without a key before the chart is computed again. */
const pause = 350;

export function Editor({ panel, scope, from, to, onChange, onDone, onRemove }: Props) {
  const w = useWords(words);
  const [draft, setDraft] = useState<Draft | null>(() => draftOf(panel));
  const [tab, setTab] = useState<'form' | 'json'>(draft ? 'form' : 'json');
  const [shown, setShown] = useState(panel);
  useEffect(() => {
    const timer = setTimeout(() => setShown(panel), pause);
    return () => clearTimeout(timer);
  }, [panel]);
  const run = usePanels([shown], scope, 0);
  const change = (patch: Partial<Draft>) => {
    const next = { ...(draft ?? blank), ...patch };
    setDraft(next);
    onChange({ ...panel, ...build(next, panel.config) });
  };
  const viaJson = (p: Panel) => {
    setDraft(draftOf(p));
    onChange(p);
  };
  return (
    <aside
      className={styles.editor}
      aria-label={w.editPanel}
      onKeyDown={(e) => {
        if (e.key === 'Escape' && !composing(e)) onDone();
      }}
    >
      <header>
        <h2>{w.editPanel}</h2>
        <span className={styles.tabs} role="tablist">
          {(['form', 'json'] as const).map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={tab === name}
              className={cx(tab === name && styles.on)}
              onClick={() => setTab(name)}
            >
              {w[name]}
            </button>
          ))}
        </span>
      </header>
      <div className={styles.preview}>
        <PanelBody panel={shown} picture={run.pictures[shown.id]} from={from} to={to} />
      </div>
      <div className={styles.fields}>
        {tab === 'json' ? (
          <JsonForm panel={panel} onChange={viaJson} />
        ) : draft ? (
          <Form draft={draft} onChange={change} />
        ) : (
          <p className={styles.note}>{w.jsonOnly}</p>
        )}
      </div>
      <footer>
        <Button icon="trash" kind="quiet" onClick={onRemove}>
          {w.removePanel}
        </Button>
        <Button kind="accent" onClick={onDone}>
          {w.done}
        </Button>
      </footer>
    </aside>
  );
}

function JsonForm({ panel, onChange }: { panel: Panel; onChange(p: Panel): void }) {
  const w = useWords(words);
  const [text, setText] = useState(() => JSON.stringify({ type: panel.type, config: panel.config }, null, 2));
  const [bad, setBad] = useState(false);
  return (
    <label className={styles.json}>
      <span>{bad ? w.badJson : w.definition}</span>
      <textarea
        spellCheck={false}
        aria-invalid={bad}
        value={text}
        onChange={(e) => {
          setText(e.target.value);
          try {
            const v = JSON.parse(e.target.value);
            const ok = typeof v.type === 'string' && typeof v.config === 'object' && v.config !== null;
            setBad(!ok);
            if (ok) onChange({ ...panel, type: v.type, config: v.config });
          } catch {
            setBad(true);
          }
        }}
      />
    </label>
  );
}

function Form({ draft: d, onChange }: { draft: Draft; onChange(patch: Partial<Draft>): void }) {
  const w = useWords(words);
  const fields = useQuery({
    queryKey: ['fields', d.index],
    queryFn: ({ signal }) => api.fields(d.index, signal),
    staleTime: 10_000,
  });
  const list = fields.data?.fields ?? [];
  const id = useId();
  const stacks = takesGroups(d.kind) > 0 && ['area', 'bar', 'category', 'top'].includes(d.kind);
  return (
    <>
      <datalist id={`${id}-any`}>
        {list
          .filter((f) => f.aggregatable)
          .map((f) => (
            <option key={f.name} value={f.name} />
          ))}
      </datalist>
      <datalist id={`${id}-number`}>
        {list
          .filter((f) => f.aggregatable && /long|integer|short|byte|double|float|unsigned|date|scaled/.test(f.type))
          .map((f) => (
            <option key={f.name} value={f.name} />
          ))}
      </datalist>
      <label>
        <span>{w.panelTitle}</span>
        <input value={d.title} onChange={(e) => onChange({ title: e.target.value })} />
      </label>
      <fieldset className={styles.kinds}>
        <legend>{w.chart}</legend>
        {kinds.map((k) => (
          <button
            key={k}
            type="button"
            aria-pressed={k === d.kind}
            className={cx(k === d.kind && styles.on)}
            onClick={() =>
              onChange({
                kind: k,
                groups:
                  needsGroup(k) && d.groups.length === 0
                    ? [{ field: 'log.level', limit: 10, others: false }]
                    : d.groups.slice(0, takesGroups(k)),
              })
            }
          >
            {w.kinds[k]}
          </button>
        ))}
      </fieldset>
      {d.kind === 'markdown' ? (
        <label>
          <span>{w.text}</span>
          <textarea rows={14} value={d.text} onChange={(e) => onChange({ text: e.target.value })} />
        </label>
      ) : (
        <>
          <label>
            <span>{w.index}</span>
            <input spellCheck={false} value={d.index} onChange={(e) => onChange({ index: e.target.value })} />
          </label>
          <label>
            <span>{w.query}</span>
            <input spellCheck={false} value={d.query} onChange={(e) => onChange({ query: e.target.value })} />
          </label>
        </>
      )}
      {d.kind === 'logs' && (
        <label>
          <span>{w.fieldColumns}</span>
          <input spellCheck={false} value={d.columns} onChange={(e) => onChange({ columns: e.target.value })} />
        </label>
      )}
      {takesMetrics(d.kind) > 0 && <Metrics d={d} numbers={`${id}-number`} any={`${id}-any`} onChange={onChange} />}
      {takesGroups(d.kind) > 0 && <Groups d={d} any={`${id}-any`} onChange={onChange} />}
      {stacks && (
        <label>
          <span>{w.stack}</span>
          <select value={d.stack} onChange={(e) => onChange({ stack: e.target.value as Draft['stack'] })}>
            {Object.entries(w.stacks).map(([k, name]) => (
              <option key={k} value={k}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {d.kind === 'pie' && (
        <label className={styles.check}>
          <input type="checkbox" checked={d.donut} onChange={(e) => onChange({ donut: e.target.checked })} />
          <span>{w.donut}</span>
        </label>
      )}
    </>
  );
}

interface PartProps {
  d: Draft;
  any: string;
  onChange(patch: Partial<Draft>): void;
}

function Metrics({ d, numbers, any, onChange }: PartProps & { numbers: string }) {
  const w = useWords(words);
  const list = d.metrics.slice(0, takesMetrics(d.kind));
  const set = (i: number, patch: Partial<MetricDraft>) =>
    onChange({ metrics: d.metrics.map((m, j) => (j === i ? { ...m, ...patch } : m)) });
  return (
    <fieldset>
      <legend>{w.values}</legend>
      {list.map((m, i) => (
        <div key={i} className={styles.part}>
          <select aria-label={w.values} value={m.operation} onChange={(e) => set(i, { operation: e.target.value })}>
            {Object.entries(w.operations).map(([op, name]) => (
              <option key={op} value={op}>
                {name}
              </option>
            ))}
          </select>
          {m.operation !== 'count' && (
            <input
              list={m.operation === 'unique_count' || m.operation === 'last_value' ? any : numbers}
              spellCheck={false}
              placeholder={w.field}
              aria-label={w.field}
              value={m.field}
              onChange={(e) => set(i, { field: e.target.value })}
            />
          )}
          {m.operation === 'percentile' && (
            <input
              type="number"
              min={0}
              max={100}
              step="any"
              aria-label={w.percentile}
              value={m.percentile}
              onChange={(e) => set(i, { percentile: Number(e.target.value) })}
            />
          )}
          <input
            placeholder={w.onlyWhere}
            aria-label={w.onlyWhere}
            spellCheck={false}
            value={m.filter}
            onChange={(e) => set(i, { filter: e.target.value })}
          />
          <input
            placeholder={w.label}
            aria-label={w.label}
            value={m.label}
            onChange={(e) => set(i, { label: e.target.value })}
          />
          {list.length > 1 && (
            <IconButton
              icon="close"
              size={12}
              label={w.remove}
              onClick={() => onChange({ metrics: d.metrics.filter((_, j) => j !== i) })}
            />
          )}
        </div>
      ))}
      {list.length < takesMetrics(d.kind) && (
        <Button kind="quiet" icon="plus" onClick={() => onChange({ metrics: [...list, newMetric()] })}>
          {w.addValue}
        </Button>
      )}
    </fieldset>
  );
}

function Groups({ d, any, onChange }: PartProps) {
  const w = useWords(words);
  const set = (i: number, patch: Partial<TermsDraft>) =>
    onChange({ groups: d.groups.map((g, j) => (j === i ? { ...g, ...patch } : g)) });
  const overTime = d.kind === 'line' || d.kind === 'area' || d.kind === 'bar';
  const name = d.kind === 'table' ? w.rows : overTime || d.kind === 'metric' ? w.breakdown : w.groupBy;
  return (
    <fieldset>
      <legend>{name}</legend>
      {d.groups.map((g, i) => (
        <div key={i} className={styles.part}>
          <input
            list={any}
            spellCheck={false}
            placeholder={w.field}
            aria-label={w.field}
            value={g.field}
            onChange={(e) => set(i, { field: e.target.value })}
          />
          <label className={styles.limit}>
            <span>{w.top}</span>
            <input
              type="number"
              min={1}
              max={1000}
              value={g.limit}
              onChange={(e) => set(i, { limit: Math.max(1, Math.min(1000, Number(e.target.value) || 1)) })}
            />
          </label>
          {i === 0 && (
            <label className={styles.check}>
              <input type="checkbox" checked={g.others} onChange={(e) => set(i, { others: e.target.checked })} />
              <span>{w.others}</span>
            </label>
          )}
          <IconButton
            icon="close"
            size={12}
            label={w.remove}
            onClick={() => onChange({ groups: d.groups.filter((_, j) => j !== i) })}
          />
        </div>
      ))}
      {d.groups.length < takesGroups(d.kind) && (
        <Button
          kind="quiet"
          icon="plus"
          onClick={() => onChange({ groups: [...d.groups, { field: '', limit: 10, others: false }] })}
        >
          {name}
        </Button>
      )}
    </fieldset>
  );
}
