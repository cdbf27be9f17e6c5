import { describe, expect, it } from 'vitest';
import { partsOf } from '../src/event/detail';
import { flatten, member, pretty, print, tokens } from '../src/json';

const doc =
  '{"index":"i","source":{"b":1,"10":9007199254740993,"2":"x","n":{"deep":[1,"two",null]},"e":{},"l":[]},"id":"z"}';

describe('JSON as text', () => {
  const source = member(tokens(doc), 'source');

  it('finds a member', () =>
    expect(source.map((t) => t.text).join('')).toBe(doc.slice(doc.indexOf('{"b"'), doc.indexOf(',"id"'))));
  it('has no member that is absent, or only deeper', () => {
    expect(member(tokens(doc), 'nothing')).toEqual([]);
    expect(member(tokens(doc), 'deep')).toEqual([]);
  });
  it('keeps long integers and the order of keys', () =>
    expect(print(source)).toBe(
      [
        '{',
        '  "b": 1,',
        '  "10": 9007199254740993,',
        '  "2": "x",',
        '  "n": {',
        '    "deep": [',
        '      1,',
        '      "two",',
        '      null',
        '    ]',
        '  },',
        '  "e": {},',
        '  "l": []',
        '}',
      ].join('\n'),
    ));
  it('flattens to dotted names', () =>
    expect(flatten(source).map((f) => [f.name, f.text])).toEqual([
      ['b', '1'],
      ['10', '9007199254740993'],
      ['2', 'x'],
      ['n.deep', '1, two, null'],
    ]));
  it('keeps the values for filters', () =>
    expect(flatten(tokens('{"s":"404","n":404,"t":true,"big":9007199254740993}')).map((f) => f.values[0])).toEqual([
      '404',
      '404',
      true,
      '9007199254740993',
    ]));
  it('reads escapes and braces inside strings', () =>
    expect(flatten(tokens('{"a\\"b":"x{\\u0041}[\\n"}'))).toMatchObject([{ name: 'a"b', text: 'x{A}[\n' }]));
  it('survives a text that is cut off', () => {
    for (let i = 0; i < doc.length; i++) {
      const cut = tokens(doc.slice(0, i));
      pretty(cut);
      flatten(member(cut, 'source'));
    }
  });
  it('puts what is nested too deep on one line', () => {
    const deep = `{"a":${'['.repeat(500)}1${']'.repeat(500)}}`;
    expect(flatten(tokens(deep))).toHaveLength(1);
    expect(Math.max(...pretty(tokens(deep)).map((l) => l.depth))).toBeLessThanOrEqual(64);
  });
  it('prints what JSON.parse reads the same', () => {
    expect(JSON.parse(print(tokens(doc)))).toEqual(JSON.parse(doc));
  });
});

describe('the parts of an event', () => {
  const parts = (doc: object) => partsOf(flatten(tokens(JSON.stringify(doc))));

  it('begin with the line', () =>
    expect(parts({ a: 1, message: 'm' }).fields.map((f) => f.name)).toEqual(['message', 'a']));
  it('set a stack trace apart', () =>
    expect(parts({ message: 'm', error: { stack_trace: 'x\n\tat y' } })).toMatchObject({
      stack: 'x\n\tat y',
      fields: [{ name: 'message', text: 'm' }],
    }));
  it('find the stack behind the first line of the message', () =>
    expect(parts({ message: 'boom\na.B: c\n\tat x(Y.java:1)' })).toMatchObject({
      stack: 'a.B: c\n\tat x(Y.java:1)',
      fields: [{ name: 'message', text: 'boom' }],
    }));
  it('leave other long messages whole', () =>
    expect(parts({ message: 'one\ntwo' })).toMatchObject({ stack: '', fields: [{ text: 'one\ntwo' }] }));
});
