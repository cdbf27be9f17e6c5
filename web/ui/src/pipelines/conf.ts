// The configuration language in the editor: colours, and completion from the server's catalog of plugins.

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { snippetCompletion } from '@codemirror/autocomplete';
import { StreamLanguage, type StringStream } from '@codemirror/language';
import type { Catalog, Option, Plugin } from './api';

const sections = ['input', 'filter', 'output'];
const words = /^(?:if|else|and|or|not|in|xor|nand)\b/;

interface State {
  quote: string;
}

export const conf = StreamLanguage.define<State>({
  name: 'weir-conf',
  startState: () => ({ quote: '' }),
  token(stream, state) {
    if (state.quote) return inString(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return 'comment';
    const quote = stream.match(/^["']/) as RegExpMatchArray | null;
    if (quote) {
      state.quote = quote[0];
      return 'string';
    }
    if (stream.match(/^=~|^!~|^=>|^==|^!=|^<=|^>=|^[<>!]/)) return 'operator';
    if (stream.match(/^-?\d+(\.\d+)?\b/)) return 'number';
    if (stream.match(/^\/(?:[^/\\\n]|\\.)+\//)) return 'regexp';
    if (stream.match(/^\[[@\w.-]+\](?:\[[@\w.-]+\])*/)) return 'variableName';
    if (stream.match(words)) return 'keyword';
    if (stream.match(/^(?:input|filter|output)(?=\s*\{)/)) return 'heading';
    if (stream.match(/^(?:true|false)\b/)) return 'bool';
    if (stream.match(/^[\w-]+(?=\s*\{)/)) return 'typeName';
    if (stream.match(/^[\w.-]+(?=\s*=>)/)) return 'propertyName';
    if (stream.match(/^[\w.-]+/)) return 'atom';
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['{', '[', '"', "'", '('] } },
});

/** The rest of a string on this line; references and grok patterns inside have a colour of their own. */
function inString(stream: StringStream, state: State): string {
  if (stream.match(/^%\{[^}"']*\}/)) return 'string.special';
  if (stream.match(/^\\./)) return 'string';
  if (stream.next() === state.quote) state.quote = '';
  else stream.match(/^[^"'\\%]+/);
  return 'string';
}

export interface Place {
  section: string;
  /** The plugin around, '' between plugins. */
  plugin: string;
  /** Depth of braces and brackets inside the plugin. */
  depth: number;
  /** In a string, and what of it stands before the place. */
  string: string | null;
}

/** Where a place of a text is: the blocks open before it. */
export function placeIn(text: string): Place {
  const stack: string[] = [];
  let word = '';
  let i = 0;
  while (i < text.length) {
    const c = text[i];
    if (c === '#') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
      word = '';
      continue;
    }
    if (c === '"' || c === "'") {
      const end = endOfString(text, i);
      if (end < 0) return { ...place(stack), string: text.slice(i + 1) };
      i = end + 1;
      continue;
    }
    if (c === '{' || c === '[') {
      stack.push(c === '[' ? '[' : word);
      word = '';
    } else if (c === '}' || c === ']') {
      stack.pop();
      word = '';
    } else if (/[\w-]/.test(c)) {
      const m = /^[\w-]+/.exec(text.slice(i)) as RegExpExecArray;
      if (i + m[0].length >= text.length) break;
      word = m[0];
      i += word.length;
      continue;
    } else if (c === '>') word = '=>';
    i++;
  }
  return { ...place(stack), string: null };
}

function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === text[at]) return i;
  }
  return -1;
}

/** Blocks of conditions carry the word before their brace, which is no plugin's when it follows a comparison. */
function place(stack: string[]): Omit<Place, 'string'> {
  const section = sections.includes(stack[0]) ? stack[0] : '';
  for (let i = 1; i < stack.length; i++) {
    if (stack[i] !== '' && stack[i] !== 'else' && stack[i] !== '[' && stack[i] !== '=>' && !/^\d/.test(stack[i])) {
      return { section, plugin: stack[i], depth: stack.length - i - 1 };
    }
  }
  return { section, plugin: '', depth: 0 };
}

function plugins(c: Catalog, section: string): Plugin[] {
  return section === 'input' ? c.inputs : section === 'output' ? c.outputs : c.filters;
}

function optionsOf(c: Catalog, p: Place): Option[] {
  const own = plugins(c, p.section).find((x) => x.name === p.plugin)?.options ?? [];
  return [...own, ...(c.common[p.section as 'filter'] ?? [])].filter((o) => !o.refused);
}

function emptyOf(o: Option): string {
  if (o.kind === 'hash') return '{ "#{}" => "#{}" }';
  if (o.kind === 'array') return '["#{}"]';
  if (o.kind === 'number') return '#{1}';
  if (o.kind === 'boolean') return o.default === 'true' ? 'false' : 'true';
  return '"#{}"';
}

function pluginItem(p: Plugin): Completion {
  const needed = (p.options ?? []).filter((o) => o.required).map((o) => `  ${o.name} => ${emptyOf(o)}\n`);
  return snippetCompletion(`${p.name} {\n${needed.join('') || '  #{}\n'}}`, { label: p.name, type: 'class' });
}

function optionItem(o: Option): Completion {
  const detail = o.required ? `${o.kind}, required` : o.default ? `${o.kind} = ${o.default}` : o.kind;
  return snippetCompletion(`${o.name} => ${emptyOf(o)}`, {
    label: o.name,
    type: 'property',
    detail,
    info: o.doc,
    boost: o.required ? 10 : 0,
  });
}

/** Values of an option: its enum, true and false, or codecs. */
function values(c: Catalog, p: Place, name: string): Completion[] {
  const o = optionsOf(c, p).find((x) => x.name === name);
  const list =
    name === 'codec' ? c.codecs.map((x) => x.name) : o?.kind === 'boolean' ? ['true', 'false'] : (o?.enum ?? []);
  return list.map((label) => ({
    label: o?.kind === 'boolean' || name === 'codec' ? label : `"${label}"`,
    type: 'enum',
  }));
}

/** Completion at a place of the text. */
export function completion(catalog: () => Catalog | null) {
  return (ctx: CompletionContext): CompletionResult | null => {
    const c = catalog();
    if (!c) return null;
    const before = ctx.state.sliceDoc(0, ctx.pos);
    const p = placeIn(before);
    if (p.string !== null) {
      const m = /%\{(\w*)$/.exec(p.string);
      if (!m || p.plugin !== 'grok') return null;
      return { from: ctx.pos - m[1].length, options: c.patterns.map((label) => ({ label, type: 'constant' })) };
    }
    const word = ctx.matchBefore(/[\w-]*/);
    const from = word?.from ?? ctx.pos;
    if (!ctx.explicit && from === ctx.pos) return null;
    const value = /([\w.-]+)\s*=>\s*[\w"]*$/.exec(before);
    if (value && p.plugin) return { from, options: values(c, p, value[1]) };
    if (!p.section) return { from, options: sections.map((s) => snippetCompletion(`${s} {\n  #{}\n}`, { label: s })) };
    if (!p.plugin) return { from, options: plugins(c, p.section).map(pluginItem) };
    if (p.depth === 0) return { from, options: optionsOf(c, p).map(optionItem) };
    return null;
  };
}
