// Enough of the query language to try the pages: field:value, comparisons by words, and, or, not, parentheses.

const word = /\s*(?:("(?:[^"\\]|\\.)*")|([()])|([^\s():"]+)\s*(:)|([^\s():"]+))/y;

export function tokenize(text) {
  const tokens = [];
  word.lastIndex = 0;
  let value = false;
  for (let m = word.exec(text); m; m = word.exec(text)) {
    const end = word.lastIndex;
    const put = (s, to, kind) => tokens.push({ from: to - s.length, to, kind, text: s });
    if (m[1]) put(m[1], end, value ? 'value' : 'text');
    else if (m[2]) put(m[2], end, 'paren');
    else if (m[3]) {
      const start = text.indexOf(m[3], end - m[0].trimStart().length);
      tokens.push({ from: start, to: start + m[3].length, kind: 'field', text: m[3] });
      put(':', end, 'operator');
    } else if (/^(and|or|not)$/i.test(m[5])) put(m[5], end, 'keyword');
    else put(m[5], end, value ? 'value' : 'text');
    value = Boolean(m[3]) || (value && m[2] === '(');
  }
  return tokens;
}

/** A predicate on rows, or an error with its place. */
export function compile(text) {
  const tokens = tokenize(text);
  let i = 0;
  const fail = (expected) => {
    const at = tokens[i]?.from ?? text.length;
    throw { message: 'The query cannot be read', at, expected, fix: '' };
  };
  const or = () => {
    let left = and();
    while (tokens[i]?.kind === 'keyword' && /^or$/i.test(tokens[i].text)) {
      i++;
      const [a, b] = [left, and()];
      left = (r) => a(r) || b(r);
    }
    return left;
  };
  const and = () => {
    let left = not();
    while (tokens[i] && !(tokens[i].kind === 'keyword' && /^or$/i.test(tokens[i].text)) && tokens[i].text !== ')') {
      if (/^and$/i.test(tokens[i].text)) i++;
      const [a, b] = [left, not()];
      left = (r) => a(r) && b(r);
    }
    return left;
  };
  const not = () => {
    if (tokens[i]?.kind === 'keyword' && /^not$/i.test(tokens[i].text)) {
      i++;
      const inner = not();
      return (r) => !inner(r);
    }
    return leaf();
  };
  const leaf = () => {
    const t = tokens[i++];
    if (!t) {
      i--;
      fail('a value');
    }
    if (t.text === '(') {
      const inner = or();
      if (tokens[i++]?.text !== ')') fail('")"');
      return inner;
    }
    if (t.kind !== 'field') return matcher(null, t.text);
    i++;
    if (tokens[i]?.text === '(') {
      i++;
      const list = [];
      while (tokens[i] && tokens[i].text !== ')')
        if (!/^or$/i.test(tokens[i++].text)) list.push(matcher(t.text, tokens[i - 1].text));
      if (!tokens[i]) fail('")"');
      i++;
      return (r) => list.some((m) => m(r));
    }
    const v = tokens[i++];
    if (!v) {
      i--;
      fail('a value');
    }
    return matcher(t.text, v.text);
  };
  const strip = (ts) => ts.map(({ from, to, kind }) => ({ from, to, kind }));
  try {
    const test = tokens.length === 0 ? () => true : or();
    if (i < tokens.length) fail('"and" or "or"');
    return { test, tokens: strip(tokens), error: null };
  } catch (e) {
    return { test: () => true, tokens: strip(tokens), error: e };
  }
}

const alias = { level: 'log.level', service: 'service.name' };

function matcher(field, raw) {
  const value = raw.replace(/^"|"$/g, '').toLowerCase();
  if (field === null) return (r) => value === '*' || r.message.toLowerCase().includes(value.replaceAll('*', ''));
  const name = alias[field] ?? field;
  if (value === '*') return (r) => r.fields[name] !== undefined;
  if (value.includes('*')) {
    const re = new RegExp(
      `^${value
        .split('*')
        .map((s) => s.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    );
    return (r) => re.test(String(r.fields[name] ?? '').toLowerCase());
  }
  if (name === 'message') return (r) => r.message.toLowerCase().includes(value);
  return (r) => String(r.fields[name] ?? '').toLowerCase() === value;
}
