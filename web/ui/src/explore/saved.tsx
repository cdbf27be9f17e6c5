// Saved searches: a list to open, and a form to keep the present one.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import layer from '../kit/layer.module.css';
import { list, newId, put, remove, type SavedSearch, searchOf, stateOf } from '../objects';
import type { ExploreState } from '../url';
import styles from './saved.module.css';
import { words } from './words';

interface Props {
  state: ExploreState;
  onOpen(s: ExploreState): void;
}

export default function Saved({ state, onOpen }: Props) {
  const w = useWords(words);
  const client = useQueryClient();
  const q = useQuery({ queryKey: ['objects', 'search'], queryFn: ({ signal }) => list<SavedSearch>('search', signal) });
  const [title, setTitle] = useState('');
  const [range, setRange] = useState(false);
  const [problem, setProblem] = useState('');
  const all = q.data ?? [];
  const same = all.find((s) => s.title === title.trim());
  const again = () => client.invalidateQueries({ queryKey: ['objects', 'search'] });
  const save = async (e: FormEvent) => {
    e.preventDefault();
    if (title.trim() === '') return;
    try {
      await put('search', same?.id ?? newId(), title.trim(), searchOf(state, range), same?.version ?? 'create');
      setTitle('');
      setProblem('');
    } catch (err) {
      setProblem((err as Error).message);
    }
    void again();
  };
  return (
    <div className={styles.saved}>
      <form onSubmit={save}>
        <input value={title} placeholder={w.name} aria-label={w.name} onChange={(e) => setTitle(e.target.value)} />
        <Button type="submit" kind="accent" disabled={title.trim() === ''}>
          {w.save}
        </Button>
        <label>
          <input type="checkbox" checked={range} onChange={(e) => setRange(e.target.checked)} />
          {w.withRange}
        </label>
      </form>
      {same && <p className={layer.label}>{w.replaced}</p>}
      {(problem || q.error) && (
        <p className={styles.problem} role="alert">
          {problem || `${w.failed}: ${q.error?.message}`}
        </p>
      )}
      <div className={layer.label}>{w.saved}</div>
      {q.data && all.length === 0 && <p className={layer.label}>{w.none}</p>}
      <ul>
        {all.map((s) => (
          <li key={s.id}>
            <button type="button" className={layer.item} onClick={() => onOpen(stateOf(s.body, state))}>
              <span>{s.title}</span>
              <code>{s.body.query}</code>
            </button>
            <IconButton
              icon="trash"
              size={12}
              label={`${w.remove}: ${s.title}`}
              onClick={() => void remove('search', s.id).then(again)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}
