// The requests in CodeMirror: loaded with the console.

import { autocompletion, type CompletionContext, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import styles from './page.module.css';
import { paths, roots } from './requests';

const language = StreamLanguage.define({
  name: 'weir-console',
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^(#|\/\/).*/)) return 'comment';
    if (stream.sol() && stream.match(/^(GET|HEAD|POST|PUT|DELETE)\b/)) return 'keyword';
    if (stream.match(/^"(?:[^"\\]|\\.)*"(?=\s*:)/)) return 'propertyName';
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
    if (stream.match(/^-?\d+(\.\d+)?([eE][+-]?\d+)?\b/)) return 'number';
    if (stream.match(/^(true|false|null)\b/)) return 'bool';
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['{', '[', '"'] } },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--text3)', fontStyle: 'italic' },
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: tags.propertyName, color: 'var(--info)' },
  { tag: tags.string, color: 'var(--ok)' },
  { tag: [tags.number, tags.bool], color: 'var(--warn)' },
]);

const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--bg1)', color: 'var(--text)', fontSize: '12px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '20px' },
  '.cm-gutters': { backgroundColor: 'var(--bg1)', color: 'var(--text3)', border: '0' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--bg3) 45%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--bg2)',
    color: 'var(--text)',
    border: '1px solid var(--border2)',
    borderRadius: '6px',
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--bg3)', color: 'var(--text)' },
});

/** Paths: what the store answers, and its indices. */
function completePath(indices: () => string[]) {
  return (ctx: CompletionContext) => {
    const m = ctx.matchBefore(/^\s*(GET|HEAD|POST|PUT|DELETE)\s+\S*$/);
    if (!m) {
      const word = ctx.matchBefore(/^\s*[A-Z]+$/);
      return word
        ? { from: word.from, options: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'].map((label) => ({ label })) }
        : null;
    }
    const path = /\S*$/.exec(m.text)?.[0] ?? '';
    const slash = path.lastIndexOf('/');
    const within = slash > 0 && !path.startsWith('_') && !path.startsWith('/_');
    const list = within ? paths : [...indices(), ...roots];
    const from = ctx.pos - path.length + (within ? slash + 1 : path.startsWith('/') ? 1 : 0);
    return { from, options: list.map((label) => ({ label })), validFor: /^[\w*?=.&/-]*$/ };
  };
}

interface Props {
  text: string;
  label: string;
  indices: string[];
  onChange(text: string): void;
  onLine(line: number): void;
  onRun(): void;
}

export default function RequestEditor(p: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const now = useRef(p);
  now.current = p;
  useEffect(() => {
    if (!box.current) return;
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
    const run = () => {
      now.current.onRun();
      return true;
    };
    const v = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: now.current.text,
        extensions: [
          nonce ? EditorView.cspNonce.of(nonce) : [],
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          bracketMatching(),
          closeBrackets(),
          indentUnit.of('  '),
          language,
          syntaxHighlighting(colours),
          theme,
          autocompletion({ override: [completePath(() => now.current.indices)], icons: false }),
          keymap.of([
            { key: 'Mod-Enter', run },
            ...completionKeymap,
            ...historyKeymap,
            ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'),
            indentWithTab,
          ]),
          EditorView.contentAttributes.of({ 'aria-label': now.current.label, spellcheck: 'false', tabindex: '0' }),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) now.current.onChange(u.state.doc.toString());
            if (u.docChanged || u.selectionSet)
              now.current.onLine(u.state.doc.lineAt(u.state.selection.main.head).number - 1);
          }),
        ],
      }),
    });
    view.current = v;
    return () => v.destroy();
  }, []);
  useEffect(() => {
    const v = view.current;
    if (!v || v.state.doc.toString() === p.text) return;
    v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: p.text }, selection: { anchor: p.text.length } });
  }, [p.text]);
  return <div className={styles.code} ref={box} />;
}
