import { useState } from 'react';
import { bytes, useT } from '../i18n';
import type { FlatField } from '../json';
import { IconButton } from '../kit/button';
import { useCopy } from '../kit/copy';
import { Message } from '../kit/message';
import type { Filter } from '../url';
import { matchesParts } from '../words';
import styles from './detail.module.css';

/** Fields drawn at once; the rest is found by the search. */
const drawn = 1000;
/** Characters of one value drawn before it is opened. */
const shownChars = 2000;

interface Props {
  fields: FlatField[];
  cols: string[];
  hits: RegExp | null;
  onFilter?(f: Filter): void;
  onColumn?(field: string): void;
}

export function FieldTable({ fields, cols, hits, onFilter, onColumn }: Props) {
  const t = useT();
  const [search, setSearch] = useState('');
  const found = fields.filter((f) => matchesParts(f.name, search) || (search && f.text.includes(search)));
  return (
    <div className={styles.fields}>
      {fields.length > 24 && (
        <input
          className={styles.search}
          type="search"
          value={search}
          placeholder={t.event.search}
          aria-label={t.event.search}
          onChange={(e) => setSearch(e.target.value)}
        />
      )}
      <dl>
        {found.slice(0, drawn).map((f) => (
          <FieldRow
            key={f.name}
            field={f}
            column={cols.includes(f.name)}
            hits={hits}
            onFilter={onFilter}
            onColumn={onColumn}
          />
        ))}
      </dl>
      {found.length > drawn && <p className={styles.note}>{t.event.tooMany(found.length - drawn)}</p>}
    </div>
  );
}

interface RowProps {
  field: FlatField;
  column: boolean;
  hits: RegExp | null;
  onFilter?(f: Filter): void;
  onColumn?(field: string): void;
}

function FieldRow({ field, column, hits, onFilter, onColumn }: RowProps) {
  const t = useT();
  const { copied, copy } = useCopy();
  const [whole, setWhole] = useState(false);
  const long = field.text.length > shownChars;
  const text = long && !whole ? field.text.slice(0, shownChars) : field.text;
  const filter = (op: 'is' | 'is_not') => onFilter?.({ field: field.name, op, value: field.values[0] });
  return (
    <div className={styles.field}>
      <dt title={field.name}>{field.name}</dt>
      <dd data-kind={field.kind}>
        <Message text={text} hits={hits} />
        {long && !whole && (
          <button type="button" className={styles.cut} title={t.event.raw} onClick={() => setWhole(true)}>
            {t.event.cut(bytes(field.text.length - shownChars))}
          </button>
        )}
        <span className={styles.tools}>
          {onFilter && (
            <>
              <IconButton icon="plusCircle" size={14} label={t.explore.filterIn} onClick={() => filter('is')} />
              <IconButton icon="minusCircle" size={14} label={t.explore.filterOut} onClick={() => filter('is_not')} />
            </>
          )}
          {onColumn && (
            <IconButton
              icon="column"
              size={14}
              on={column}
              label={column ? t.explore.removeColumn : t.explore.addColumn}
              onClick={() => onColumn(field.name)}
            />
          )}
          <IconButton
            icon={copied ? 'check' : 'copy'}
            size={14}
            label={copied ? t.event.copied : t.explore.copy}
            onClick={() => copy(field.text)}
          />
        </span>
      </dd>
    </div>
  );
}
