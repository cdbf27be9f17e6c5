// What is built from a selection without asking the server.

/** Places in UTF-16 units. */
export interface Selection {
  from: number;
  to: number;
}

/** A text for a string in double quotes; patterns keep their backslashes, as the configuration language does. */
export function unquoted(s: string): string {
  return s.replace(/"/g, '\\"');
}

/** The word before `=` or `:` names a value better than its number. */
function nameOf(before: string, i: number, used: Set<string>): string {
  const m = /([A-Za-z_][\w.-]*)\s*[=:]\s*["'[(]?$/.exec(before);
  const first = m ? m[1].toLowerCase() : `field${i + 1}`;
  let name = first;
  for (let n = 2; used.has(name); n++) name = `${first}${n}`;
  used.add(name);
  return name;
}

/** A dissect mapping: the selections are fields, what is between them stands as it is, the rest is kept as `rest`. */
export function dissectOf(line: string, selections: Selection[]): string {
  let out = '';
  let at = 0;
  const used = new Set<string>();
  selections.forEach((s, i) => {
    out += `${line.slice(at, s.from)}%{${nameOf(line.slice(at, s.from), i, used)}}`;
    at = s.to;
  });
  const rest = line.slice(at);
  const border = /^[^\w]+/.exec(rest)?.[0] ?? '';
  return rest === '' || selections.length === 0
    ? out + rest
    : border === rest
      ? out + rest
      : `${out}${border || ' '}%{rest}`;
}

/** Shapes of a time with the format that reads them; the first that fits. */
const shapes: [RegExp, string][] = [
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?$/, 'ISO8601'],
  [/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}$/, 'yyyy-MM-dd HH:mm:ss,SSS'],
  [/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/, 'yyyy-MM-dd HH:mm:ss.SSS'],
  [/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'yyyy-MM-dd HH:mm:ss'],
  [/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d$/, 'yyyy/MM/dd HH:mm:ss'],
  [/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/, 'dd/MMM/yyyy:HH:mm:ss Z'],
  [/^[A-Z][a-z]{2} {2}\d \d\d:\d\d:\d\d$/, 'MMM  d HH:mm:ss'],
  [/^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d$/, 'MMM dd HH:mm:ss'],
  [/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$/, 'EEE, dd MMM yyyy HH:mm:ss Z'],
  [/^[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}$/, 'EEE MMM dd HH:mm:ss yyyy'],
  [/^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d$/, 'dd.MM.yyyy HH:mm:ss'],
  [/^\d{8} \d{6}$/, 'yyyyMMdd HHmmss'],
  [/^\d{13}$/, 'UNIX_MS'],
  [/^\d{10}(\.\d+)?$/, 'UNIX'],
];

export function dateFormat(example: string): string {
  const s = example.trim();
  return shapes.find(([r]) => r.test(s))?.[1] ?? '';
}
