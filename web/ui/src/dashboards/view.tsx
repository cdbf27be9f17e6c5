// One dashboard: its panels under one search, time range, filters and controls; and the same being edited.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import * as api from '../api';
import { carry } from '../carry';
import { Filters } from '../explore/filters';
import { withFilter } from '../explore/state';
import { LangMenu } from '../explore/topbar';
import { useT } from '../i18n';
import { useWords } from '../i18n/words';
import { useKeys } from '../keys';
import { Button, IconButton } from '../kit/button';
import { cx } from '../kit/cx';
import { Icon } from '../kit/icon';
import layer from '../kit/layer.module.css';
import { QueryBar, type QueryBarHandle } from '../kit/querybar';
import { TimePicker } from '../kit/timepicker';
import { bounds, shifted } from '../time';
import { defaults, type ExploreState, type Filter, format } from '../url';
import * as dash from './api';
import { Controls } from './controls';
import { Editor } from './editor';
import { GridView, type Handle } from './gridview';
import { freePlace, isSection, panelsOf } from './layout';
import { PanelFrame, titleOf } from './panel';
import { type Scope, usePanels } from './run';
import { type Choice, controlFilters, type DashState, ownFilters, type SetDash, useDashState } from './state';
import styles from './view.module.css';
import { words } from './words';

/** A fresh id for a panel. */
function panelId(): string {
  return crypto.getRandomValues(new Uint32Array(2)).reduce((s, n) => s + n.toString(36), 'p');
}

export default function DashboardPage() {
  const { id = '' } = useParams<{ id: string }>();
  const w = useWords(words);
  const [, navigate] = useLocation();
  const q = useQuery({
    queryKey: ['dashboard', id],
    queryFn: ({ signal }) => dash.load(id, signal),
    enabled: id !== 'new',
    retry: (n, e) => n < 2 && e instanceof api.ApiError && e.passing,
    staleTime: 30_000,
  });
  const fresh = useMemo<dash.Content>(
    () => ({ id: 'new', data: { title: w.untitled, description: '', panels: [] }, meta: { managed: false } }),
    [w],
  );
  const content = id === 'new' ? fresh : q.data;
  if (!content) {
    return (
      <main className={styles.page}>
        <div className={styles.center} role="status">
          <h1>
            {q.error
              ? q.error instanceof api.ApiError && q.error.status === 404
                ? w.missing
                : q.error.message
              : w.loading}
          </h1>
          {q.error && <Button onClick={() => navigate('/dashboards')}>{w.back}</Button>}
        </div>
      </main>
    );
  }
  return <View key={id} content={content} />;
}

/** The dashboard as it is shown: as stored, or as it is being edited. */
function useDraft(content: dash.Content, editing: boolean) {
  const [draft, setDraft] = useState<dash.Dashboard | null>(null);
  const data = editing ? (draft ?? content.data) : content.data;
  const change = useCallback(
    (f: (d: dash.Dashboard) => dash.Dashboard) => setDraft((d) => f(d ?? content.data)),
    [content.data],
  );
  return { data, changed: draft !== null && draft !== content.data, change, reset: () => setDraft(null) };
}

