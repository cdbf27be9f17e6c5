import { Tooltip } from 'radix-ui';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import styles from './button.module.css';
import { cx } from './cx';
import { Icon, type IconName } from './icon';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  kind?: 'plain' | 'quiet' | 'accent';
  on?: boolean;
  children?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ icon, kind = 'plain', on, children, className, ...rest }: Props) {
  return (
    <button type="button" className={cx(styles.button, styles[kind], on && styles.on, className)} {...rest}>
      {icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** The name of the button: said by screen readers, shown as a tooltip. */
  label: string;
  on?: boolean;
  size?: number;
  side?: 'top' | 'right' | 'bottom' | 'left';
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, on, size = 16, side = 'bottom', className, ...rest }: IconProps) {
  return (
    <Tip text={label} side={side}>
      <button type="button" aria-label={label} className={cx(styles.icon, on && styles.on, className)} {...rest}>
        <Icon name={icon} size={size} />
      </button>
    </Tip>
  );
}

interface TipProps {
  text: ReactNode;
  side?: 'top' | 'right' | 'bottom' | 'left';
  children: ReactNode;
}

export function Tip({ text, side = 'bottom', children }: TipProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className={styles.tip} side={side} sideOffset={6} collisionPadding={8}>
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
