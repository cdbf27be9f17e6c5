// Dashboards as Kibana's API has them: what is not understood here is kept and given back.

import * as api from '../api';
import type { Table } from '../chart/data';
import type { Filter } from '../url';

export interface Grid {
  x: number;
  y: number;
  w: number;
  h: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a definition of Kibana's, of which only parts are known
export type Config = Record<string, any>;

export interface Panel {
  type: string;
  id: string;
  grid: Grid;
  config: Config;
}

export interface Section {
  title: string;
  collapsed?: boolean;
  grid: { y: number };
  panels: Panel[];
}

export interface Control {
  id?: string;
  type: string;
  config: { title?: string; field_name: string; data_view_id?: string };
}

export interface Dashboard {
  title: string;
  description?: string;
  time_range?: { from: string; to: string };
  refresh_interval?: { pause: boolean; value: number };
  query?: { query?: string; expression?: string; language?: string };
  filters?: unknown[];
  pinned_panels?: Control[];
  panels: (Panel | Section)[];
  [other: string]: unknown;
}

export interface Meta {
  managed: boolean;
  updated_at?: string;
  version?: string;
}

export interface Content {
  id: string;
  data: Dashboard;
  meta: Meta;
}

export interface PanelResult {
  id: string;
  layers?: Table[];
  type?: string;
  rows?: api.Row[];
  columns?: string[];
  total?: number;
  config?: Config;
  took_ms: number;
  error?: api.Failure;
  unsupported?: string;
}

export type PanelFrame = { parsed: api.Parsed } | { panel: PanelResult } | { done: { took_ms: number } };

export interface PanelsRequest {
  index: string;
  query: string;
  lang: string;
  filters: Filter[];
  from: string;
  to: string;
  tz: string;
  bars?: number;
  panels: { id: string; type: string; config: Config }[];
}

export interface ImportAnswer {
  success: boolean;
  successCount: number;
  successResults: { type: string; id: string; destinationId?: string; meta: { title: string } }[];
  errors?: { type: string; id: string; title?: string; error: { type: string; message?: string } }[];
  weir: {
    type: string;
    id: string;
    title: string;
    panels: { panel: string; title: string; status: string; why?: string }[];
  }[];
}

export function list(signal?: AbortSignal) {
  return api.get<{ data: { id: string; data: { title: string; description?: string }; meta: Meta }[] }>(
    'api/dashboards',
    { per_page: 1000 },
    signal,
  );
}

export function load(id: string, signal?: AbortSignal) {
  return api.get<Content>(`api/dashboards/${encodeURIComponent(id)}`, {}, signal);
}

export function create(d: Dashboard) {
  return api.send<Content>('POST', 'api/dashboards', d);
}

export function save(id: string, d: Dashboard, version?: string) {
  return api.send<Content>('PUT', `api/dashboards/${encodeURIComponent(id)}`, d, version);
}

export function remove(id: string) {
  return api.send('DELETE', `api/dashboards/${encodeURIComponent(id)}`);
}

export async function* panels(req: PanelsRequest, signal: AbortSignal): AsyncGenerator<PanelFrame> {
  const res = await api.post('weir/panels', req, signal);
  if (res.body) yield* api.frames<PanelFrame>(res.body);
}

export function importFile(file: File, overwrite: boolean) {
  const form = new FormData();
  form.set('file', file);
  return api.send<ImportAnswer>('POST', `api/saved_objects/_import${overwrite ? '?overwrite=true' : ''}`, form);
}

export async function exportAll(objects: { type: string; id: string }[]): Promise<Blob> {
  return (await api.post('api/saved_objects/_export', { objects })).blob();
}

/** Hands a file to the browser to be saved. */
export function saveFile(name: string, content: Blob) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(content);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