function View({ content }: { content: dash.Content }) {
  const w = useWords(words);
  const [state, set] = useDashState(content.data);
  const editing = state.edit || content.id === 'new';
  const { data, changed, change, reset } = useDraft(content, editing);
  const [chosen, setChosen] = useState('');
  const [tick, setTick] = useState(0);
  const time = useRef<{ open(): void }>(null);
  const bar = useRef<QueryBarHandle>(null);
  const panels = useMemo(() => panelsOf(data), [data]);
  const own = useMemo(() => ownFilters(data.filters), [data.filters]);
  const scope = scopeOf(data, state, own);
  const run = usePanels(state.full ? panels.filter((p) => p.id === state.full) : panels, scope, tick);
  const now = run.parsed ?? null;
  const range = now ? { from: now.from_ms, to: now.to_ms } : bounds(state, Date.now());
  const loading = Object.values(run.pictures).some((p) => p.loading);
  const refresh = useCallback(() => setTick((t) => t + 1), []);
  useEffect(() => carry(state), [state]);
  useRefresh(state.refresh, loading || editing, refresh);
  useTitle(data.title);
  useKeys({
    search: () => bar.current?.focus(),
    run: refresh,
    time: () => time.current?.open(),
    earlier: () => set(shifted(state, -1, Date.now())),
    later: () => set(shifted(state, 1, Date.now())),
    close: () => (state.full ? set({ full: '' }) : chosen ? setChosen('') : false),
  });
  const index = indexOf(panels);
  const fields = useQuery({
    queryKey: ['fields', index],
    queryFn: ({ signal }) => api.fields(index, signal),
    staleTime: 10_000,
  });
  const edited = panels.find((p) => p.id === chosen);
  const setPanel = (p: dash.Panel) => change((d) => mapPanels(d, (o) => (o.id === p.id ? p : o)));
  const removePanel = (id: string) => {
    change((d) => ({
      ...d,
      panels: d.panels
        .filter((p) => isSection(p) || p.id !== id)
        .map((p) => (isSection(p) ? { ...p, panels: p.panels.filter((o) => o.id !== id) } : p)),
    }));
    setChosen('');
  };
  const addPanel = (p?: dash.Panel) => {
    const id = panelId();
    change((d) => {
      const all = d.panels.filter((o): o is dash.Panel => !isSection(o));
      const size = p ? p.grid : { w: 24, h: 10 };
      const config = p
        ? p.config
        : {
            type: 'xy',
            title: '',
            layers: [
              {
                type: 'bar',
                data_source: { type: 'data_view_spec', index_pattern: index, time_field: '@timestamp' },
                x: { operation: 'date_histogram', field: '@timestamp' },
                y: [{ operation: 'count' }],
              },
            ],
          };
      return {
        ...d,
        panels: [...d.panels, { type: p?.type ?? 'vis', id, grid: freePlace(all, size.w, size.h), config }],
      };
    });
    if (!p) setChosen(id);
  };

  const frame = (p: dash.Panel, handle?: Handle) => (
    <PanelFrame
      panel={p}
      picture={run.pictures[p.id]}
      from={range.from}
      to={range.to}
      sync={`dashboard ${content.id}`}
      edit={editing}
      chosen={chosen === p.id}
      full={state.full === p.id}
      handle={handle}
      onRange={
        editing ? undefined : (from, to) => set({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })
      }
      onPick={editing ? undefined : (field, value) => set({ f: withFilter(state.f, { field, op: 'is', value }) })}
      onRow={(r) =>
        window.open(
          api.url(`e?index=${encodeURIComponent(r.index)}&id=${encodeURIComponent(r.id)}`),
          '_blank',
          'noopener',
        )
      }
      onEdit={() => setChosen(p.id)}
      onDuplicate={() => addPanel({ ...p, config: structuredClone(p.config) })}
      onRemove={() => removePanel(p.id)}
      onFull={() => set({ full: state.full === p.id ? '' : p.id }, { replace: true })}
      onExplore={() => window.open(exploreUrl(p, scope, state), '_self')}
    />
  );
  const full = panels.find((p) => p.id === state.full);

  return (
    <main className={styles.page}>
      <Head
        content={content}
        data={data}
        state={state}
        set={set}
        changed={changed}
        editing={editing}
        onTitle={(patch) => change((d) => ({ ...d, ...patch }))}
        onReset={() => {
          reset();
          setChosen('');
        }}
        onAdd={() => addPanel()}
      />
      <div className={styles.bar}>
        <QueryBar
          ref={bar}
          text={state.q}
          lang={state.lang}
          index={index}
          onRun={(q) => (q === state.q ? refresh() : set({ q }))}
        />
        <LangMenu lang={state.lang} onChange={(lang) => set({ lang })} />
        <TimePicker
          ref={time}
          range={state}
          refresh={state.refresh}
          onChange={(r) => set(r)}
          onRefresh={(s) => set({ refresh: s })}
        />
        <RefreshButton loading={loading} onClick={refresh} />
      </div>
      <div className={styles.second}>
        <Controls
          controls={data.pinned_panels ?? []}
          state={state}
          index={index}
          edit={editing}
          onChoose={(field: string, c: Choice) => set({ controls: { ...state.controls, [field]: c } })}
          onRemove={(i) => change((d) => ({ ...d, pinned_panels: d.pinned_panels?.filter((_, j) => j !== i) }))}
        />
        {editing && (
          <AddControl
            fields={fields.data?.fields ?? []}
            onAdd={(c) =>
              change((d) => ({
                ...d,
                pinned_panels: [...(d.pinned_panels ?? []), { ...c, config: { ...c.config, data_view_id: index } }],
              }))
            }
          />
        )}
        <Filters
          state={{ ...state, index }}
          fields={fields.data?.fields ?? []}
          onChange={(f: Filter[]) => set({ f })}
        />
      </div>
      {run.failed && (
        <p className={styles.problem} role="alert">
          {run.failed.reason}
        </p>
      )}
      {run.parsed?.error && <p className={styles.problem}>{run.parsed.error.message}</p>}
      <div className={styles.work}>
        <div
          className={cx(styles.canvas, full && styles.fullCanvas)}
          id="log"
          tabIndex={0}
          role="region"
          aria-label={data.title}
        >
          {panels.length === 0 && (
            <div className={styles.center} role="status">
              <h2>{w.empty}</h2>
              <p>{w.emptyHelp}</p>
              {editing && (
                <Button kind="accent" icon="plus" onClick={() => addPanel()}>
                  {w.add}
                </Button>
              )}
            </div>
          )}
          {full ? frame(full) : <Layout data={data} editing={editing} change={change} frame={frame} />}
        </div>
        {editing && edited && (
          <Editor
            key={edited.id}
            panel={edited}
            scope={scope}
            from={range.from}
            to={range.to}
            onChange={setPanel}
            onDone={() => setChosen('')}
            onRemove={() => removePanel(edited.id)}
          />
        )}
      </div>
    </main>
  );
}

