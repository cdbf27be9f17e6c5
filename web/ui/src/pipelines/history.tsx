// The versions of a pipeline: open one, or run it again.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { stamp } from '../time';
import * as api from './api';
import styles from './page.module.css';
import { words } from './words';

interface Props {
  id: string;
  writable: boolean;
  onOpen(files: api.Source[]): void;
  onRolled(): void;
}

export function History({ id, writable, onOpen, onRolled }: Props) {
  const w = useWords(words);
  const client = useQueryClient();
  const [failure, setFailure] = useState('');
  const q = useQuery({
    queryKey: ['pipeline-history', id],
    queryFn: ({ signal }) => api.history(id, signal),
    refetchInterval: 5000,
  });
  const rollback = async (n: number) => {
    if (!window.confirm(w.rollbackAsk(n))) return;
    try {
      await api.rollback(id, n);
      setFailure('');
    } catch (e) {
      setFailure((e as Error).message);
    }
    void client.invalidateQueries({ queryKey: ['pipeline-history', id] });
    onRolled();
  };
  const list = [...(q.data ?? [])].sort((a, b) => b.version - a.version);
  return (
    <div className={styles.versions}>
      {failure && (
        <p className={styles.trouble} role="alert">
          {failure}
        </p>
      )}
      {q.data && list.length === 0 && <p className={styles.empty}>{w.noHistory}</p>}
      <ul>
        {list.map((v) => (
          <li key={v.version}>
            <b>{v.version}</b>
            <time>{stamp(Date.parse(v.time))}</time>
            <span>{v.note}</span>
            {v.failed && <em>{v.failed}</em>}
            {v.active ? (
              <i>{w.current}</i>
            ) : (
              writable && <Button onClick={() => void rollback(v.version)}>{w.rollback}</Button>
            )}
            <Button kind="quiet" onClick={() => void api.version(id, v.version).then(onOpen)}>
              {w.open}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
