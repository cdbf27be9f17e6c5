// A configuration read line by line: what of it is understood, and what is not.

import { useRef, useState } from 'react';
import * as api from '../api';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import styles from './page.module.css';
import { words } from './words';

interface Problem {
  line: number;
  column: number;
  severity: 'error' | 'warning';
  message: string;
  hint?: string;
}

interface Report {
  kind: string;
  problems: Problem[] | null;
}

/** Lines shown at most. */
const maxLines = 5000;

export function Checker() {
  const w = useWords(words);
  const input = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('filebeat.yml');
  const [text, setText] = useState('');
  const [report, setReport] = useState<{ of: string; report: Report } | null>(null);
  const [problem, setProblem] = useState('');
  const check = async (n: string, t: string) => {
    try {
      setReport({ of: t, report: await api.send<Report>('POST', 'weir/check', { name: n, text: t }) });
      setProblem('');
    } catch (e) {
      setReport(null);
      setProblem(e instanceof api.ApiError && e.type === 'no_check' ? w.noCheck : (e as Error).message);
    }
  };
  const take = async (file: File | undefined) => {
    if (!file) return;
    const t = await file.text();
    setName(file.name);
    setText(t);
    await check(file.name, t);
  };
  return (
    <>
      <p>{w.configsHelp}</p>
      <div className={styles.form}>
        <Button icon="upload" onClick={() => input.current?.click()}>
          {w.choose}
        </Button>
        <input
          ref={input}
          type="file"
          accept=".yml,.yaml,.conf,.cfg"
          hidden
          aria-label={w.choose}
          onChange={(e) => void take(e.target.files?.[0])}
        />
        <label>
          <span>{w.fileName}</span>
          <input spellCheck={false} value={name} onChange={(e) => setName(e.target.value)} />
        </label>
        <Button kind="accent" disabled={text.trim() === ''} onClick={() => void check(name, text)}>
          {w.check}
        </Button>
      </div>
      <textarea
        className={styles.paste}
        rows={6}
        spellCheck={false}
        placeholder={w.orPaste}
        aria-label={w.orPaste}
        value={text}
        onChange={(e) => setText(e.target.value)}
      />
      {problem && (
        <p className={styles.error} role="alert">
          {problem}
        </p>
      )}
      {report && <Lines text={report.of} report={report.report} />}
    </>
  );
}

function Lines({ text, report }: { text: string; report: Report }) {
  const w = useWords(words);
  const list = report.problems ?? [];
  const errors = list.filter((p) => p.severity === 'error').length;
  const lines = text.split('\n').slice(0, maxLines);
  const at = (line: number) => list.filter((p) => p.line === line);
  return (
    <>
      <p role="status">
        <b>{w.kinds[report.kind] ?? report.kind}</b>:{' '}
        {list.length === 0 ? w.fine : w.problems(errors, list.length - errors)}
      </p>
      {at(0).map((p, i) => (
        <p key={i} className={styles.error}>
          {p.message}
        </p>
      ))}
      <ol className={styles.lines}>
        {lines.map((line, i) => {
          const own = at(i + 1);
          const worst = own.some((p) => p.severity === 'error') ? 'error' : own.length > 0 ? 'warning' : 'ok';
          return (
            <li key={i} data-state={worst}>
              <code>{line || ' '}</code>
              {own.map((p, j) => (
                <span key={j} data-severity={p.severity}>
                  {p.message}
                  {p.hint && <em> {p.hint}</em>}
                </span>
              ))}
            </li>
          );
        })}
      </ol>
    </>
  );
}
