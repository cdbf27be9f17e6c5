// A panel's definition as the form of the editor has it, and back. What the form cannot hold is left to the JSON.

import type { Config, Panel } from './api';

export type Kind =
  | 'line'
  | 'area'
  | 'bar'
  | 'top'
  | 'category'
  | 'pie'
  | 'metric'
  | 'gauge'
  | 'heatmap'
  | 'table'
  | 'tags'
  | 'logs'
  | 'markdown';

export const kinds: Kind[] = [
  'line', 'area', 'bar', 'top', 'category', 'pie', 'metric', 'gauge', 'heatmap', 'table', 'tags', 'logs', 'markdown',
]; // biome-ignore format: one line

export interface MetricDraft {
  operation: string;
  field: string;
  label: string;
  percentile: number;
  filter: string;
  /** What the form does not show. */
  rest: Config;
}

export interface TermsDraft {
  field: string;
  limit: number;
  others: boolean;
}

export interface Draft {
  kind: Kind;
  title: string;
  index: string;
  query: string;
  stack: 'none' | 'stacked' | 'percent';
  donut: boolean;
  metrics: MetricDraft[];
  /** Breakdown of a chart over time; values of all others; rows of a table. */
  groups: TermsDraft[];
  columns: string;
  text: string;
}

export const blank: Draft = {
  kind: 'bar',
  title: '',
  index: 'logs-*',
  query: '',
  stack: 'stacked',
  donut: true,
  metrics: [{ operation: 'count', field: '', label: '', percentile: 95, filter: '', rest: {} }],
  groups: [],
  columns: '',
  text: '',
};

export function newMetric(operation = 'count'): MetricDraft {
  return { operation, field: '', label: '', percentile: 95, filter: '', rest: {} };
}

const overTime = new Set<Kind>(['line', 'area', 'bar']);

export function takesGroups(k: Kind): number {
  if (k === 'gauge' || k === 'logs' || k === 'markdown') return 0;
  if (k === 'table') return 4;
  return k === 'category' || k === 'top' || k === 'pie' ? 2 : 1;
}

export function needsGroup(k: Kind): boolean {
  return k === 'top' || k === 'category' || k === 'pie' || k === 'tags' || k === 'table' || k === 'heatmap';
}

export function takesMetrics(k: Kind): number {
  if (k === 'logs' || k === 'markdown') return 0;
  return k === 'table' ? 8 : k === 'metric' ? 2 : overTime.has(k) || k === 'category' || k === 'top' ? 4 : 1;
}

function sourceOf(d: Draft): Config {
  return { type: 'data_view_spec', index_pattern: d.index, time_field: '@timestamp' };
}

function metricOf(m: MetricDraft): Config {
  const o: Config = { ...m.rest, operation: m.operation };
  if (m.operation !== 'count') o.field = m.field;
  if (m.label) o.label = m.label;
  if (m.operation === 'percentile') o.percentile = m.percentile;
  if (m.filter.trim()) o.filter = { query: m.filter, language: 'kuery' };
  return o;
}

function termsOf(g: TermsDraft): Config {
  const o: Config = { operation: 'terms', fields: [g.field], limit: g.limit };
  if (g.others) o.other_bucket = { include_documents_without_field: false };
  return o;
}

const time = { operation: 'date_histogram', field: '@timestamp' };
const stackNames = { none: '', stacked: '_stacked', percent: '_percentage' };

/** The panel's type and config; before holds what is kept of the old definition. */
export function build(d: Draft, before: Config): Pick<Panel, 'type' | 'config'> {
  const kept: Config = {};
  for (const k of ['time_range', 'description', 'hide_title', 'filters'])
    if (before[k] !== undefined) kept[k] = before[k];
  const base: Config = { ...kept, title: d.title };
  if (d.kind === 'markdown') return { type: 'markdown', config: { ...base, content: d.text } };
  if (d.query.trim()) base.query = { query: d.query, language: 'kuery' };
  if (d.kind === 'logs') {
    const columns = d.columns
      .split(',')
      .map((c) => c.trim())
      .filter(Boolean);
    return { type: 'discover_session', config: { ...base, data_source: sourceOf(d), columns } };
  }
  const metrics = d.metrics.slice(0, takesMetrics(d.kind)).map(metricOf);
  const groups = d.groups.filter((g) => g.field !== '').map(termsOf);
  return { type: 'vis', config: { ...base, ...visOf(d, metrics, groups) } };
}