interface LayoutProps {
  data: dash.Dashboard;
  editing: boolean;
  change(f: (d: dash.Dashboard) => dash.Dashboard): void;
  frame(p: dash.Panel, handle?: Handle): React.ReactNode;
}

/** The panels outside sections, then each section with its own grid. */
function Layout({ data, editing, change, frame }: LayoutProps) {
  const loose = data.panels.filter((p): p is dash.Panel => !isSection(p));
  const sections = data.panels.filter(isSection);
  const [closed, setClosed] = useState<Record<string, boolean>>({});
  const moved = (list: dash.Panel[]) => {
    const at = new Map(list.map((p) => [p.id, p.grid]));
    change((d) => mapPanels(d, (p) => ({ ...p, grid: at.get(p.id) ?? p.grid })));
  };
  return (
    <>
      <GridView panels={loose} edit={editing} onLayout={moved} render={frame} />
      {sections.map((s, i) => {
        const shut = closed[`${i}`] ?? s.collapsed ?? false;
        return (
          <section key={`${s.title} ${i}`}>
            <button
              type="button"
              className={styles.section}
              aria-expanded={!shut}
              onClick={() => setClosed({ ...closed, [`${i}`]: !shut })}
            >
              <Icon name={shut ? 'right' : 'down'} size={13} />
              {s.title}
            </button>
            {!shut && <GridView panels={s.panels} edit={editing} onLayout={moved} render={frame} />}
          </section>
        );
      })}
    </>
  );
}

function mapPanels(d: dash.Dashboard, f: (p: dash.Panel) => dash.Panel): dash.Dashboard {
  return { ...d, panels: d.panels.map((p) => (isSection(p) ? { ...p, panels: p.panels.map(f) } : f(p))) };
}

