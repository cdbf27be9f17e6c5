// Controls above a dashboard: values to choose from, or the two ends of a range.

import { useQuery } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import * as api from '../api';
import { number } from '../i18n';
import { useWords } from '../i18n/words';
import { IconButton } from '../kit/button';
import { cx } from '../kit/cx';
import { Icon } from '../kit/icon';
import layer from '../kit/layer.module.css';
import { usePrefs } from '../prefs';
import type { Control } from './api';
import type { Choice, DashState } from './state';
import styles from './view.module.css';
import { words } from './words';

interface Props {
  controls: Control[];
  state: DashState;
  index: string;
  edit: boolean;
  onChoose(field: string, c: Choice): void;
  onRemove(i: number): void;
}

export function Controls({ controls, state, index, edit, onChoose, onRemove }: Props) {
  const w = useWords(words);
  return (
    <>
      {controls.map((c, i) => {
        const field = c.config.field_name;
        const chosen = state.controls[field];
        return (
          <span key={c.id ?? field} className={styles.control}>
            {c.type === 'range_slider_control' ? (
              <RangeControl control={c} chosen={chosen} onChoose={(v) => onChoose(field, v)} />
            ) : (
              <Options control={c} chosen={chosen} state={state} index={index} onChoose={(v) => onChoose(field, v)} />
            )}
            {edit && (
              <IconButton
                icon="close"
                size={11}
                label={`${w.remove}: ${c.config.title ?? field}`}
                onClick={() => onRemove(i)}
              />
            )}
          </span>
        );
      })}
    </>
  );
}

interface OneProps {
  control: Control;
  chosen: Choice | undefined;
  onChoose(c: Choice): void;
}

function Options({ control, chosen, state, index, onChoose }: OneProps & { state: DashState; index: string }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState('');
  const field = control.config.field_name;
  const list = Array.isArray(chosen) ? chosen : [];
  const pattern = index || control.config.data_view_id || 'logs-*';
  const q = useQuery({
    queryKey: ['control', pattern, field, state.q, state.lang, state.from, state.to],
    queryFn: ({ signal }) =>
      api.values(
        { index: pattern, field, query: state.q, lang: state.lang, from: state.from, to: state.to, size: 100 },
        signal,
      ),
    enabled: open,
    retry: false,
    staleTime: 10_000,
  });
  const known = (q.data?.values ?? []).map((v) => ({ name: String(v.value), n: v.n }));
  const shown = [
    ...list.filter((v) => !known.some((k) => k.name === v)).map((name) => ({ name, n: 0 })),
    ...known,
  ].filter((v) => v.name.toLowerCase().includes(search.toLowerCase()));
  const toggle = (v: string) => onChoose(list.includes(v) ? list.filter((x) => x !== v) : [...list, v]);
  const title = control.config.title || field;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" className={cx(styles.controlButton, list.length > 0 && styles.chosen)}>
          <span>{title}</span>
          <b>{list.length === 0 ? w.any : list.join(', ')}</b>
          <Icon name="down" size={11} />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={cx(layer.menu, styles.options)} align="start" sideOffset={4} aria-label={title}>
          <input
            type="search"
            className={styles.optionSearch}
            value={search}
            placeholder={title}
            aria-label={title}
            onChange={(e) => setSearch(e.target.value)}
          />
          {q.error && <p className={layer.label}>{q.error.message}</p>}
          <div className={styles.optionList}>
            {shown.map((v) => (
              <label key={v.name} className={layer.item}>
                <input type="checkbox" checked={list.includes(v.name)} onChange={() => toggle(v.name)} />
                <span>{v.name === '' ? '""' : v.name}</span>
                <em>{v.n > 0 ? number(v.n, lang) : ''}</em>
              </label>
            ))}
          </div>
          {list.length > 0 && (
            <button type="button" className={layer.item} onClick={() => onChoose([])}>
              {w.clear}
            </button>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function RangeControl({ control, chosen, onChoose }: OneProps) {
  const w = useWords(words);
  const now = chosen && !Array.isArray(chosen) ? chosen : {};
  const [gte, setGte] = useState(now.gte ?? '');
  const [lt, setLt] = useState(now.lt ?? '');
  const title = control.config.title || control.config.field_name;
  const apply = () => onChoose({ ...(gte.trim() && { gte: gte.trim() }), ...(lt.trim() && { lt: lt.trim() }) });
  return (
    <form
      className={styles.rangeControl}
      onSubmit={(e) => {
        e.preventDefault();
        apply();
      }}
    >
      <span>{title}</span>
      <input
        inputMode="decimal"
        aria-label={`${title} ${w.min}`}
        placeholder={w.min}
        value={gte}
        onChange={(e) => setGte(e.target.value)}
        onBlur={apply}
      />
      <input
        inputMode="decimal"
        aria-label={`${title} ${w.max}`}
        placeholder={w.max}
        value={lt}
        onChange={(e) => setLt(e.target.value)}
        onBlur={apply}
      />
    </form>
  );
}
