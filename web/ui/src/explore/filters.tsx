import { useQuery } from '@tanstack/react-query';
import { DropdownMenu, Popover } from 'radix-ui';
import { type FormEvent, useId, useRef, useState } from 'react';
import type { FieldInfo } from '../api';
import * as api from '../api';
import { type Dict, useT } from '../i18n';
import { Button, IconButton } from '../kit/button';
import { cx } from '../kit/cx';
import { Icon } from '../kit/icon';
import layer from '../kit/layer.module.css';
import type { ExploreState, Filter, Op, RangeValue } from '../url';
import { matchesParts } from '../words';
import styles from './filters.module.css';
import { opposite, withFilter } from './state';

const ops: Op[] = ['is', 'is_not', 'one_of', 'none_of', 'exists', 'not_exists', 'range', 'dsl'];
/** Milliseconds a menu takes to leave. */
const closing = 50;
/** Names offered while a field is typed. */
const offered = 40;

export function filterLabel(f: Filter, t: Dict): string {
  if (f.op === 'exists') return `${f.field} ${t.filter.exists}`;
  if (f.op === 'not_exists') return `${f.field} ${t.filter.not_exists}`;
  if (f.op === 'range') {
    const r = (f.value ?? {}) as RangeValue;
    return `${r.gte ?? '−∞'} ≤ ${f.field} < ${r.lt ?? '∞'}`;
  }
  if (f.op === 'one_of' || f.op === 'none_of') {
    const list = Array.isArray(f.value) ? f.value.join(', ') : '';
    return `${f.op === 'none_of' ? `${t.filter.not} ` : ''}${f.field}: ${list}`;
  }
  if (f.op === 'dsl') return f.field;
  return `${f.op === 'is_not' ? `${t.filter.not} ` : ''}${f.field}: ${String(f.value)}`;
}

/** What the filters need to know of their page. */
export type FilterScope = Pick<ExploreState, 'f' | 'index' | 'from' | 'to'>;

interface Props {
  state: FilterScope;
  fields: FieldInfo[];
  onChange(all: Filter[]): void;
}

export function Filters({ state, fields, onChange }: Props) {
  const t = useT();
  const filters = state.f;
  const replace = (i: number, f: Filter | null) =>
    onChange(f ? filters.map((o, j) => (j === i ? f : o)) : filters.filter((_, j) => j !== i));
  return (
    <div className={styles.filters} role="group" aria-label={t.query.filters}>
      <FilterForm state={state} fields={fields} onApply={(f) => onChange(withFilter(filters, f))}>
        <Button kind="quiet" icon="plus" className={styles.add}>
          {t.filter.add}
        </Button>
      </FilterForm>
      {filters.map((f, i) => (
        <Pill key={i} filter={f} state={state} fields={fields} onChange={(next) => replace(i, next)} />
      ))}
      {filters.length > 1 && (
        <IconButton icon="close" size={13} label={t.filter.removeAll} onClick={() => onChange([])} />
      )}
    </div>
  );
}

interface PillProps {
  filter: Filter;
  state: FilterScope;
  fields: FieldInfo[];
  onChange(f: Filter | null): void;
}