function scopeOf(d: dash.Dashboard, s: DashState, own: Filter[]): Scope {
  const base = d.query?.query ?? d.query?.expression ?? '';
  const both = base.trim() && s.q.trim();
  const lang = s.q.trim() ? s.lang : d.query?.language === 'lucene' ? 'lucene' : s.lang;
  const and = lang === 'kql' ? 'and' : 'AND';
  const query = both ? `(${base}) ${and} (${s.q})` : base.trim() ? base : s.q;
  return { query, lang, filters: [...own, ...s.f, ...controlFilters(s.controls)], from: s.from, to: s.to };
}

/** The index most panels read. */
function indexOf(panels: dash.Panel[]): string {
  for (const p of panels) {
    const src = p.config.data_source ?? p.config.layers?.[0]?.data_source;
    if (src?.index_pattern) return src.index_pattern;
  }
  return 'logs-*';
}

function exploreUrl(p: dash.Panel, scope: Scope, s: DashState): string {
  const src = p.config.data_source ?? p.config.layers?.[0]?.data_source;
  const own = p.config.query?.query ?? p.config.query?.expression ?? '';
  const q = own && scope.query ? `(${scope.query}) and (${own})` : own || scope.query;
  const state: ExploreState = {
    ...defaults,
    q,
    lang: scope.lang === 'lucene' ? 'lucene' : 'kql',
    index: src?.index_pattern || 'logs-*',
    from: s.from,
    to: s.to,
    f: [...scope.filters, ...ownFilters(p.config.filters)],
  };
  return api.url(`explore?${format(state)}`);
}

function useRefresh(seconds: number, held: boolean, run: () => void) {
  useEffect(() => {
    if (seconds <= 0 || held) return;
    const timer = setTimeout(() => !document.hidden && run(), seconds * 1000);
    return () => clearTimeout(timer);
  });
}

