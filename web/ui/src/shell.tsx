// The frame of every page: the rail at the left, the keys that work everywhere, and the sheet that lists them.

import { useQuery } from '@tanstack/react-query';
import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import * as api from './api';
import { useCarried } from './carry';
import { type Flow, flow } from './flow/api';
import { type Dict, useT } from './i18n';
import { useKeys } from './keys';
import { KeySheet } from './keysheet';
import { Button, IconButton, Tip } from './kit/button';
import { cx } from './kit/cx';
import { Icon } from './kit/icon';
import { pages, within } from './pages';
import { setPrefs, usePrefs } from './prefs';
import styles from './shell.module.css';

const Palette = lazy(() => import('./palette/palette'));

export function Shell({ children }: { children: ReactNode }) {
  const t = useT();
  const [at, navigate] = useLocation();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const name = at === '/e' ? t.event.title : t.shell[pages.find((p) => within(at, p.path))?.name ?? 'explore'];
  useEffect(() => {
    document.title = `${name} · weir`;
  }, [name]);
  useKeys({
    help: () => setHelp(true),
    palette: () => setPalette(true),
    ...Object.fromEntries(pages.map((p) => [p.action, () => navigate(p.path)])),
  });
  return (
    <div className={styles.shell}>
      <button type="button" className={styles.skip} onClick={() => document.getElementById('log')?.focus()}>
        {t.shell.skip}
      </button>
      <Rail onHelp={() => setHelp(true)} />
      <Guard t={t}>{children}</Guard>
      <KeySheet open={help} onOpen={setHelp} />
      {palette && (
        <Suspense fallback={null}>
          <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
        </Suspense>
      )}
    </div>
  );
}

function Rail({ onHelp }: { onHelp(): void }) {
  const t = useT();
  const { rail, theme, lang } = usePrefs();
  const [at] = useLocation();
  const carried = useCarried();
  const info = useQuery({
    queryKey: ['info'],
    queryFn: ({ signal }) => api.info(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <nav className={styles.rail} data-open={rail || undefined}>
      <button
        type="button"
        className={styles.brand}
        aria-label={rail ? t.shell.narrow : t.shell.widen}
        onClick={() => setPrefs({ rail: !rail })}
      >
        <Logo />
        {rail && <b>weir</b>}
        {rail && info.data && <small>{info.data.version}</small>}
      </button>
      {pages.map((p) => {
        const on = within(at, p.path);
        return (
          <Tip key={p.path} text={t.shell[p.name]} side="right">
            <Link
              href={p.range && carried && !on ? `${p.path}?${carried}` : p.path}
              className={cx(styles.entry, on && styles.on)}
              aria-current={on ? 'page' : undefined}
              aria-label={t.shell[p.name]}
            >
              <Icon name={p.icon} size={18} />
              {rail && <span>{t.shell[p.name]}</span>}
            </Link>
          </Tip>
        );
      })}
      <span className={styles.grow} />
      {info.data?.demo && (
        <span className={styles.badge} title={t.shell.demo}>
          demo
        </span>
      )}
      {info.data?.insecure && (
        <Tip text={t.shell.insecure} side="right">
          <span className={styles.warn} role="img" aria-label={t.shell.insecure}>
            <Icon name="warning" size={16} />
          </span>
        </Tip>
      )}
      <Health />
      <IconButton
        icon={theme === 'dark' ? 'sun' : 'moon'}
        side="right"
        label={t.shell.theme}
        onClick={() => setPrefs({ theme: theme === 'dark' ? 'light' : 'dark' })}
      />
      <Tip text={t.shell.language} side="right">
        <button
          type="button"
          className={styles.lang}
          lang={lang === 'ko' ? 'en' : 'ko'}
          aria-label={t.shell.language}
          onClick={() => setPrefs({ lang: lang === 'ko' ? 'en' : 'ko' })}
        >
          {t.shell.languageShort}
        </button>
      </Tip>
      <IconButton icon="keyboard" side="right" label={`${t.shell.help} (?)`} onClick={onHelp} />
    </nav>
  );
}

function Logo() {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="var(--accent)"
      strokeWidth="2"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M2 5h6c4 0 3 5 7 5h3" />
      <path d="M2 10h4c4 0 3 5 7 5h5" opacity=".7" />
      <path d="M2 15h4" opacity=".4" />
    </svg>
  );
}

/** A dot that is green only while the account of every line is balanced. */
function Health() {
  const t = useT();
  const q = useQuery({
    queryKey: ['flow'],
    queryFn: ({ signal }) => flow(signal),
    refetchInterval: 5000,
    retry: false,
  });
  const [kind, text] = health(q.data, q.isError, t);
  return (
    <Tip text={text} side="right">
      <Link href="/flow" className={styles.health} aria-label={text}>
        <i data-kind={kind} />
      </Link>
    </Tip>
  );
}

function health(f: Flow | undefined, failed: boolean, t: Dict): [string, string] {
  if (failed || !f?.ledger) return ['unknown', t.shell.unknown];
  const lost = f.ledger.unexplained;
  return lost === 0 ? ['ok', t.shell.healthy] : ['bad', t.shell.unhealthy(lost)];
}

/** A page that fails leaves the rail standing. */
class Guard extends Component<{ t: Dict; children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className={styles.failed} role="alert">
        <h2>{this.props.t.shell.failed}</h2>
        <pre>{error.message}</pre>
        <Button onClick={() => location.reload()}>{this.props.t.shell.reload}</Button>
      </div>
    );
  }
}