function Pill({ filter, state, fields, onChange }: PillProps) {
  const t = useT();
  const [editing, setEditing] = useState(false);
  // The form opens when the menu has closed: the menu gives the focus back, and a form that loses it closes.
  const wanted = useRef(false);
  const not = filter.op === 'is_not' || filter.op === 'not_exists';
  return (
    <span className={cx(styles.pill, not && styles.not, filter.disabled && styles.off)}>
      <FilterForm
        state={state}
        fields={fields}
        filter={filter}
        open={editing}
        onOpen={setEditing}
        onApply={(f) => onChange({ ...f, disabled: filter.disabled, pinned: filter.pinned })}
      >
        <span className={styles.anchor} />
      </FilterForm>
      <DropdownMenu.Root
        modal={false}
        onOpenChange={(open) => {
          if (open || !wanted.current) return;
          setTimeout(() => {
            wanted.current = false;
            setEditing(true);
          }, closing);
        }}
      >
        <DropdownMenu.Trigger asChild>
          <button type="button" className={styles.label} aria-label={t.filter.of(filterLabel(filter, t))}>
            {filter.pinned && <Icon name="pin" size={11} />}
            {filterLabel(filter, t)}
          </button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            onCloseAutoFocus={(e) => wanted.current && e.preventDefault()}
            className={layer.menu}
            align="start"
            sideOffset={4}
          >
            <DropdownMenu.Item
              className={layer.item}
              onSelect={() => {
                wanted.current = true;
              }}
            >
              {t.filter.edit}
            </DropdownMenu.Item>
            {filter.op !== 'dsl' && (
              <DropdownMenu.Item
                className={layer.item}
                onSelect={() => {
                  onChange({ ...filter, field: filterLabel(filter, t), op: 'dsl', value: dslOf(filter) });
                  wanted.current = true;
                }}
              >
                {t.filter.json}
              </DropdownMenu.Item>
            )}
            <DropdownMenu.Item
              className={layer.item}
              onSelect={() => onChange({ ...filter, pinned: filter.pinned ? undefined : true })}
            >
              {filter.pinned ? t.filter.unpin : t.filter.pin}
            </DropdownMenu.Item>
            {filter.op !== 'range' && filter.op !== 'dsl' && (
              <DropdownMenu.Item
                className={layer.item}
                onSelect={() => onChange({ ...filter, op: opposite[filter.op] })}
              >
                {t.filter.negate}
              </DropdownMenu.Item>
            )}
            <DropdownMenu.Item
              className={layer.item}
              onSelect={() => onChange({ ...filter, disabled: filter.disabled ? undefined : true })}
            >
              {filter.disabled ? t.filter.enable : t.filter.disable}
            </DropdownMenu.Item>
            <DropdownMenu.Separator className={layer.line} />
            <DropdownMenu.Item className={layer.item} onSelect={() => onChange(null)}>
              {t.filter.remove}
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <button type="button" className={styles.remove} aria-label={t.filter.remove} onClick={() => onChange(null)}>
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

interface FormProps {
  state: FilterScope;
  fields: FieldInfo[];
  filter?: Filter;
  open?: boolean;
  onOpen?(open: boolean): void;
  onApply(f: Filter): void;
  children: React.ReactNode;
}

function FilterForm({ state, fields, filter, open, onOpen, onApply, children }: FormProps) {
  const [own, setOwn] = useState(false);
  const shown = open ?? own;
  const setShown = onOpen ?? setOwn;
  return (
    <Popover.Root open={shown} onOpenChange={setShown}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className={cx(layer.layer, styles.form)}
          align="start"
          sideOffset={4}
          collisionPadding={8}
          onFocusOutside={(e) => e.preventDefault()}
        >
          <Form
            state={state}
            fields={fields}
            filter={filter}
            onApply={(f) => {
              onApply(f);
              setShown(false);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Form({ state, fields, filter, onApply }: Pick<FormProps, 'state' | 'fields' | 'filter' | 'onApply'>) {
  const t = useT();
  const list = useId();
  const [field, setField] = useState(filter?.field ?? '');
  const [op, setOp] = useState<Op>(filter?.op ?? 'is');
  const range = (filter?.op === 'range' ? filter.value : {}) as RangeValue;
  const [value, setValue] = useState(filter && filter.op !== 'range' ? String(filter.value ?? '') : '');
  const [gte, setGte] = useState(range.gte ?? '');
  const [lt, setLt] = useState(range.lt ?? '');
  const needsValue = op === 'is' || op === 'is_not';
  const several = op === 'one_of' || op === 'none_of';
  const [lines, setLines] = useState(Array.isArray(filter?.value) ? filter.value.join('\n') : '');
  const [dsl, setDsl] = useState(filter?.op === 'dsl' ? JSON.stringify(filter.value, null, 2) : '{\n  \n}');
  const values = lines.split('\n').filter((l) => l !== '');
  const clause = op === 'dsl' ? objectOf(dsl) : null;
  const ok =
    field.trim() !== '' &&
    (op === 'dsl'
      ? clause !== null
      : several
        ? values.length > 0
        : needsValue
          ? value !== ''
          : op !== 'range' || gte !== '' || lt !== '');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!ok) return;
    const f: Filter = { field: field.trim(), op };
    if (needsValue) f.value = value;
    if (several) f.value = values;
    if (op === 'dsl') f.value = clause;
    if (op === 'range') f.value = { ...(gte && { gte }), ...(lt && { lt }) };
    onApply(f);
  };
  const names = fields.filter((f) => f.searchable && matchesParts(f.name, field)).slice(0, offered);
  return (
    <form onSubmit={submit} className={styles.rows}>
      <label>
        <span>{op === 'dsl' ? t.filter.label : t.filter.field}</span>
        <input list={op === 'dsl' ? undefined : list} value={field} onChange={(e) => setField(e.target.value)} />
        <datalist id={list}>
          {names.map((f) => (
            <option key={f.name} value={f.name} />
          ))}
        </datalist>
      </label>
      <label>
        <span>{t.filter.operator}</span>
        <select value={op} onChange={(e) => setOp(e.target.value as Op)}>
          {ops.map((o) => (
            <option key={o} value={o}>
              {t.filter[o]}
            </option>
          ))}
        </select>
      </label>
      {needsValue && (
        <label>
          <span>{t.filter.value}</span>
          <input list={`${list}-values`} value={value} onChange={(e) => setValue(e.target.value)} />
          <ValueList id={`${list}-values`} state={state} field={fields.find((f) => f.name === field.trim())} />
        </label>
      )}
      {several && (
        <label>
          <span>{t.filter.values}</span>
          <textarea rows={4} value={lines} onChange={(e) => setLines(e.target.value)} />
        </label>
      )}
      {op === 'dsl' && (
        <label>
          <span>{clause === null ? t.filter.badJson : t.filter.dsl}</span>
          <textarea
            rows={8}
            spellCheck={false}
            aria-invalid={clause === null}
            value={dsl}
            onChange={(e) => setDsl(e.target.value)}
          />
        </label>
      )}
      {op === 'range' && (
        <>
          <label>
            <span>{t.filter.from}</span>
            <input value={gte} onChange={(e) => setGte(e.target.value)} />
          </label>
          <label>
            <span>{t.filter.to}</span>
            <input value={lt} onChange={(e) => setLt(e.target.value)} />
          </label>
        </>
      )}
      <Button type="submit" kind="accent" disabled={!ok}>
        {t.filter.apply}
      </Button>
    </form>
  );
}

function objectOf(text: string): object | null {
  try {
    const v = JSON.parse(text);
    return typeof v === 'object' && v !== null && !Array.isArray(v) && Object.keys(v).length > 0 ? v : null;
  } catch {
    return null;
  }
}

/** What the server makes of a filter, to be edited by hand. */
export function dslOf(f: Filter): object {
  const one = (value: unknown) => ({ match_phrase: { [f.field]: value } });
  const not = (clause: object) => ({ bool: { must_not: [clause] } });
  switch (f.op) {
    case 'exists':
      return { exists: { field: f.field } };
    case 'not_exists':
      return not({ exists: { field: f.field } });
    case 'range':
      return { range: { [f.field]: f.value ?? {} } };
    case 'one_of':
    case 'none_of': {
      const any = { bool: { should: (f.value as unknown[]).map(one), minimum_should_match: 1 } };
      return f.op === 'none_of' ? not(any) : any;
    }
    case 'dsl':
      return f.value as object;
  }
  return f.op === 'is_not' ? not(one(f.value)) : one(f.value);
}

/** The most frequent values of the chosen field in the range, whatever the search. */
function ValueList({ id, state, field }: { id: string; state: FilterScope; field?: FieldInfo }) {
  const { index, from, to } = state;
  const q = useQuery({
    queryKey: ['offered', index, field?.name, from, to],
    queryFn: ({ signal }) => api.values({ index, field: field?.name ?? '', query: '', lang: 'kql', from, to }, signal),
    enabled: field?.aggregatable === true,
    staleTime: 30_000,
    retry: false,
  });
  return (
    <datalist id={id}>
      {(q.data?.values ?? []).map((v) => (
        <option key={String(v.value)} value={String(v.value)} />
      ))}
    </datalist>
  );
}
