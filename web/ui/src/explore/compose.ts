// Filters as part of a query text, for the requests that take a query alone (live tail, top values).

import type { Filter, RangeValue } from '../url';

function quote(v: unknown): string {
  return `"${String(v).replace(/[\\"]/g, '\\$&')}"`;
}

function escapeField(field: string, lang: 'kql' | 'lucene'): string {
  const special = lang === 'kql' ? /[\\():<>"*{}\s]/g : /[\\+\-=&|><!(){}[\]^"~*?:/\s]/g;
  return field.replace(special, '\\$&');
}

function clause(f: Filter, lang: 'kql' | 'lucene'): string {
  const field = escapeField(f.field, lang);
  const not = lang === 'kql' ? 'not' : 'NOT';
  switch (f.op) {
    case 'is':
      return `${field}:${quote(f.value)}`;
    case 'is_not':
      return `${not} ${field}:${quote(f.value)}`;
    case 'exists':
      return lang === 'kql' ? `${field}:*` : `_exists_:${field}`;
    case 'not_exists':
      return lang === 'kql' ? `${not} ${field}:*` : `${not} _exists_:${field}`;
    case 'range':
      return between(field, (f.value ?? {}) as RangeValue, lang);
    case 'one_of':
    case 'none_of': {
      const list = (f.value as unknown[]).map(quote).join(lang === 'kql' ? ' or ' : ' OR ');
      return `${f.op === 'none_of' ? `${not} ` : ''}${field}:(${list})`;
    }
    case 'dsl':
      return ''; // Query DSL has no text: who composes leaves it out and says so
  }
}

function between(field: string, r: RangeValue, lang: 'kql' | 'lucene'): string {
  if (lang === 'lucene') return `${field}:[${r.gte ? quote(r.gte) : '*'} TO ${r.lt ? quote(r.lt) : '*'}}`;
  const ends = [r.gte && `${field} >= ${quote(r.gte)}`, r.lt && `${field} < ${quote(r.lt)}`].filter(Boolean);
  return ends.length > 0 ? ends.join(' and ') : `${field}:*`;
}

export function compose(q: string, lang: 'kql' | 'lucene', filters: Filter[]): string {
  const clauses = filters.filter((f) => !f.disabled && f.op !== 'dsl').map((f) => clause(f, lang));
  if (clauses.length === 0) return q;
  if (q.trim() !== '') clauses.unshift(`(${q})`);
  return clauses.join(lang === 'kql' ? ' and ' : ' AND ');
}
