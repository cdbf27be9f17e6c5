// Dead letters of a pipeline: why each failed, the record as it was, and putting it back.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { stamp } from '../time';
import styles from './drawer.module.css';
import * as queue from './queue';
import { words } from './words';

export function DeadLetters({ pipeline }: { pipeline: string }) {
  const w = useWords(words);
  const [message, setMessage] = useState('');
  const [topic, setTopic] = useState('');
  const q = useQuery({
    queryKey: ['dead', pipeline],
    queryFn: ({ signal }) => queue.dead(pipeline, signal),
    refetchInterval: 10_000,
    retry: false,
  });
  const list = q.data?.letters ?? [];
  const replay = async (places: string[]) => {
    if (!window.confirm(w.replayAsk(places.length))) return;
    try {
      setMessage(w.replayed(await queue.replay(places, topic)));
    } catch (e) {
      setMessage((e as Error).message);
    }
  };
  return (
    <div className={styles.body}>
      {q.error && (
        <p className={styles.trouble} role="alert">
          {w.failed}: {q.error.message}
        </p>
      )}
      {q.data && list.length === 0 && <p className={styles.empty}>{w.noDead}</p>}
      {list.length > 0 && (
        <p className={styles.row}>
          <Button onClick={() => void replay(list.map((l) => l.place))}>{w.replayAll(list.length)}</Button>
          <input
            aria-label={w.replayTopic}
            placeholder={w.replayTopic}
            value={topic}
            onChange={(e) => setTopic(e.target.value)}
          />
        </p>
      )}
      {message && <p role="status">{message}</p>}
      <ul className={styles.letters}>
        {list.map((l) => (
          <li key={l.place}>
            <p>
              <b>{l.dead.reason}</b> {l.dead.plugin} <time>{stamp(Date.parse(l.dead.time))}</time>
              <span>
                {l.dead.topic}-{l.dead.partition}@{l.dead.offset}
              </span>
              <Button kind="quiet" onClick={() => void replay([l.place])}>
                {w.replay}
              </Button>
            </p>
            <p className={styles.bad}>{l.dead.why}</p>
            <pre tabIndex={0}>{l.value}</pre>
            {l.dead.try_doc ? (
              <details>
                <summary>{w.document}</summary>
                <pre tabIndex={0}>{JSON.stringify(l.dead.try_doc, null, 2)}</pre>
              </details>
            ) : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
