import { useQueryClient } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { useRef, useState } from 'react';
import { Link } from 'wouter';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { cx } from '../kit/cx';
import layer from '../kit/layer.module.css';
import * as dash from './api';
import styles from './page.module.css';
import { words } from './words';

/** Takes a file of saved objects and tells of each panel what became of it. */
export function ImportDialog({ onClose }: { onClose(): void }) {
  const w = useWords(words);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={layer.shade} />
        <Dialog.Content className={cx(layer.layer, styles.sheet)} aria-describedby={undefined}>
          <Dialog.Title asChild>
            <h2>{w.import}</h2>
          </Dialog.Title>
          <Importer />
          <div className={styles.row}>
            <Button onClick={onClose}>{w.close}</Button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function Importer() {
  const w = useWords(words);
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [overwrite, setOverwrite] = useState(false);
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<dash.ImportAnswer | null>(null);
  const [problem, setProblem] = useState('');
  const take = async (file: File | undefined) => {
    if (!file) return;
    setBusy(true);
    setProblem('');
    try {
      setAnswer(await dash.importFile(file, overwrite));
      void client.invalidateQueries({ queryKey: ['dashboards'] });
      void client.invalidateQueries({ queryKey: ['objects'] });
    } catch (e) {
      setProblem((e as Error).message);
    }
    setBusy(false);
    if (input.current) input.current.value = '';
  };
  return (
    <>
      <p>{w.importHelp}</p>
      <div className={styles.row}>
        <Button kind="accent" icon="upload" disabled={busy} onClick={() => input.current?.click()}>
          {busy ? w.importing : w.choose}
        </Button>
        <input
          ref={input}
          type="file"
          accept=".ndjson,.json"
          hidden
          aria-label={w.choose}
          onChange={(e) => void take(e.target.files?.[0])}
        />
        <label>
          <input type="checkbox" checked={overwrite} onChange={(e) => setOverwrite(e.target.checked)} />
          {w.overwrite}
        </label>
      </div>
      {problem && <p role="alert">{problem}</p>}
      {answer && <Report answer={answer} />}
    </>
  );
}

function Report({ answer: a }: { answer: dash.ImportAnswer }) {
  const w = useWords(words);
  return (
    <>
      <p role="status">
        {w.imported(a.successCount)}
        {a.errors && a.errors.length > 0 ? ` · ${w.refusedCount(a.errors.length)}` : ''}
      </p>
      <div className={styles.report} role="region" aria-label={w.report} tabIndex={-1}>
        {(a.errors ?? []).length > 0 && (
          <table>
            <tbody>
              {(a.errors ?? []).map((e, i) => (
                <tr key={i}>
                  <td data-status="error">{e.error.type}</td>
                  <td>{[e.type, e.title || e.id].filter(Boolean).join(' ')}</td>
                  <td>{e.error.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {a.weir.map((o) => (
          <section key={o.type + o.id}>
            <h3>
              {o.type === 'dashboard' ? (
                <Link href={`/dashboards/${encodeURIComponent(o.id)}`}>{o.title}</Link>
              ) : (
                o.title
              )}
            </h3>
            <table>
              <tbody>
                {o.panels.map((p) => (
                  <tr key={p.panel}>
                    <td data-status={p.status}>{w.statuses[p.status] ?? p.status}</td>
                    <td>{p.title || p.panel}</td>
                    <td>{p.why}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
        {a.weir.length === 0 && (a.errors ?? []).length === 0 && <p>{w.noPanels}</p>}
      </div>
    </>
  );
}
