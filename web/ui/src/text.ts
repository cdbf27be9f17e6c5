// Log text is hostile: it is shown as text nodes only. This file cuts a message into pieces with classes: colours that the
// program meant (ANSI SGR), matches of the search, and characters that would otherwise be invisible or turn the line around.

export interface Piece {
  text: string;
  /** ANSI: colour 0 to 15, or undefined. */
  fg?: number;
  bold?: boolean;
  dim?: boolean;
  underline?: boolean;
  /** A match of the search. */
  hit?: boolean;
  /** A stand-in for a character that cannot be shown. */
  sign?: boolean;
}

const esc = String.fromCharCode(27);
// CSI sequences, OSC sequences up to BEL or ST, and two-byte escapes.
const escapes = new RegExp(
  `${esc}(?:\\[([0-?]*)[ -/]*([@-~])|\\][^\\x07${esc}]*(?:\\x07|${esc}\\\\)?|[@-Z\\\\^_])`,
  'g',
);

type Style = Pick<Piece, 'fg' | 'bold' | 'dim' | 'underline'>;

/** The style after one SGR sequence; other escapes are dropped. */
function sgr(params: string, style: Style): Style {
  const codes = params === '' ? [0] : params.split(/[;:]/).map(Number);
  let s = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) s = {};
    else if (c === 1) s.bold = true;
    else if (c === 2) s.dim = true;
    else if (c === 4) s.underline = true;
    else if (c === 22) s = { ...s, bold: undefined, dim: undefined };
    else if (c === 24) s.underline = undefined;
    else if (c >= 30 && c <= 37) s.fg = c - 30;
    else if (c >= 90 && c <= 97) s.fg = c - 82;
    else if (c === 39) s.fg = undefined;
    else if (c === 38 || c === 48) {
      if (c === 38 && codes[i + 1] === 5 && codes[i + 2] < 16) s.fg = codes[i + 2];
      i += codes[i + 1] === 5 ? 2 : 4; // 256 and true colours beyond the sixteen keep the text's own
    }
  }
  return s;
}

/** The text without escape sequences. */
export function plain(text: string): string {
  return text.includes(esc) ? text.replace(escapes, '') : text;
}

function styled(text: string): Piece[] {
  if (!text.includes(esc)) return [{ text }];
  const out: Piece[] = [];
  let style: Style = {};
  let at = 0;
  for (const m of text.matchAll(escapes)) {
    if (m.index > at) out.push({ text: text.slice(at, m.index), ...style });
    if (m[2] === 'm') style = sgr(m[1], style);
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at), ...style });
  return out;
}

// Controls but tab and newline, bidi marks and embeddings, zero-width joiners' neighbours that hide, the byte-order mark.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters looked for
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const invisibles = new RegExp(invisible.source, 'g');

function sign(c: string): string {
  const code = c.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

function signed(p: Piece): Piece[] {
  if (!invisible.test(p.text)) return [p];
  const out: Piece[] = [];
  let at = 0;
  for (const m of p.text.matchAll(invisibles)) {
    if (m.index > at) out.push({ ...p, text: p.text.slice(at, m.index) });
    out.push({ ...p, text: sign(m[0]), sign: true });
    at = m.index + 1;
  }
  if (at < p.text.length) out.push({ ...p, text: p.text.slice(at) });
  return out;
}

function marked(p: Piece, hits: RegExp): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const m of p.text.matchAll(hits)) {
    if (m[0] === '') continue;
    if (m.index > at) out.push({ ...p, text: p.text.slice(at, m.index) });
    out.push({ ...p, text: m[0], hit: true });
    at = m.index + m[0].length;
  }
  if (at === 0) return [p];
  if (at < p.text.length) out.push({ ...p, text: p.text.slice(at) });
  return out;
}

export function pieces(text: string, hits: RegExp | null): Piece[] {
  let out = styled(text).flatMap(signed);
  if (hits) out = out.flatMap((p) => (p.sign ? [p] : marked(p, hits)));
  return out;
}

const maxTerms = 16;
const maxTermLength = 100;

/** Fields whose text is the line itself; a value asked of any other field is not marked in the line. */
const lineFields = /^"?(?:\*|message|(?:log|event)\.original)"?$/;

/** One expression for all words a search looks for in the line, from the tokens of its text; null when there is none. */
export function highlighter(query: string, tokens: { from: number; to: number; kind: string }[]): RegExp | null {
  const terms = new Set<string>();
  let field = '';
  for (const t of tokens) {
    const raw = query.slice(t.from, t.to).trim();
    if (t.kind === 'field') field = raw;
    if (t.kind === 'text') field = '';
    if (t.kind !== 'value' && t.kind !== 'text') continue;
    if (field !== '' && !lineFields.test(field)) continue;
    for (const term of words(raw)) terms.add(term);
  }
  const list = [...terms].slice(0, maxTerms).map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return list.length > 0 ? new RegExp(list.join('|'), 'gi') : null;
}

function words(raw: string): string[] {
  const quoted = /^"([\s\S]*)"$/.exec(raw);
  return (quoted ? [quoted[1]] : raw.split(/[\s*]+/))
    .map((w) => w.replace(/\\(.)/g, '$1'))
    .filter((w) => w.length > 1 && w.length <= maxTermLength);
}
