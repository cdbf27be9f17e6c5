import { DropdownMenu, Popover } from 'radix-ui';
import { lazy, type ReactNode, type RefObject, Suspense, useEffect, useState } from 'react';
import { Link } from 'wouter';
import type { FieldInfo } from '../api';
import { useT } from '../i18n';
import { Button, IconButton } from '../kit/button';
import { useCopy } from '../kit/copy';
import { cx } from '../kit/cx';
import { Icon } from '../kit/icon';
import layer from '../kit/layer.module.css';
import { QueryBar, type QueryBarHandle } from '../kit/querybar';
import { TimePicker } from '../kit/timepicker';
import { type Density, setPrefs, usePrefs } from '../prefs';
import { bounds, shifted, widened } from '../time';
import { type ExploreState, format } from '../url';
import { compose } from './compose';
import { Filters } from './filters';
import { IndexPattern } from './indexpattern';
import styles from './page.module.css';
import type { Search } from './search';
import type { SetState } from './state';

interface Props {
  state: ExploreState;
  set: SetState;
  search: Search;
  fields: FieldInfo[];
  onRun(q: string): void;
  bar: RefObject<QueryBarHandle | null>;
  time: RefObject<{ open(): void } | null>;
}

export function TopBar({ state, set, search, fields, onRun, bar, time }: Props) {
  const t = useT();
  const { fields: showFields } = usePrefs();
  useRefresh(state, search);
  const loading = search.phase === 'loading' && !state.live;
  return (
    <header className={styles.top}>
      <h1 className="sr">{t.explore.title}</h1>
      <div className={styles.line}>
        <IndexPattern value={state.index} onChange={(index) => set({ index, open: null })} />
        <QueryBar ref={bar} text={state.q} lang={state.lang} index={state.index} onRun={onRun} />
        <LangMenu lang={state.lang} onChange={(lang) => set({ lang })} />
        <div className={styles.time}>
          <IconButton
            icon="left"
            size={14}
            disabled={state.live}
            label={t.time.earlier}
            onClick={() => set(shifted(state, -1, Date.now()))}
          />
          <TimePicker
            ref={time}
            range={state}
            refresh={state.refresh}
            disabled={state.live}
            onChange={(r) => set(r)}
            onRefresh={(refresh) => set({ refresh })}
          />
          <IconButton
            icon="right"
            size={14}
            disabled={state.live}
            label={t.time.later}
            onClick={() => set(shifted(state, 1, Date.now()))}
          />
          <IconButton
            icon="zoomOut"
            size={14}
            disabled={state.live}
            label={t.time.wider}
            onClick={() => set(widened(state, Date.now()))}
          />
        </div>
        <button
          type="button"
          className={cx(styles.live, state.live && styles.liveOn)}
          aria-pressed={state.live}
          title={state.live ? t.live.stop : t.live.start}
          onClick={() => set({ live: !state.live, open: null })}
        >
          <i className={styles.pulse} />
          {t.live.live}
        </button>
        {loading ? (
          <IconButton icon="stop" label={t.query.cancel} onClick={search.cancel} className={styles.run} />
        ) : (
          <IconButton
            icon="refresh"
            label={t.query.refresh}
            disabled={state.live}
            onClick={() => bar.current?.run()}
            className={styles.run}
          />
        )}
      </div>
      <Notes state={state} search={search} onRun={onRun} />
      <div className={styles.second}>
        <IconButton
          icon="panel"
          size={15}
          on={showFields}
          label={showFields ? t.explore.hideFields : t.explore.showFields}
          onClick={() => setPrefs({ fields: !showFields })}
        />
        <Filters state={state} fields={fields} onChange={(f) => set({ f })} />
        <span className={styles.grow} />
        <ViewTools state={state} set={set} />
      </div>
    </header>
  );
}

/** Runs the search again every so often, while the page is looked at and nothing is running. */
function useRefresh(state: ExploreState, search: Search) {
  const { run, phase } = search;
  useEffect(() => {
    if (state.refresh <= 0 || state.live || phase === 'loading') return;
    const timer = setTimeout(() => !document.hidden && run(), state.refresh * 1000);
    return () => clearTimeout(timer);
  }, [state.refresh, state.live, phase, run]);
}

