import { Dialog } from 'radix-ui';
import { useT } from './i18n';
import { type Group, table } from './keys';
import styles from './keysheet.module.css';
import { IconButton } from './kit/button';
import { cx } from './kit/cx';
import layer from './kit/layer.module.css';

const groups: Group[] = ['general', 'rows', 'range', 'go'];
const mac = /Mac|iP(hone|ad)/.test(navigator.platform);

function show(key: string): string {
  return key
    .replace('Mod+', mac ? '⌘' : 'Ctrl ')
    .replace('Alt+', mac ? '⌥' : 'Alt ')
    .replace('Enter', '⏎')
    .replace('Escape', 'Esc')
    .replace('ArrowDown', '↓')
    .replace('ArrowUp', '↑');
}

/** The sheet itself takes the focus: on the button it would open a tooltip, and Escape would close only that. */
function focusSheet(e: Event) {
  e.preventDefault();
  (e.currentTarget as HTMLElement).focus();
}

/** The table of keys, as it is. */
export function KeySheet({ open, onOpen }: { open: boolean; onOpen(open: boolean): void }) {
  const t = useT();
  return (
    <Dialog.Root open={open} onOpenChange={onOpen}>
      <Dialog.Portal>
        <Dialog.Overlay className={layer.shade} />
        <Dialog.Content
          className={cx(layer.layer, styles.sheet)}
          aria-describedby={undefined}
          tabIndex={-1}
          onOpenAutoFocus={focusSheet}
        >
          <header className={styles.head}>
            <Dialog.Title className={styles.title}>{t.keys.title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton icon="close" label={t.event.close} />
            </Dialog.Close>
          </header>
          <div className={styles.groups}>
            {groups.map((g) => (
              <section key={g}>
                <h3>{t.keys.groups[g]}</h3>
                <dl>
                  {table
                    .filter((b) => b.group === g)
                    .map((b) => (
                      <div key={b.action}>
                        <dt>
                          {b.keys.map((k) => (
                            <kbd key={k}>{show(k)}</kbd>
                          ))}
                        </dt>
                        <dd>{t.keys.actions[b.action]}</dd>
                      </div>
                    ))}
                </dl>
              </section>
            ))}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
