// The preview: records taken once, run through the text again after each change.

import { useEffect, useMemo, useRef, useState } from 'react';
import * as api from './api';

/** Milliseconds of rest after a key before the text is run. */
const rest = 300;

/** Fields that differ between any two runs. */
const restless = new Set(['[event][ingested]']);

export interface PreviewState {
  /** The last good answer; stale when the text has errors since. */
  shown: api.Preview | null;
  stale: boolean;
  busy: boolean;
  failure: string;
  problems: api.Problem[];
  differences: api.Difference[];
  /** Events that come out differently than with the running text. */
  changed: number;
  sample: api.Sample;
  setSample(s: api.Sample): void;
  again(): void;
}

export function usePreview(id: string, files: api.Source[], topics: string[]): PreviewState {
  const [sample, setSample] = useState<api.Sample>({ topic: topics[0], count: 50, from: 'newest' });
  const [serial, setSerial] = useState(0);
  const [answer, setAnswer] = useState<api.Preview | null>(null);
  const [stale, setStale] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const [problems, setProblems] = useState<api.Problem[]>([]);
  const pinned = useRef<{ key: string; from: string } | null>(null);
  const key = JSON.stringify([sample, serial]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for sample and serial
  useEffect(() => {
    const gone = new AbortController();
    const run = async () => {
      setBusy(true);
      try {
        const list = await api.check(id, files, gone.signal);
        setProblems(list);
        if (list.some((p) => p.severity === 'error')) return setStale(true);
        // The same records again as long as only the text changes.
        const from = pinned.current?.key === key ? pinned.current.from : sample.from;
        const got = await api.preview(id, files, { ...sample, from }, gone.signal);
        const first = got.records?.map((r) => r.time).sort()[0];
        if (first && !sample.lines && pinned.current?.key !== key) pinned.current = { key, from: first };
        setAnswer(got);
        setStale(false);
        setFailure('');
      } catch (e) {
        if ((e as Error).name !== 'AbortError') setFailure((e as Error).message);
      } finally {
        if (!gone.signal.aborted) setBusy(false);
      }
    };
    const timer = setTimeout(run, rest);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [id, files, key]);
  const differences = useMemo(
    () =>
      (answer?.comparison?.differences ?? []).filter(
        (d) => (d.a?.length ?? 0) !== (d.b?.length ?? 0) || (d.fields ?? []).some((f) => !restless.has(f.field)),
      ),
    [answer],
  );
  return {
    shown: answer,
    stale,
    busy,
    failure,
    problems,
    differences,
    changed: differences.length,
    sample,
    setSample,
    again: () => setSerial((n) => n + 1),
  };
}

/** Whether something went wrong with an event: a failure tag, no way through, or dropped by an error. */
export function failing(t: api.Traced): boolean {
  return (
    Boolean(t.failure) || (t.steps ?? []).some((s) => (s.tags ?? []).some((tag) => /failure|error|timeout/i.test(tag)))
  );
}

/** A value on one line. */
export function text(v: unknown): string {
  return typeof v === 'string' ? v : (JSON.stringify(v) ?? '');
}
