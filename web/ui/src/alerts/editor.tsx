import { type FormEvent, useEffect, useMemo, useState } from 'react';
import * as api from '../api';
import { chartOf } from '../chart/data';
import { TimeChart } from '../chart/time';
import { useWords } from '../i18n/words';
import { composing } from '../ime';
import { Button, IconButton } from '../kit/button';
import * as alerts from './api';
import styles from './page.module.css';
import { words } from './words';

interface Props {
  id?: string;
  version?: string;
  rule: alerts.Rule;
  onClose(): void;
}

/** Milliseconds without a key before the preview is computed. */
const pause = 500;

function usePreview(rule: alerts.Rule): { preview: alerts.Preview | null; problem: string } {
  const [preview, setPreview] = useState<alerts.Preview | null>(null);
  const [problem, setProblem] = useState('');
  const key = JSON.stringify({ ...rule, name: 'preview', actions: [], enabled: true });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      alerts
        .preview(JSON.parse(key) as alerts.Rule, abort.signal)
        .then((p) => {
          setPreview(p);
          setProblem('');
        })
        .catch((e) => !abort.signal.aborted && setProblem((e as Error).message));
    }, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return { preview, problem };
}

export function RuleEditor({ id, version, rule, onClose }: Props) {
  const w = useWords(words);
  const [r, setRule] = useState(rule);
  const [problem, setProblem] = useState('');
  const set = (patch: Partial<alerts.Rule>) => setRule({ ...r, ...patch });
  const { preview, problem: unseen } = usePreview(r);
  const compared = r.kind === 'count' || r.kind === 'ratio';
  const save = async (e: FormEvent) => {
    e.preventDefault();
    try {
      await alerts.save(r, id, version);
      onClose();
    } catch (err) {
      setProblem((err as Error).message);
    }
  };
  return (
    <form
      className={styles.editor}
      aria-label={id ? w.edit : w.create}
      onSubmit={save}
      onKeyDown={(e) => {
        if (e.key === 'Escape' && !composing(e)) onClose();
      }}
    >
      <div className={styles.fields}>
        <label>
          <span>{w.name}</span>
          <input value={r.name} required onChange={(e) => set({ name: e.target.value })} />
        </label>
        <label className={styles.check}>
          <input type="checkbox" checked={r.enabled} onChange={(e) => set({ enabled: e.target.checked })} />
          <span>{w.enabled}</span>
        </label>
        <label>
          <span>{w.kind}</span>
          <select value={r.kind} onChange={(e) => set({ kind: e.target.value as alerts.Kind })}>
            {Object.entries(w.kinds).map(([kind, name]) => (
              <option key={kind} value={kind}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{w.index}</span>
          <input spellCheck={false} value={r.index} onChange={(e) => set({ index: e.target.value })} />
        </label>
        <label>
          <span>
            {w.query} ({r.lang === 'lucene' ? 'Lucene' : 'KQL'})
          </span>
          <input spellCheck={false} value={r.query} onChange={(e) => set({ query: e.target.value })} />
        </label>
        {r.kind === 'ratio' && (
          <label>
            <span>{w.part} (KQL)</span>
            <input spellCheck={false} value={r.part ?? ''} onChange={(e) => set({ part: e.target.value })} />
          </label>
        )}
        {r.kind !== 'new_pattern' && (
          <label>
            <span>{w.group}</span>
            <input spellCheck={false} value={r.group_by ?? ''} onChange={(e) => set({ group_by: e.target.value })} />
          </label>
        )}
        {compared && (
          <fieldset>
            <legend>{w.condition}</legend>
            <div className={styles.pair}>
              <select aria-label={w.condition} value={r.op} onChange={(e) => set({ op: e.target.value })}>
                {['>', '>=', '<', '<='].map((op) => (
                  <option key={op}>{op}</option>
                ))}
              </select>
              <input
                type="number"
                step="any"
                aria-label={w.condition}
                value={r.threshold}
                onChange={(e) => set({ threshold: Number(e.target.value) })}
              />
            </div>
          </fieldset>
        )}
        <div className={styles.pair}>
          <Duration name={w.window} value={r.window} onChange={(window) => set({ window })} />
          <Duration name={w.every} value={r.every} onChange={(every) => set({ every })} />
        </div>
        <div className={styles.pair}>
          <Duration name={w.hold} value={r.for ?? ''} onChange={(v) => set({ for: v })} />
          <Duration name={w.repeat} value={r.repeat ?? ''} onChange={(repeat) => set({ repeat })} />
        </div>
        <p className={styles.muted}>{w.durations}</p>
        <PreviewChart rule={r} preview={preview} problem={unseen} />
        <Actions rule={r} onChange={(actions) => set({ actions })} />
      </div>
      {problem && (
        <p className={styles.error} role="alert">
          {problem}
        </p>
      )}
      <footer>
        <Button kind="quiet" onClick={onClose}>
          {w.cancel}
        </Button>
        <Button type="submit" kind="accent" disabled={r.name.trim() === ''}>
          {w.save}
        </Button>
      </footer>
    </form>
  );
}

function Duration({ name, value, onChange }: { name: string; value: string; onChange(v: string): void }) {
  return (
    <label>
      <span>{name}</span>
      <input spellCheck={false} value={value} onChange={(e) => onChange(e.target.value.trim())} />
    </label>
  );
}

function PreviewChart({
  rule,
  preview: p,
  problem,
}: {
  rule: alerts.Rule;
  preview: alerts.Preview | null;
  problem: string;
}) {
  const w = useWords(words);
  const compared = rule.kind === 'count' || rule.kind === 'ratio';
  const chart = useMemo(() => {
    const points = p?.points ?? [];
    const line = compared ? points.map((x) => [x.t, x.value, rule.threshold]) : points.map((x) => [x.t, x.value]);
    const c = chartOf({
      kind: 'line',
      columns: [
        { name: 't', kind: 'date', dim: true, op: 'date_histogram' },
        { name: w.now, kind: 'number', op: 'count' },
        ...(compared ? [{ name: `${rule.op} ${rule.threshold}`, kind: 'number' as const, op: 'static_value' }] : []),
      ],
      rows: line,
      total: 0,
    });
    if (c.series[1]) c.series[1].color = '--bar-error';
    return c;
  }, [p, compared, rule.threshold, rule.op, w]);
  if (rule.kind === 'new_pattern') return <p className={styles.muted}>{w.noPreview}</p>;
  const points = p?.points ?? [];
  return (
    <fieldset className={styles.preview}>
      <legend>{w.preview}</legend>
      {problem ? (
        <p className={styles.error}>{problem}</p>
      ) : (
        p && (
          <>
            <p role="status">
              <b data-fired={p.fired > 0 || undefined}>{w.fired(p.fired)}</b>
              {rule.group_by && ` ${w.groups(p.groups)}`}
              {!p.exact && ` · ${w.approximate}`}
            </p>
            {points.length > 0 && (
              <div className={styles.plot}>
                <TimeChart
                  chart={chart}
                  kind="line"
                  stack="none"
                  from={points[0].t}
                  to={points[points.length - 1].t}
                  label={w.preview}
                />
              </div>
            )}
          </>
        )
      )}
    </fieldset>
  );
}

function Actions({ rule, onChange }: { rule: alerts.Rule; onChange(list: alerts.Action[]): void }) {
  const w = useWords(words);
  const list = rule.actions ?? [];
  const [told, setTold] = useState<Record<number, string>>({});
  const set = (i: number, patch: Partial<alerts.Action>) =>
    onChange(list.map((a, j) => (j === i ? { ...a, ...patch } : a)));
  const test = async (i: number) => {
    try {
      await alerts.test({ ...rule, name: rule.name || 'test' }, list[i]);
      setTold({ ...told, [i]: w.sent });
    } catch (e) {
      setTold({ ...told, [i]: e instanceof api.ApiError ? e.reason : String(e) });
    }
  };
  return (
    <fieldset>
      <legend>{w.actions}</legend>
      {list.length === 0 && <p className={styles.muted}>{w.noActions}</p>}
      {list.map((a, i) => (
        <div key={i} className={styles.action}>
          <div className={styles.pair}>
            <select
              aria-label={w.actions}
              value={a.type}
              onChange={(e) => set(i, { type: e.target.value as alerts.Action['type'] })}
            >
              {Object.entries(w.types).map(([type, name]) => (
                <option key={type} value={type}>
                  {name}
                </option>
              ))}
            </select>
            <Button kind="quiet" onClick={() => void test(i)}>
              {w.test}
            </Button>
            <IconButton
              icon="close"
              size={12}
              label={w.remove}
              onClick={() => onChange(list.filter((_, j) => j !== i))}
            />
          </div>
          {a.type === 'email' ? (
            <input
              spellCheck={false}
              placeholder={w.to}
              aria-label={w.to}
              value={a.to ?? ''}
              onChange={(e) => set(i, { to: e.target.value })}
            />
          ) : (
            <input
              spellCheck={false}
              placeholder={w.url}
              aria-label={w.url}
              value={a.url ?? ''}
              onChange={(e) => set(i, { url: e.target.value })}
            />
          )}
          <textarea
            rows={2}
            spellCheck={false}
            placeholder={w.template}
            aria-label={w.template}
            value={a.template ?? ''}
            onChange={(e) => set(i, { template: e.target.value })}
          />
          {a.type === 'email' && <p className={styles.muted}>{w.mail}</p>}
          {told[i] && (
            <p className={told[i] === w.sent ? styles.muted : styles.error} role="status">
              {told[i]}
            </p>
          )}
        </div>
      ))}
      <Button kind="quiet" icon="plus" onClick={() => onChange([...list, { type: 'webhook', url: '' }])}>
        {w.addAction}
      </Button>
    </fieldset>
  );
}
