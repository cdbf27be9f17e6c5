// The palette: pages, commands, dashboards and searches by a few letters of their names.

import { useQuery } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import * as dash from '../dashboards/api';
import { useT } from '../i18n';
import { useWords } from '../i18n/words';
import { composing } from '../ime';
import { cx } from '../kit/cx';
import { Icon, type IconName } from '../kit/icon';
import layer from '../kit/layer.module.css';
import { list, type SavedSearch, stateOf } from '../objects';
import { pages } from '../pages';
import { prefs, setPrefs, usePrefs } from '../prefs';
import { defaults, format } from '../url';
import { matchesParts } from '../words';
import styles from './palette.module.css';
import { words } from './words';

interface Item {
  group: string;
  name: string;
  detail?: string;
  icon: IconName;
  run(): void;
}

/** Most entries shown of one group. */
const perGroup = 8;

function useItems(text: string, onHelp: () => void): Item[] {
  const w = useWords(words);
  const t = useT();
  const { history, lang } = usePrefs();
  const [, go] = useLocation();
  const dashboards = useQuery({
    queryKey: ['dashboards'],
    queryFn: ({ signal }) => dash.list(signal),
    staleTime: 10_000,
  });
  const searches = useQuery({
    queryKey: ['objects', 'search'],
    queryFn: ({ signal }) => list<SavedSearch>('search', signal),
    staleTime: 10_000,
  });
  const explore = (patch: Partial<typeof defaults>) => go(`/explore?${format({ ...defaults, ...patch })}`);
  const all: Item[] = [
    ...pages.map((p): Item => ({ group: 'page', name: t.shell[p.name], icon: p.icon, run: () => go(p.path) })),
    { group: 'command', name: w.live, icon: 'play', run: () => explore({ live: true }) },
    {
      group: 'command',
      name: w.errors,
      icon: 'warning',
      run: () => explore({ from: 'now-1h', f: [{ field: 'log.level', op: 'is', value: 'ERROR' }] }),
    },
    { group: 'command', name: w.newDashboard, icon: 'plus', run: () => go('/dashboards/new') },
    { group: 'command', name: w.start, icon: 'bolt', run: () => go('/start') },
    {
      group: 'command',
      name: w.theme,
      icon: 'moon',
      run: () => setPrefs({ theme: prefs().theme === 'dark' ? 'light' : 'dark' }),
    },
    { group: 'command', name: w.language, icon: 'file', run: () => setPrefs({ lang: lang === 'ko' ? 'en' : 'ko' }) },
    { group: 'command', name: w.keys, icon: 'keyboard', run: onHelp },
    ...(dashboards.data?.data ?? []).map(
      (d): Item => ({
        group: 'dashboard',
        name: d.data.title,
        icon: 'dashboards',
        run: () => go(`/dashboards/${encodeURIComponent(d.id)}`),
      }),
    ),
    ...(searches.data ?? []).map(
      (s): Item => ({
        group: 'search',
        name: s.title,
        detail: s.body.query,
        icon: 'star',
        run: () => go(`/explore?${format(stateOf(s.body, defaults))}`),
      }),
    ),
    ...history
      .slice(0, 20)
      .map((h): Item => ({ group: 'recent', name: h, icon: 'clock', run: () => explore({ q: h }) })),
  ];
  const found = all.filter((i) => matchesParts(`${i.name} ${i.detail ?? ''}`, text.trim()));
  const shown = Object.keys(w.groups).flatMap((g) => found.filter((i) => i.group === g).slice(0, perGroup));
  const q = text.trim();
  if (q !== '') shown.push({ group: 'recent', name: w.searchFor(q), icon: 'search', run: () => explore({ q }) });
  return shown;
}

export default function Palette({ onClose, onHelp }: { onClose(): void; onHelp(): void }) {
  const w = useWords(words);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const items = useItems(text, onHelp);
  const at = Math.min(chosen, items.length - 1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen entry comes into view
  useEffect(() => {
    box.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [at, text]);
  const run = (i: Item | undefined) => {
    if (!i) return;
    onClose();
    i.run();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (composing(e)) return;
    const n = items.length;
    if (e.key === 'ArrowDown') setChosen(n === 0 ? 0 : (at + 1) % n);
    else if (e.key === 'ArrowUp') setChosen(n === 0 ? 0 : (at - 1 + n) % n);
    else if (e.key === 'Enter') run(items[at]);
    else return;
    e.preventDefault();
  };
  let group = '';
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={layer.shade} />
        <Dialog.Content className={cx(layer.layer, styles.palette)} aria-describedby={undefined}>
          <Dialog.Title className="sr">{w.title}</Dialog.Title>
          <input
            className={styles.input}
            value={text}
            placeholder={w.placeholder}
            aria-label={w.title}
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={items.length > 0 ? `palette-${at}` : undefined}
            spellCheck={false}
            onChange={(e) => {
              setText(e.target.value);
              setChosen(0);
            }}
            onKeyDown={onKeyDown}
          />
          <div ref={box} id="palette-list" role="listbox" aria-label={w.title} className={styles.list}>
            {items.length === 0 && <p className={layer.label}>{w.nothing}</p>}
            {items.map((i, n) => {
              const head = i.group !== group;
              group = i.group;
              return (
                <div key={`${i.group} ${i.name} ${n}`} role="presentation">
                  {head && <div className={layer.label}>{w.groups[i.group]}</div>}
                  {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the input */}
                  <div
                    id={`palette-${n}`}
                    role="option"
                    aria-selected={n === at}
                    data-highlighted={n === at || undefined}
                    className={layer.item}
                    onMouseMove={() => setChosen(n)}
                    onClick={() => run(i)}
                  >
                    <Icon name={i.icon} size={14} />
                    <span className={styles.name}>{i.name}</span>
                    {i.detail && <code>{i.detail}</code>}
                  </div>
                </div>
              );
            })}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
