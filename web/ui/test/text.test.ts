import { describe, expect, it } from 'vitest';
import { highlighter, pieces, plain } from '../src/text';

const esc = '\u001b';

describe('ANSI', () => {
  it('becomes pieces with colours', () =>
    expect(pieces(`${esc}[32mok${esc}[0m then ${esc}[1;31mbad`, null)).toEqual([
      { text: 'ok', fg: 2 },
      { text: ' then ' },
      { text: 'bad', bold: true, fg: 1 },
    ]));
  it('knows bright colours and the first sixteen of 256', () =>
    expect(pieces(`${esc}[91ma${esc}[38;5;4mb${esc}[38;2;1;2;3mc`, null)).toEqual([
      { text: 'a', fg: 9 },
      { text: 'b', fg: 4 },
      { text: 'c', fg: 4 },
    ]));
  it('drops every other escape', () =>
    expect(
      pieces(`a${esc}[2Jb${esc}]0;title\u0007c${esc}]8;;http://x${esc}\\d${esc}[?25le`, null)
        .map((p) => p.text)
        .join(''),
    ).toBe('abcde'));
  it('never leaves an escape in the text', () => {
    for (const tail of ['[', '[31', ']0;x', '(', '', '[31;m', '\\'])
      expect(pieces(`x${esc}${tail}`, null).every((p) => !p.text.includes(esc))).toBe(true);
  });
  it('can be taken off', () => expect(plain(`${esc}[32mok${esc}[0m`)).toBe('ok'));
});

describe('what cannot be seen', () => {
  it('gets a sign: controls', () =>
    expect(pieces('a\u0000b\u0007', null)).toEqual([
      { text: 'a' },
      { text: '␀', sign: true },
      { text: 'b' },
      { text: '␇', sign: true },
    ]));
  it('gets a sign: a turn of the writing direction', () =>
    expect(pieces('x\u202ey', null)[1]).toEqual({ text: '⟨U+202E⟩', sign: true }));
  it('leaves tabs, Korean and emoji alone', () =>
    expect(pieces('\t결제 실패 🚀', null)).toEqual([{ text: '\t결제 실패 🚀' }]));
});

describe('matches', () => {
  const tokens = (q: string) => {
    const out: { from: number; to: number; kind: string }[] = [];
    for (const m of q.matchAll(/"[^"]*"|[^\s:]+:?|:/g)) {
      const field = m[0].endsWith(':');
      const value = !field && q[m.index - 1] === ':';
      out.push({
        from: m.index,
        to: m.index + m[0].length - (field ? 1 : 0),
        kind: field ? 'field' : value ? 'value' : 'text',
      });
    }
    return out;
  };
  const marks = (q: string, text: string) => {
    const h = highlighter(q, tokens(q));
    return pieces(text, h)
      .filter((p) => p.hit)
      .map((p) => p.text);
  };

  it('words of free text, in any case', () =>
    expect(marks('deadlock found', 'Deadlock was FOUND')).toEqual(['Deadlock', 'FOUND']));
  it('a phrase as a whole', () => expect(marks('"lock found"', 'Deadlock found, lock')).toEqual(['lock found']));
  it('values of message', () => expect(marks('message:timeout', 'a Timeout')).toEqual(['Timeout']));
  it('not values of other fields', () => expect(marks('service.name:mvc', 'mvc started')).toEqual([]));
  it('the parts between stars', () => expect(marks('*Exception*', 'an SQLException')).toEqual(['Exception']));
  it('text that looks like an expression', () => expect(marks('"a(b[c"', 'x a(b[c y')).toEqual(['a(b[c']));
  it('across colours, piece by piece', () => expect(marks('ok', `${esc}[32mok${esc}[0m`)).toEqual(['ok']));
});
