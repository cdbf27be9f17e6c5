import { short, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { IconButton } from '../kit/button';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import { type BodyProps, PanelBody } from './body';
import type { Handle } from './gridview';
import styles from './panel.module.css';
import { words } from './words';

interface Props extends BodyProps {
  handle?: Handle;
  edit: boolean;
  chosen?: boolean;
  full?: boolean;
  onEdit?(): void;
  onDuplicate?(): void;
  onRemove?(): void;
  onFull?(): void;
  onExplore?(): void;
}

export function titleOf(p: { type: string; config: Record<string, unknown> }): string {
  return typeof p.config.title === 'string' ? p.config.title : '';
}

export function PanelFrame(p: Props) {
  const w = useWords(words);
  const t = useT();
  const { lang } = usePrefs();
  const { panel, edit } = p;
  const title = panel.config.hide_title ? '' : titleOf(panel);
  const bare = title === '' && !edit;
  const total = p.picture?.result?.type === 'discover_session' ? p.picture.result.total : undefined;
  const tools = (
    <span className={styles.tools}>
      {edit && p.onEdit && <IconButton icon="edit" size={13} label={w.editPanel} onClick={p.onEdit} />}
      {edit && p.onDuplicate && <IconButton icon="copy" size={13} label={w.duplicate} onClick={p.onDuplicate} />}
      {edit && p.onRemove && <IconButton icon="trash" size={13} label={w.removePanel} onClick={p.onRemove} />}
      {!edit && p.onExplore && panel.type !== 'markdown' && (
        <IconButton icon="explore" size={13} label={w.explore} onClick={p.onExplore} />
      )}
      {!edit && p.onFull && (
        <IconButton
          icon={p.full ? 'close' : 'expand'}
          size={13}
          label={p.full ? w.leaveFull : w.full}
          onClick={p.onFull}
        />
      )}
    </span>
  );
  return (
    <section className={styles.panel} data-chosen={p.chosen || undefined} aria-label={titleOf(panel) || panel.type}>
      {bare ? (
        <div className={styles.bare}>{tools}</div>
      ) : (
        <div className={styles.head} data-edit={edit || undefined} onPointerDown={p.handle?.onPointerDown}>
          {edit && (
            <span
              role="button"
              tabIndex={0}
              className={styles.grip}
              aria-label={w.move(titleOf(panel) || panel.type)}
              onKeyDown={p.handle?.onKeyDown}
            >
              <Icon name="move" size={13} />
            </span>
          )}
          <h2 title={title}>{title || (edit ? panel.type : '')}</h2>
          {total !== undefined && <span className={styles.count}>{t.explore.hits(total)}</span>}
          {p.picture?.result && p.full && <span className={styles.count}>{w.took(p.picture.result.took_ms)}</span>}
          {p.picture?.result?.layers?.[0] && p.full && (
            <span className={styles.count}>{short(p.picture.result.layers[0].total, lang)}</span>
          )}
          {tools}
        </div>
      )}
      <PanelBody {...p} />
    </section>
  );
}
