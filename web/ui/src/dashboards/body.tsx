// What stands in a panel: its picture, its text, or why there is none.

import { lazy, Suspense, useMemo } from 'react';
import type { Row } from '../api';
import { LyingBars, StandingBars } from '../chart/bars';
import { chartOf, type Table } from '../chart/data';
import { Gauge, Metric } from '../chart/figures';
import { Grid, Tags } from '../chart/grid';
import { Heat } from '../chart/heat';
import { Pie } from '../chart/pie';
import { TimeChart } from '../chart/time';
import { useWords } from '../i18n/words';
import type { Config, Panel, PanelResult } from './api';
import { Lines } from './lines';
import styles from './panel.module.css';
import type { Picture } from './run';
import { words } from './words';

const Markdown = lazy(() => import('./markdown'));

export interface BodyProps {
  panel: Panel;
  picture?: Picture;
  from: number;
  to: number;
  sync?: string;
  onRange?(from: number, to: number): void;
  onPick?(field: string, value: string): void;
  onRow?(row: Row): void;
}

export function PanelBody(p: BodyProps) {
  const w = useWords(words);
  const { panel, picture } = p;
  if (panel.type === 'markdown') {
    return (
      <Suspense fallback={null}>
        <Markdown text={String(panel.config.content ?? '')} />
      </Suspense>
    );
  }
  const r = picture?.result;
  if (!r) return <div className={styles.wait} data-on={picture?.loading || undefined} />;
  if (r.unsupported !== undefined) return <Unsupported why={r.unsupported} config={panel.config} />;
  if (r.error) {
    return (
      <p className={styles.error} role="alert">
        {r.error.reason}
      </p>
    );
  }
  if (r.type === 'discover_session') {
    return <Lines rows={r.rows ?? []} columns={r.columns ?? []} onRow={p.onRow} />;
  }
  const empty = (r.layers ?? []).every((l) => l.rows.length === 0);
  if (empty) return <p className={styles.none}>{w.noData}</p>;
  return (
    <div className={styles.body} data-dim={picture?.loading || undefined}>
      <Drawn {...p} result={r} />
      {r.layers?.some((l) => l.partial) && <p className={styles.note}>{w.partial}</p>}
      {r.layers?.some((l) => l.cut) && <p className={styles.note}>{w.cut}</p>}
    </div>
  );
}

function Unsupported({ why, config }: { why: string; config: Config }) {
  const w = useWords(words);
  return (
    <div className={styles.unsupported}>
      <p>
        {w.unsupported}: {why}
      </p>
      <details>
        <summary>{w.definition}</summary>
        <pre>{JSON.stringify(config.original ?? config, null, 2).slice(0, 20_000)}</pre>
      </details>
    </div>
  );
}

function Drawn(p: BodyProps & { result: PanelResult }) {
  const w = useWords(words);
  const config = p.result.config ?? p.panel.config;
  const table = (p.result.layers ?? [])[0];
  const label = String(p.panel.config.title ?? config.title ?? '');
  switch (p.result.type) {
    case 'xy':
      return <Xy {...p} config={config} label={label} />;
    case 'metric':
      return <Metric table={table} label={label} />;
    case 'gauge':
      return <Gauge table={table} label={label} />;
    case 'heatmap':
      return <Heat table={table} label={label} from={p.from} to={p.to} onPick={p.onPick} />;
    case 'tag_cloud':
      return <Tags table={table} label={label} onPick={p.onPick} />;
    case 'data_table':
      return <Grid table={table} label={label} labels={{ more: w.more, pick: w.only }} onPick={p.onPick} />;
    default:
      return <Pie table={table} hole={config.donut_hole as string} label={label} onPick={p.onPick} />;
  }
}

/** Layers over the same axis are drawn in one picture, in the way of the first. */
function joined(layers: Table[]): Table {
  if (layers.length < 2) return layers[0];
  const [first, ...rest] = layers;
  const dims = first.columns.filter((c) => c.dim).length;
  const fits = rest.filter((l) => l.columns.filter((c) => c.dim).length === dims && dims === 1);
  if (fits.length === 0) return first;
  const columns = [...first.columns];
  const byKey = new Map(first.rows.map((r) => [r[0], [...r]]));
  for (const l of fits) {
    const metrics = l.columns.slice(1);
    for (const r of l.rows) {
      const row = byKey.get(r[0]) ?? [r[0]];
      while (row.length < columns.length) row.push(null);
      byKey.set(r[0], [...row, ...r.slice(1)]);
    }
    columns.push(...metrics);
  }
  return { ...first, columns, rows: [...byKey.values()] };
}

function Xy(p: BodyProps & { result: PanelResult; config: Config; label: string }) {
  const layers = p.result.layers ?? [];
  const chart = useMemo(() => chartOf(joined(layers)), [layers]);
  const kind = layers[0]?.kind ?? 'bar';
  const stack = kind.endsWith('_stacked') ? 'stacked' : kind.endsWith('_percentage') ? 'percent' : 'none';
  if (chart.x?.kind === 'date') {
    return (
      <>
        {chart.series.length > 1 && <Legend chart={chart} onPick={p.onPick} />}
        <TimeChart
          chart={chart}
          kind={kind.startsWith('line') ? 'line' : kind.startsWith('area') ? 'area' : 'bar'}
          stack={stack}
          from={p.from}
          to={p.to}
          label={p.label}
          sync={p.sync}
          onRange={p.onRange}
        />
      </>
    );
  }
  const Bars = kind.startsWith('bar_horizontal') ? LyingBars : StandingBars;
  return (
    <>
      {chart.series.length > 1 && <Legend chart={chart} onPick={p.onPick} />}
      <Bars chart={chart} stacked={stack !== 'none'} share={stack === 'percent'} label={p.label} onPick={p.onPick} />
    </>
  );
}

function Legend({ chart, onPick }: { chart: ReturnType<typeof chartOf>; onPick?: BodyProps['onPick'] }) {
  return (
    <ul className={styles.legend}>
      {chart.series.slice(0, 20).map((s) => (
        <li key={s.name}>
          <button
            type="button"
            title={s.name}
            disabled={!onPick || !s.by || s.by === '…' || !chart.by?.field}
            onClick={() => onPick?.(chart.by?.field ?? '', s.by)}
          >
            <i style={{ background: `var(${s.color})` }} />
            <span>{s.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
