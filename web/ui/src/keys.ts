// One table of keys: it drives the handlers and the help sheet. A key is the letter a person reads on the cap: event.key when
// that is ASCII (so Dvorak works), else the letter of event.code (so j and k work on a Korean layout).

import { useEffect, useRef } from 'react';
import { composing } from './ime';

export type Action =
  | 'search'
  | 'help'
  | 'close'
  | 'down'
  | 'up'
  | 'open'
  | 'shut'
  | 'oldest'
  | 'newest'
  | 'nextError'
  | 'prevError'
  | 'nextWarn'
  | 'prevWarn'
  | 'nextMatch'
  | 'prevMatch'
  | 'live'
  | 'pause'
  | 'time'
  | 'earlier'
  | 'later'
  | 'wrap'
  | 'fold'
  | 'context'
  | 'copyLine'
  | 'copyLink'
  | 'goExplore'
  | 'goFlow'
  | 'goDashboards'
  | 'goPipelines'
  | 'goConsole'
  | 'goAlerts'
  | 'goSettings'
  | 'palette'
  | 'run'
  | 'level1'
  | 'level2'
  | 'level3'
  | 'level4'
  | 'level5'
  | 'level6';

/** Groups of the help sheet, in its order. */
export type Group = 'general' | 'rows' | 'range' | 'go';

export interface Binding {
  action: Action;
  /** Chords; two letters with a blank are typed one after the other. */
  keys: string[];
  group: Group;
}

export const table: Binding[] = [
  { action: 'search', keys: ['/'], group: 'general' },
  { action: 'run', keys: ['Mod+Enter'], group: 'general' },
  { action: 'palette', keys: ['Mod+k'], group: 'general' },
  { action: 'help', keys: ['?'], group: 'general' },
  { action: 'close', keys: ['Escape'], group: 'general' },
  { action: 'down', keys: ['j', 'ArrowDown'], group: 'rows' },
  { action: 'up', keys: ['k', 'ArrowUp'], group: 'rows' },
  { action: 'open', keys: ['Enter', 'l'], group: 'rows' },
  { action: 'shut', keys: ['h'], group: 'rows' },
  { action: 'oldest', keys: ['g g'], group: 'rows' },
  { action: 'newest', keys: ['G'], group: 'rows' },
  { action: 'nextError', keys: ['e'], group: 'rows' },
  { action: 'prevError', keys: ['E'], group: 'rows' },
  { action: 'nextWarn', keys: ['w'], group: 'rows' },
  { action: 'prevWarn', keys: ['W'], group: 'rows' },
  { action: 'nextMatch', keys: ['n'], group: 'rows' },
  { action: 'prevMatch', keys: ['N'], group: 'rows' },
  { action: 'context', keys: ['c'], group: 'rows' },
  { action: 'copyLine', keys: ['y'], group: 'rows' },
  { action: 'copyLink', keys: ['Y'], group: 'rows' },
  { action: 'live', keys: ['f'], group: 'range' },
  { action: 'pause', keys: ['Space'], group: 'range' },
  { action: 'time', keys: ['t'], group: 'range' },
  { action: 'earlier', keys: ['['], group: 'range' },
  { action: 'later', keys: [']'], group: 'range' },
  { action: 'wrap', keys: ['z'], group: 'range' },
  { action: 'fold', keys: ['x'], group: 'range' },
  { action: 'level1', keys: ['Alt+1'], group: 'range' },
  { action: 'level2', keys: ['Alt+2'], group: 'range' },
  { action: 'level3', keys: ['Alt+3'], group: 'range' },
  { action: 'level4', keys: ['Alt+4'], group: 'range' },
  { action: 'level5', keys: ['Alt+5'], group: 'range' },
  { action: 'level6', keys: ['Alt+6'], group: 'range' },
  { action: 'goExplore', keys: ['g e'], group: 'go' },
  { action: 'goDashboards', keys: ['g d'], group: 'go' },
  { action: 'goFlow', keys: ['g f'], group: 'go' },
  { action: 'goPipelines', keys: ['g p'], group: 'go' },
  { action: 'goAlerts', keys: ['g a'], group: 'go' },
  { action: 'goConsole', keys: ['g c'], group: 'go' },
  { action: 'goSettings', keys: ['g s'], group: 'go' },
];

const byChord = new Map(table.flatMap((b) => b.keys.map((k) => [k, b.action] as const)));
const prefixes = new Set([...byChord.keys()].filter((k) => k.includes(' ')).map((k) => k.split(' ')[0]));

/** A second letter counts when it comes within this many milliseconds. */
export const chordPause = 1000;

interface KeyEvent {
  key: string;
  code: string;
  shiftKey: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

/** The name of a key press as the table writes it, or '' when it is none of ours. */
export function keyName(e: KeyEvent): string {
  let name = e.key;
  if (name === ' ') name = 'Space';
  const letter = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(e.code);
  const ascii = /^[\x21-\x7e]$/.test(name);
  if ((!ascii && name.length === 1) || name === 'Process' || name === 'Unidentified' || (e.altKey && letter)) {
    if (!letter) return '';
    name = letter[2] ?? (e.shiftKey ? letter[1] : letter[1].toLowerCase());
  }
  if (e.ctrlKey || e.metaKey) return e.altKey ? '' : `Mod+${name}`;
  return e.altKey ? `Alt+${name}` : name;
}

/** Turns key presses into actions; keeps the first letter of a two-letter chord. */
export class Keymap {
  private first = '';
  private at = 0;

  press(e: KeyEvent, now: number): Action | null {
    const name = keyName(e);
    const pending = now - this.at < chordPause ? this.first : '';
    this.first = '';
    if (name === '') return null;
    const two = pending !== '' ? byChord.get(`${pending} ${name}`) : undefined;
    if (two) return two;
    if (prefixes.has(name)) {
      this.first = name;
      this.at = now;
      return null;
    }
    return byChord.get(name) ?? null;
  }
}

/** Whether the element takes text, so that letters belong to it. */
export function takesText(el: EventTarget | null): boolean {
  if (!(el instanceof HTMLElement)) return false;
  if (el.isContentEditable || el.tagName === 'TEXTAREA' || el.tagName === 'SELECT') return true;
  return el.tagName === 'INPUT' && !/^(checkbox|radio|button|submit)$/.test((el as HTMLInputElement).type);
}

export type Handlers = Partial<Record<Action, () => unknown>>;

/** A handler that returns false leaves the key to the browser. Layers opened later (menus, dialogs) stop the event first. */
export function useKeys(handlers: Handlers) {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const map = new Keymap();
    const down = (e: KeyboardEvent) => {
      const palette = (e.ctrlKey || e.metaKey) && e.code === 'KeyK'; // belongs to the page even while typing
      if (e.defaultPrevented || composing(e) || (takesText(e.target) && !palette)) return;
      const inLayer = (e.target as HTMLElement | null)?.closest?.('[role=dialog],[role=menu],[role=listbox]');
      if (inLayer) return;
      const control = (e.target as HTMLElement | null)?.closest?.('button,a,[role=tab]');
      if (control && (e.key === 'Enter' || e.key === ' ')) return;
      const action = map.press(e, e.timeStamp);
      const run = action && latest.current[action];
      if (run && run() !== false) e.preventDefault();
    };
    addEventListener('keydown', down);
    return () => removeEventListener('keydown', down);
  }, []);
}
