import { describe, expect, it } from 'vitest';
import { dictionaries } from '../src/i18n';
import { chordPause, Keymap, keyName, table, takesText } from '../src/keys';

function press(key: string, code: string, more: Partial<KeyboardEvent> = {}) {
  return { key, code, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...more };
}

describe('the name of a key', () => {
  const cases: [string, ReturnType<typeof press>, string][] = [
    ['a letter', press('j', 'KeyJ'), 'j'],
    ['a capital', press('G', 'KeyG', { shiftKey: true }), 'G'],
    ['Dvorak: the cap says j where QWERTY has c', press('j', 'KeyC'), 'j'],
    ['Hangul: ㅓ on the J key', press('ㅓ', 'KeyJ'), 'j'],
    ['Hangul: ㅏ on the K key', press('ㅏ', 'KeyK'), 'k'],
    ['Hangul with shift: ㅆ on the T key', press('ㅆ', 'KeyT', { shiftKey: true }), 'T'],
    ['Hangul: a key the input method took', press('Process', 'KeyF'), 'f'],
    ['Cyrillic', press('о', 'KeyJ'), 'j'],
    ['slash', press('/', 'Slash'), '/'],
    ['question mark', press('?', 'Slash', { shiftKey: true }), '?'],
    ['bracket', press('[', 'BracketLeft'), '['],
    ['space', press(' ', 'Space'), 'Space'],
    ['arrow', press('ArrowDown', 'ArrowDown'), 'ArrowDown'],
    ['command enter', press('Enter', 'Enter', { metaKey: true }), 'Mod+Enter'],
    ['control enter', press('Enter', 'Enter', { ctrlKey: true }), 'Mod+Enter'],
    ['alt and a digit', press('1', 'Digit1', { altKey: true }), 'Alt+1'],
    ['alt and a digit on a Mac', press('¡', 'Digit1', { altKey: true }), 'Alt+1'],
    ['AltGr text is nobody’s key', press('€', 'KeyE', { altKey: true, ctrlKey: true }), ''],
  ];
  for (const [name, event, want] of cases) it(name, () => expect(keyName(event)).toBe(want));
});

describe('the keymap', () => {
  it('turns a key into its action', () => expect(new Keymap().press(press('j', 'KeyJ'), 0)).toBe('down'));
  it('leaves copying to the browser', () =>
    expect(new Keymap().press(press('c', 'KeyC', { ctrlKey: true }), 0)).toBeNull());

  it('reads two letters one after the other', () => {
    const map = new Keymap();
    expect(map.press(press('g', 'KeyG'), 0)).toBeNull();
    expect(map.press(press('f', 'KeyF'), 100)).toBe('goFlow');
    expect(map.press(press('f', 'KeyF'), 200)).toBe('live');
  });

  it('reads two Hangul letters', () => {
    const map = new Keymap();
    map.press(press('ㅎ', 'KeyG'), 0);
    expect(map.press(press('ㅎ', 'KeyG'), 100)).toBe('oldest');
  });

  it('forgets the first letter after a while', () => {
    const map = new Keymap();
    map.press(press('g', 'KeyG'), 0);
    expect(map.press(press('e', 'KeyE'), chordPause)).toBe('nextError');
  });

  it('has no chord twice', () => {
    const all = table.flatMap((b) => b.keys);
    expect(new Set(all).size).toBe(all.length);
  });

  it('has words for each action in each language', () => {
    for (const d of Object.values(dictionaries)) for (const b of table) expect(d.keys.actions[b.action]).toBeTruthy();
  });
});

describe('keys belong to what takes text', () => {
  it('inputs and text areas', () => {
    expect(takesText(document.createElement('textarea'))).toBe(true);
    expect(takesText(document.createElement('input'))).toBe(true);
    expect(takesText(document.createElement('select'))).toBe(true);
  });
  it('not buttons or boxes to tick', () => {
    const box = document.createElement('input');
    box.type = 'checkbox';
    expect(takesText(box)).toBe(false);
    expect(takesText(document.createElement('button'))).toBe(false);
  });
});
