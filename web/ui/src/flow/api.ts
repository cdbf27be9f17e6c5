// The answer of /weir/flow. Every part may be absent: a process shows the stages it knows.

import { get, type Ledger } from '../api';

export interface FileStage {
  path: string;
  source?: string;
  service?: string;
  size?: number;
  acked?: number;
  behind?: number;
  lines_s?: number;
  bytes_s?: number;
  oldest_ms?: number;
}

export interface AgentStage {
  id: string;
  host?: string;
  version?: string;
  online?: boolean;
  published_s?: number;
  acked_s?: number;
  queue_pct?: number;
  retries?: number;
  files?: FileStage[];
}

export interface GroupLag {
  name: string;
  state?: string;
  members?: number;
  committed?: number;
  lag?: number;
  lag_ms?: number;
}

export interface PartitionStage {
  id: number;
  low?: number;
  high?: number;
  bytes?: number;
  groups?: GroupLag[];
}

export interface TopicStage {
  name: string;
  in_s?: number;
  bytes_s?: number;
  partitions?: PartitionStage[];
  groups?: GroupLag[];
}

export interface PluginStage {
  id: string;
  name: string;
  ms_per_event?: number;
  in?: number;
  out?: number;
  failures?: number;
  line?: string;
}

export interface PipelineStage {
  name: string;
  group?: string;
  in_s?: number;
  out_s?: number;
  workers?: number;
  utilization?: number;
  dropped?: number;
  dead?: number;
  failures?: number;
  plugins?: PluginStage[];
}

export interface StoreStage {
  docs?: number;
  docs_s?: number;
  bytes?: number;
  bulk_ms?: number;
  newest_ms?: number;
  rejected?: number;
  indices?: { name: string; docs?: number; bytes?: number }[];
}

export interface Flow {
  since?: string;
  stages?: {
    agents?: AgentStage[] | null;
    broker?: { topics?: TopicStage[] | null } | null;
    pipelines?: PipelineStage[] | null;
    store?: StoreStage | null;
  };
  ledger?: Ledger | null;
  insecure?: boolean;
  version?: string;
}

export function flow(signal?: AbortSignal): Promise<Flow> {
  return get<Flow>('weir/flow', {}, signal);
}
