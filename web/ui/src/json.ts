// JSON read as text. A JavaScript object would round integers over 2^53 and move integer-like keys to the front; here every
// number and every key stays as it was written. Used for one event: its fields, and its JSON with indentation.

export type JsonKind = 'key' | 'string' | 'number' | 'word' | 'punct';

export interface JsonToken {
  kind: JsonKind;
  text: string;
}

const token = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([{}[\],:]))/y;

/** All tokens of a text; stops at the first thing that is not JSON. */
export function tokens(text: string): JsonToken[] {
  const out: JsonToken[] = [];
  token.lastIndex = 0;
  for (let m = token.exec(text); m; m = token.exec(text)) {
    if (m[1] !== undefined) out.push({ kind: 'string', text: m[1] });
    else if (m[2] !== undefined) out.push({ kind: 'number', text: m[2] });
    else if (m[3] !== undefined) out.push({ kind: 'word', text: m[3] });
    else {
      if (m[4] === ':' && out.length > 0) out[out.length - 1].kind = 'key';
      out.push({ kind: 'punct', text: m[4] });
    }
  }
  return out;
}

/** The tokens of the value of a top-level key of an object; empty when it is absent. */
export function member(all: JsonToken[], key: string): JsonToken[] {
  let depth = 0;
  for (let i = 0; i < all.length; i++) {
    const t = all[i];
    if (t.kind === 'key' && depth === 1 && t.text === JSON.stringify(key)) return all.slice(i + 2, end(all, i + 2));
    if (t.text === '{' || t.text === '[') depth++; // a string's text begins with a quote
    if (t.text === '}' || t.text === ']') depth--;
  }
  return [];
}

/** Index after the value that begins at i. */
function end(all: JsonToken[], i: number): number {
  let depth = 0;
  for (let j = i; j < all.length; j++) {
    if (all[j].kind === 'punct') {
      if (all[j].text === '{' || all[j].text === '[') depth++;
      else if (all[j].text === '}' || all[j].text === ']') depth--;
    }
    if (depth === 0) return j + 1;
  }
  return all.length;
}

export interface JsonLine {
  depth: number;
  tokens: JsonToken[];
}

/** Deeper levels stay on one line. */
const maxDepth = 64;

/** Lines as an indented printer writes them; empty objects and arrays stay on their line. */
export function pretty(all: JsonToken[]): JsonLine[] {
  const lines: JsonLine[] = [{ depth: 0, tokens: [] }];
  let depth = 0;
  const newline = () => lines.push({ depth: Math.min(depth, maxDepth), tokens: [] });
  for (let i = 0; i < all.length; i++) {
    const t = all[i];
    const line = () => lines[lines.length - 1];
    const opens = t.kind === 'punct' && (t.text === '{' || t.text === '[');
    const closes = t.kind === 'punct' && (t.text === '}' || t.text === ']');
    if (opens) {
      line().tokens.push(t);
      const next = all[i + 1];
      if (next?.kind === 'punct' && (next.text === '}' || next.text === ']')) {
        line().tokens.push(next);
        i++;
      } else {
        depth++;
        newline();
      }
    } else if (closes) {
      depth--;
      newline();
      line().tokens.push(t);
    } else {
      line().tokens.push(t);
      if (t.kind === 'punct' && t.text === ',') newline();
    }
  }
  return lines;
}

export function print(all: JsonToken[]): string {
  return pretty(all)
    .map(
      (l) =>
        '  '.repeat(l.depth) + l.tokens.map((t) => (t.text === ':' && t.kind === 'punct' ? ': ' : t.text)).join(''),
    )
    .join('\n');
}

export interface FlatField {
  name: string;
  kind: 'string' | 'number' | 'word' | 'list';
  /** As a person reads it: strings without quotes, lists of plain values joined by commas. */
  text: string;
  /** The value for a filter; a list has one each. */
  values: unknown[];
}

/** Dotted names and values of an object, in its order; lists of objects give one field per name. */
export function flatten(all: JsonToken[]): FlatField[] {
  const byName = new Map<string, FlatField>();
  const add = (name: string, t: JsonToken) => {
    const text = t.kind === 'string' ? (JSON.parse(t.text) as string) : t.text;
    const value = t.kind === 'word' ? JSON.parse(t.text) : text;
    const have = byName.get(name);
    if (!have) byName.set(name, { name, kind: t.kind as FlatField['kind'], text, values: [value] });
    else {
      have.kind = 'list';
      have.text += `, ${text}`;
      have.values.push(value);
    }
  };
  let i = 0;
  const walk = (path: string, depth: number) => {
    const t = all[i];
    if (!t) return;
    if (t.kind !== 'punct') {
      add(path, t);
      i++;
      return;
    }
    if (depth > maxDepth) {
      const stop = end(all, i);
      add(path, {
        kind: 'word',
        text: JSON.stringify(
          all
            .slice(i, stop)
            .map((x) => x.text)
            .join(''),
        ),
      });
      i = stop;
      return;
    }
    const list = t.text === '[';
    i++;
    while (i < all.length && !(all[i].kind === 'punct' && (all[i].text === '}' || all[i].text === ']'))) {
      const before = i;
      if (all[i].kind === 'punct' && all[i].text === ',') i++;
      else if (list) walk(path, depth + 1);
      else {
        const key = JSON.parse(all[i].text) as string;
        i += 2;
        walk(path ? `${path}.${key}` : key, depth + 1);
      }
      if (i === before) i++;
    }
    i++;
  };
  walk('', 0);
  return [...byName.values()];
}
