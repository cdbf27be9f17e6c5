// The text of a pipeline in CodeMirror: loaded when a pipeline is opened.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  WidgetType,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { Catalog, Problem } from './api';
import { completion, conf } from './conf';
import styles from './page.module.css';

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--text3)', fontStyle: 'italic' },
  { tag: tags.string, color: 'var(--ok)' },
  { tag: tags.special(tags.string), color: 'var(--accent)' },
  { tag: tags.regexp, color: 'var(--warn)' },
  { tag: tags.atom, color: 'var(--text)' },
  { tag: tags.keyword, color: 'var(--fatal)' },
  { tag: tags.heading, color: 'var(--text)', fontWeight: '650' },
  { tag: tags.typeName, color: 'var(--info)', fontWeight: '550' },
  { tag: tags.propertyName, color: 'var(--text2)' },
  { tag: tags.variableName, color: 'var(--accent)' },
  { tag: [tags.number, tags.bool], color: 'var(--warn)' },
  { tag: tags.operator, color: 'var(--text3)' },
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
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-bg)', outline: '1px solid var(--border2)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--mark)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--bg2)',
    color: 'var(--text)',
    border: '1px solid var(--border2)',
    borderRadius: '6px',
    maxWidth: '520px',
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--bg3)', color: 'var(--text)' },
  '.cm-completionDetail': { color: 'var(--text3)', fontStyle: 'normal' },
  '.cm-diagnostic': { fontFamily: 'var(--font-ui)', whiteSpace: 'pre-wrap', padding: '4px 8px' },
  '.cm-panels': { backgroundColor: 'var(--bg2)', color: 'var(--text)' },
  '.cm-figure': { color: 'var(--text3)', fontSize: '11px', paddingLeft: '24px', pointerEvents: 'none' },
  '.cm-figure[data-bad]': { color: 'var(--warn)' },
});

/** Figures at the end of a line, such as what a filter costs. */
export interface Figure {
  line: number;
  text: string;
  bad?: boolean;
}

class FigureWidget extends WidgetType {
  constructor(
    readonly text: string,
    readonly bad: boolean,
  ) {
    super();
  }

  eq(o: FigureWidget) {
    return o.text === this.text && o.bad === this.bad;
  }

  toDOM() {
    const el = document.createElement('span');
    el.className = 'cm-figure';
    if (this.bad) el.dataset.bad = '';
    el.textContent = this.text;
    el.setAttribute('aria-hidden', 'true');
    return el;
  }
}

const setFigures = StateEffect.define<Figure[]>();
const figureField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(deco, tr) {
    let now = deco.map(tr.changes);
    for (const e of tr.effects) {
      if (!e.is(setFigures)) continue;
      const list = e.value
        .filter((f) => f.line >= 1 && f.line <= tr.state.doc.lines)
        .sort((a, b) => a.line - b.line)
        .map((f) =>
          Decoration.widget({ widget: new FigureWidget(f.text, f.bad ?? false), side: 1 }).range(
            tr.state.doc.line(f.line).to,
          ),
        );
      now = Decoration.set(list);
    }
    return now;
  },
  provide: (f) => EditorView.decorations.from(f),
});

function nonce(): Extension {
  const text = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return text ? EditorView.cspNonce.of(text) : [];
}

function diagnostics(state: EditorState, list: Problem[]): Diagnostic[] {
  return list.flatMap((p) => {
    if (p.line < 1 || p.line > state.doc.lines) return [];
    const line = state.doc.line(p.line);
    const from = Math.min(line.to, line.from + Math.max(0, p.column - 1));
    const to = Math.min(line.to, from + Math.max(1, p.length));
    return [{ from, to, severity: p.severity, message: p.hint ? `${p.message}\n${p.hint}` : p.message }];
  });
}

interface Props {
  /** Another key is another text: the editor starts anew. */
  text: string;
  label: string;
  readOnly: boolean;
  problems: Problem[];
  figures: Figure[];
  catalog: Catalog | null;
  /** A line to show, and a number that changes when it is asked for again. */
  go: { line: number; serial: number } | null;
  insert: { text: string; serial: number } | null;
  onChange(text: string): void;
  onApply(): void;
}

export default function ConfEditor(p: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const now = useRef(p);
  now.current = p;
  useEffect(() => {
    if (!box.current) return;
    const { text, label, readOnly } = now.current;
    const apply = () => {
      now.current.onApply();
      return true;
    };
    const v = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          nonce(),
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          bracketMatching(),
          closeBrackets(),
          indentUnit.of('  '),
          EditorState.tabSize.of(2),
          EditorState.readOnly.of(readOnly),
          conf,
          syntaxHighlighting(colours),
          theme,
          figureField,
          autocompletion({ override: [completion(() => now.current.catalog)], icons: false }),
          keymap.of([
            { key: 'Mod-s', preventDefault: true, run: apply },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) now.current.onChange(u.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = v;
    return () => v.destroy();
  }, []);
  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== p.text)
      v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: p.text } });
  }, [p.text]);
  useEffect(() => {
    const v = view.current;
    if (v) v.dispatch(setDiagnostics(v.state, diagnostics(v.state, p.problems)));
  }, [p.problems]);
  useEffect(() => view.current?.dispatch({ effects: setFigures.of(p.figures) }), [p.figures]);
  useEffect(() => {
    const v = view.current;
    if (!v || !p.go || p.go.line < 1 || p.go.line > v.state.doc.lines) return;
    const line = v.state.doc.line(p.go.line);
    v.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
  }, [p.go]);
  useEffect(() => {
    const v = view.current;
    if (!v || !p.insert) return;
    v.dispatch(v.state.replaceSelection(p.insert.text));
    v.focus();
  }, [p.insert]);
  return <div className={styles.code} ref={box} />;
}