export function LangMenu({ lang, onChange }: { lang: 'kql' | 'lucene'; onChange(l: 'kql' | 'lucene'): void }) {
  const t = useT();
  const names = { kql: 'KQL', lucene: 'Lucene' };
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <button type="button" className={styles.lang} aria-label={`${t.query.language}: ${names[lang]}`}>
          {names[lang]}
          <Icon name="down" size={12} />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={layer.menu} align="end" sideOffset={4}>
          <DropdownMenu.RadioGroup value={lang} onValueChange={(v) => onChange(v as 'kql' | 'lucene')}>
            {(['kql', 'lucene'] as const).map((l) => (
              <DropdownMenu.RadioItem key={l} value={l} className={layer.item}>
                {names[l]}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** What the parser has to say: how it read the text, or where it could not and what would mend it. */
function Notes({ state, search, onRun }: { state: ExploreState; search: Search; onRun(q: string): void }) {
  const t = useT();
  const p = search.parsed;
  if (!p || state.live || (!p.error && p.hints.length === 0)) return null;
  return (
    <div className={styles.notes} role="status">
      {p.error && (
        <span className={styles.problem}>
          <Icon name="warning" size={13} />
          {p.error.message}
          {p.error.expected && <em>{t.query.expected(p.error.expected)}</em>}
          {p.error.fix && (
            <button type="button" className={styles.fix} onClick={() => onRun(p.error?.fix ?? '')}>
              {t.query.fix}: <code>{p.error.fix}</code>
            </button>
          )}
        </span>
      )}
      {p.hints.map((h) => (
        <span key={h.code + h.from} className={styles.hint}>
          <b>{t.query.hints[h.code] ?? t.query.readAs}</b>
          <code>{h.text}</code>
        </span>
      ))}
    </div>
  );
}

const densities: Density[] = ['compact', 'normal', 'relaxed'];

const Saved = lazy(() => import('./saved'));
const ExportMenu = lazy(() => import('./exportmenu'));

interface PopProps {
  icon: 'star' | 'download';
  label: string;
  children(close: () => void): ReactNode;
}

function Pop({ icon, label, children }: PopProps) {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button kind="quiet" icon={icon}>
          {label}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={layer.menu} align="end" sideOffset={4} collisionPadding={8} aria-label={label}>
          <Suspense fallback={null}>{children(() => setOpen(false))}</Suspense>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function ViewTools({ state, set }: { state: ExploreState; set: SetState }) {
  const t = useT();
  const { wrap, density, fold } = usePrefs();
  const { copied, copy } = useCopy();
  const share = () => {
    const b = bounds(state, Date.now());
    const fixed = { ...state, from: new Date(b.from).toISOString(), to: new Date(b.to).toISOString(), refresh: 0 };
    copy(`${location.origin}${location.pathname}?${format(state.live ? state : fixed)}`);
  };
  return (
    <>
      <IconButton icon="wrap" size={15} on={wrap} label={t.explore.wrap} onClick={() => setPrefs({ wrap: !wrap })} />
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <button type="button" className={styles.tool} aria-label={t.explore.density} title={t.explore.density}>
            <Icon name="density" size={15} />
          </button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className={layer.menu} align="end" sideOffset={4}>
            <DropdownMenu.RadioGroup value={density} onValueChange={(v) => setPrefs({ density: v as Density })}>
              {densities.map((d) => (
                <DropdownMenu.RadioItem key={d} value={d} className={layer.item}>
                  {t.explore[d]}
                </DropdownMenu.RadioItem>
              ))}
            </DropdownMenu.RadioGroup>
            <DropdownMenu.Separator className={layer.line} />
            <DropdownMenu.CheckboxItem
              className={layer.item}
              checked={!fold}
              onCheckedChange={(on) => setPrefs({ fold: !on })}
            >
              {t.explore.causes}
            </DropdownMenu.CheckboxItem>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <Pop icon="star" label={t.explore.saved}>
        {(close) => (
          <Saved
            state={state}
            onOpen={(s) => {
              set({ ...s, live: state.live, open: null });
              close();
            }}
          />
        )}
      </Pop>
      {!state.live && (
        <Pop icon="download" label={t.explore.export}>
          {(close) => <ExportMenu state={state} onDone={close} />}
        </Pop>
      )}
      <Link
        href={`/alerts?new=1&q=${encodeURIComponent(compose(state.q, state.lang, state.f))}&index=${encodeURIComponent(state.index)}&lang=${state.lang}`}
        className={styles.toolLink}
        aria-label={t.explore.alert}
        title={t.explore.alert}
      >
        <Icon name="bell" size={14} />
      </Link>
      <Button kind="quiet" icon={copied ? 'check' : 'link'} onClick={share}>
        {copied ? t.explore.copied : t.explore.share}
      </Button>
    </>
  );
}