function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · weir`;
  }, [title]);
}

function RefreshButton({ loading, onClick }: { loading: boolean; onClick(): void }) {
  const t = useT();
  return (
    <IconButton
      icon="refresh"
      label={t.query.refresh}
      onClick={onClick}
      className={cx(styles.refresh, loading && styles.loading)}
    />
  );
}

interface HeadProps {
  content: dash.Content;
  data: dash.Dashboard;
  state: DashState;
  set: SetDash;
  changed: boolean;
  editing: boolean;
  onTitle(patch: { title?: string; description?: string }): void;
  onReset(): void;
  onAdd(): void;
}

function Head(p: HeadProps) {
  const w = useWords(words);
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<api.ApiError | null>(null);
  const { content, data, editing } = p;
  // What is looked at is saved with it: the time range, and how often it refreshes.
  const saved = (): dash.Dashboard => ({ ...data, time_range: { from: p.state.from, to: p.state.to } });
  const store = async (write: () => Promise<dash.Content>) => {
    setBusy(true);
    setProblem(null);
    try {
      const made = await write();
      client.setQueryData(['dashboard', made.id], made);
      void client.invalidateQueries({ queryKey: ['dashboards'] });
      p.onReset();
      navigate(`/dashboards/${encodeURIComponent(made.id)}`, { replace: content.id === 'new' });
    } catch (e) {
      setProblem(e instanceof api.ApiError ? e : new api.ApiError(0, 'unreachable', (e as Error).message));
    }
    setBusy(false);
  };
  const save = () =>
    store(() => (content.id === 'new' ? dash.create(saved()) : dash.save(content.id, saved(), content.meta.version)));
  const copy = () => store(() => dash.create({ ...saved(), title: w.copyOf(data.title) }));
  const leave = () => {
    if (p.changed && !window.confirm(w.discard)) return;
    p.onReset();
    if (content.id === 'new') navigate('/dashboards');
    else p.set({ edit: false });
  };
  useEffect(() => {
    if (!p.changed) return;
    const ask = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [p.changed]);
  return (
    <>
      <header className={styles.head}>
        <Link href="/dashboards" className={styles.crumb}>
          {w.title}
        </Link>
        <span className={styles.slash}>/</span>
        {editing ? (
          <>
            <h1 className="sr">{data.title}</h1>
            <input
              className={styles.title}
              aria-label={w.name}
              value={data.title}
              onChange={(e) => p.onTitle({ title: e.target.value })}
            />
            <input
              className={styles.about}
              aria-label={w.description}
              placeholder={w.description}
              value={data.description ?? ''}
              onChange={(e) => p.onTitle({ description: e.target.value })}
            />
          </>
        ) : (
          <>
            <h1>{data.title}</h1>
            <span className={styles.aboutText}>{data.description}</span>
          </>
        )}
        {content.meta.managed && <span className={styles.badge}>{w.managed}</span>}
        <span className={styles.grow} />
        {editing ? (
          <>
            <Button icon="plus" onClick={p.onAdd}>
              {w.add}
            </Button>
            <Button kind="quiet" onClick={leave}>
              {w.cancel}
            </Button>
            <Button kind="accent" disabled={busy || data.title.trim() === ''} onClick={save}>
              {busy ? w.saving : w.save}
            </Button>
          </>
        ) : (
          <>
            <Button kind="quiet" icon="download" onClick={() => void exportOne(content)}>
              {w.export}
            </Button>
            <Button kind="quiet" icon="copy" disabled={busy} onClick={copy}>
              {w.copy}
            </Button>
            {!content.meta.managed && (
              <Button icon="edit" onClick={() => p.set({ edit: true, full: '' })}>
                {w.edit}
              </Button>
            )}
          </>
        )}
      </header>
      {problem && (
        <div className={styles.problem} role="alert">
          {problem.status === 409 ? w.conflict : problem.reason}
          {problem.status === 409 && (
            <>
              <Button onClick={copy}>{w.keepMine}</Button>
              <Button
                onClick={() => {
                  p.onReset();
                  setProblem(null);
                  void client.invalidateQueries({ queryKey: ['dashboard', content.id] });
                }}
              >
                {w.takeTheirs}
              </Button>
            </>
          )}
        </div>
      )}
    </>
  );
}

/** As saved-objects NDJSON; a ready-made one, which is no object, as the API's JSON. */
async function exportOne(c: dash.Content) {
  if (c.meta.managed) {
    dash.saveFile(`${c.id}.json`, new Blob([JSON.stringify(c.data, null, 2)], { type: 'application/json' }));
    return;
  }
  dash.saveFile(`${c.id}.ndjson`, await dash.exportAll([{ type: 'dashboard', id: c.id }]));
}

function AddControl({ fields, onAdd }: { fields: api.FieldInfo[]; onAdd(c: dash.Control): void }) {
  const w = useWords(words);
  const [open, setOpen] = useState(false);
  const [field, setField] = useState('');
  const [title, setTitle] = useState('');
  const info = fields.find((f) => f.name === field);
  const number = info !== undefined && /long|integer|short|byte|double|float/.test(info.type);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button kind="quiet" icon="plus">
          {w.addControl}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={cx(layer.layer, styles.form)} align="start" sideOffset={4}>
          <form
            onSubmit={(e) => {
              e.preventDefault();
              if (!field) return;
              onAdd({
                id: panelId(),
                type: number ? 'range_slider_control' : 'options_list_control',
                config: { field_name: field, title: title || field },
              });
              setOpen(false);
              setField('');
              setTitle('');
            }}
          >
            <input
              list="control-fields"
              placeholder={w.field}
              aria-label={w.field}
              value={field}
              onChange={(e) => setField(e.target.value)}
            />
            <datalist id="control-fields">
              {fields
                .filter((f) => f.aggregatable)
                .map((f) => (
                  <option key={f.name} value={f.name} />
                ))}
            </datalist>
            <input
              placeholder={w.label}
              aria-label={w.label}
              value={title}
              onChange={(e) => setTitle(e.target.value)}
            />
            <Button type="submit" kind="accent" disabled={!field}>
              {w.addControl}
            </Button>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

export { titleOf };
