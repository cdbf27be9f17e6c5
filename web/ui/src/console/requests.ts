// The syntax of the console: a line with a method and a path begins a request; the lines up to the next are its body.

export interface Request {
  method: string;
  path: string;
  body: string;
  /** First and last line, from 0. */
  from: number;
  to: number;
}

const head = /^\s*(GET|HEAD|POST|PUT|DELETE)\s+(\S.*?)\s*$/;

export function requestsIn(text: string): Request[] {
  const out: Request[] = [];
  text.split('\n').forEach((line, i) => {
    const m = head.exec(line);
    if (m) out.push({ method: m[1], path: m[2], body: '', from: i, to: i });
    else if (out.length > 0) {
      const r = out[out.length - 1];
      if (/^\s*(#|\/\/)/.test(line)) return;
      r.body += `${line}\n`;
      if (line.trim() !== '') r.to = i;
    }
  });
  for (const r of out) r.body = bodyOf(r);
  return out;
}

/** Texts in triple quotes become JSON strings; bulk bodies stay lines. */
function bodyOf(r: Request): string {
  const body = r.body.replace(/"""([\s\S]*?)"""/g, (_, s: string) => JSON.stringify(s)).trim();
  return body === '' ? '' : `${body}\n`;
}

/** The request a line belongs to. */
export function requestAt(text: string, line: number): Request | null {
  const before = requestsIn(text).filter((r) => r.from <= line);
  return before[before.length - 1] ?? null;
}

/** Requests that take data away are asked about. */
export function removes(r: Request): boolean {
  return r.method === 'DELETE' || /_delete_by_query|_close|_rollover/.test(r.path);
}

/** JSON with indents; other text as it is. */
export function pretty(body: string): string {
  try {
    JSON.parse(body);
  } catch {
    return body;
  }
  return indented(body);
}

/** Indents JSON without reading its numbers, so that long ones keep their digits. */
export function indented(json: string): string {
  let out = '';
  let depth = 0;
  let i = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  while (i < json.length) {
    const c = json[i];
    if (c === '"') {
      let j = i + 1;
      while (j < json.length && json[j] !== '"') j += json[j] === '\\' ? 2 : 1;
      out += json.slice(i, j + 1);
      i = j + 1;
      continue;
    }
    if (c === '{' || c === '[') {
      const rest = /^[{[]\s*[}\]]/.exec(json.slice(i, i + 40));
      if (rest) {
        out += c + (c === '{' ? '}' : ']');
        i += rest[0].length;
        continue;
      }
      depth++;
      out += c + line();
    } else if (c === '}' || c === ']') {
      depth--;
      out += line() + c;
    } else if (c === ',') out += `,${line()}`;
    else if (c === ':') out += ': ';
    else if (!/\s/.test(c)) out += c;
    i++;
  }
  return out;
}

/** What may stand in a path, by what stands before. */
export const paths = [
  '_search', '_count', '_mapping', '_settings', '_bulk', '_doc/', '_create/', '_update/', '_msearch', '_field_caps?fields=*', '_analyze',
  '_refresh', '_flush', '_forcemerge', '_stats', '_delete_by_query', '_update_by_query', '_pit?keep_alive=1m', '_rollover',
]; // biome-ignore format: a list of words
export const roots = [
  '_cat/indices?v', '_cat/health?v', '_cat/aliases?v', '_cat/templates?v', '_cat/count?v', '_cat/nodes?v', '_cluster/health', '_cluster/settings',
  '_cluster/stats', '_nodes/stats', '_index_template', '_component_template', '_ingest/pipeline', '_ilm/policy', '_data_stream', '_aliases', '_alias',
  '_resolve/index/*', '_search', '_mget', '_msearch', '_bulk', '_reindex', '_tasks', '_snapshot', '_scripts/',
]; // biome-ignore format: a list of words