function visOf(d: Draft, metrics: Config[], groups: Config[]): Config {
  const source = sourceOf(d);
  switch (d.kind) {
    case 'line':
    case 'area':
    case 'bar': {
      const type = d.kind === 'line' ? 'line' : `${d.kind}${groups.length > 0 ? stackNames[d.stack] : ''}`;
      const layer: Config = { type, data_source: source, x: time, y: metrics };
      if (groups[0]) layer.breakdown_by = groups[0];
      return { type: 'xy', layers: [layer] };
    }
    case 'top':
    case 'category': {
      const base = d.kind === 'top' ? 'bar_horizontal' : 'bar';
      const layer: Config = {
        type: base + (groups[1] ? stackNames[d.stack] : ''),
        data_source: source,
        x: groups[0],
        y: metrics,
      };
      if (groups[1]) layer.breakdown_by = groups[1];
      return { type: 'xy', layers: [layer] };
    }
    case 'pie':
      return { type: 'pie', data_source: source, metrics, group_by: groups, ...(d.donut && { donut_hole: 'm' }) };
    case 'metric': {
      const roles = metrics.map((m, i) => ({ ...m, type: i === 0 ? 'primary' : 'secondary' }));
      return { type: 'metric', data_source: source, metrics: roles, ...(groups[0] && { breakdown_by: groups[0] }) };
    }
    case 'gauge':
      return { type: 'gauge', data_source: source, metric: metrics[0] };
    case 'heatmap':
      return { type: 'heatmap', data_source: source, x: time, y: groups[0], metric: metrics[0] };
    case 'tags':
      return { type: 'tag_cloud', data_source: source, tag_by: groups[0], metric: metrics[0] };
    default:
      return { type: 'data_table', data_source: source, metrics, rows: groups };
  }
}

/** The form's reading of a definition, null when it has parts the form does not know. */
export function draftOf(p: Pick<Panel, 'type' | 'config'>): Draft | null {
  const c = p.config;
  const title = String(c.title ?? '');
  if (p.type === 'markdown') return { ...blank, kind: 'markdown', title, text: String(c.content ?? '') };
  if (c.ref_id || c.original) return null;
  const query = c.query?.query ?? c.query?.expression ?? '';
  if (c.query && c.query.language === 'lucene') return null;
  const base: Draft = { ...blank, title, query };
  if (p.type === 'discover_session') {
    if (c.tabs) return null;
    const columns = (c.columns ?? []).map((x: unknown) => (typeof x === 'string' ? x : (x as Config).name)).join(', ');
    return { ...base, kind: 'logs', columns, index: indexOf(c.data_source) };
  }
  try {
    return readVis(base, c);
  } catch {
    return null;
  }
}

function indexOf(s: Config | undefined): string {
  return String(s?.index_pattern || s?.ref_id || 'logs-*');
}

function readMetric(o: Config): MetricDraft {
  if (!o || o.operation === 'percentile_rank' || o.operation === 'static_value') throw new Error('not in the form');
  const { operation, field, label, percentile, filter, type: _, ...rest } = o;
  return {
    operation,
    field: field ?? '',
    label: label ?? '',
    percentile: percentile ?? 95,
    filter: filter?.query ?? filter?.expression ?? '',
    rest,
  };
}

function readTerms(o: Config): TermsDraft {
  if (o.operation !== 'terms' || (o.rank_by && o.rank_by.type !== 'metric')) throw new Error('not in the form');
  return { field: o.fields?.[0] ?? o.field ?? '', limit: o.limit ?? 5, others: Boolean(o.other_bucket) };
}

function some(list: (Config | undefined)[]): TermsDraft[] {
  return list.filter((x): x is Config => x !== undefined && x !== null).map(readTerms);
}

function readVis(base: Draft, c: Config): Draft {
  const source = { index: indexOf(c.data_source) };
  switch (c.type) {
    case 'xy':
      return readXy(base, c);
    case 'pie':
      return {
        ...base,
        ...source,
        kind: 'pie',
        donut: Boolean(c.donut_hole),
        metrics: c.metrics.map(readMetric),
        groups: some(c.group_by),
      };
    case 'metric':
      return { ...base, ...source, kind: 'metric', metrics: c.metrics.map(readMetric), groups: some([c.breakdown_by]) };
    case 'gauge':
      return { ...base, ...source, kind: 'gauge', metrics: [readMetric(c.metric)], groups: [] };
    case 'heatmap':
      if (c.x?.operation !== 'date_histogram') throw new Error('not in the form');
      return { ...base, ...source, kind: 'heatmap', metrics: [readMetric(c.metric)], groups: some([c.y]) };
    case 'tag_cloud':
      return { ...base, ...source, kind: 'tags', metrics: [readMetric(c.metric)], groups: some([c.tag_by]) };
    case 'data_table':
      return { ...base, ...source, kind: 'table', metrics: c.metrics.map(readMetric), groups: some(c.rows) };
  }
  throw new Error('not in the form');
}

function readXy(base: Draft, c: Config): Draft {
  if (c.layers?.length !== 1) throw new Error('not in the form');
  const l = c.layers[0];
  const m = /^(bar_horizontal|bar|area|line)(_stacked|_percentage)?$/.exec(l.type);
  if (!m) throw new Error('not in the form');
  const stack = m[2] === '_stacked' ? 'stacked' : m[2] === '_percentage' ? 'percent' : 'none';
  const out: Draft = { ...base, index: indexOf(l.data_source ?? c.data_source), stack, metrics: l.y.map(readMetric) };
  if (l.query) throw new Error('not in the form');
  if (l.x?.operation === 'date_histogram' && m[1] !== 'bar_horizontal') {
    return { ...out, kind: m[1] as Kind, groups: some([l.breakdown_by]) };
  }
  return { ...out, kind: m[1] === 'bar_horizontal' ? 'top' : 'category', groups: some([l.x, l.breakdown_by]) };
}
