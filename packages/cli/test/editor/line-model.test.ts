import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../src/editor/keys.ts';
import {
  newLine,
  offer,
  paste,
  press,
  sent,
  type LineModel,
  type Request,
} from '../../src/editor/line-model.ts';
import { charactersOf } from '../../src/editor/text.ts';

/** Keys by their names, as `node:readline` would say them; in quotes what is typed. */
function keys(
  model: LineModel,
  ...names: string[]
): { model: LineModel; requests: Request[]; line: string } {
  const requests: Request[] = [];
  for (const name of names) {
    const isText = name.startsWith('"');
    const pressed = isText
      ? charactersOf(name.slice(1)).map((text) => keyOf(text, { name: '' }))
      : [keyOf(undefined, keypress(name))];
    for (const key of pressed) {
      if (key === undefined) throw new Error(`${name} is no key`);
      const result = press(model, key);
      model = result.model;
      if (result.request !== undefined) requests.push(result.request);
    }
  }
  const { text, caret } = model.edit;
  return { model, requests, line: `${text.slice(0, caret)}|${text.slice(caret)}` };
}

function keypress(name: string): object {
  if (name === 'undo') return { sequence: '\u001f' };
  if (name === 'redo') return { sequence: '\u001e' };
  const parts = name.split('-');
  return {
    name: parts.at(-1),
    ctrl: parts.includes('ctrl'),
    meta: parts.includes('alt'),
    shift: parts.includes('shift'),
  };
}

const typed = (...names: string[]): string => keys(newLine([]), ...names).line;

describe('editing', () => {
  it.each([
    [['"ab', 'left', '"x'], 'ax|b'],
    [['"one two', 'ctrl-a', '"> '], '> |one two'],
    [['"one', 'home', 'end', '"!'], 'one!|'],
    [['"one two-three', 'alt-b', 'alt-b'], 'one |two-three'],
    [['"one two', 'ctrl-a', 'alt-f'], 'one| two'],
    [['"one two-three', 'ctrl-w'], 'one |'],
    [['"one two-three', 'alt-backspace'], 'one two-|'],
    [['"one two', 'ctrl-a', 'alt-d', 'alt-d', 'ctrl-y'], 'one two|'],
    [['"one two', 'alt-b', 'ctrl-k', 'home', 'ctrl-y'], 'two|one '],
    [['"one two', 'left', 'ctrl-u'], '|o'],
    [['"a b', 'ctrl-w', 'left', 'ctrl-w', 'ctrl-y'], 'a| '],
    [['"a b', 'ctrl-w', 'left', 'ctrl-w', 'ctrl-y', 'alt-y'], 'b| '],
    [['"one two', 'undo'], 'one|'],
    [['"one two', 'undo', 'undo', 'redo'], 'one|'],
    [['"one', 'ctrl-u', 'undo'], 'one|'],
    [['"ab', 'ctrl-a', 'delete', 'ctrl-d'], '|'],
    [['"a', 'alt-return', '"b'], 'a\nb|'],
    [['"a', 'shift-return', '"bc', 'up', '"x'], 'ax|\nbc'],
    [['"abc', 'alt-return', '"d', 'up', 'down', 'left', '"x'], 'abc\nx|d'],
    [['"one\\', 'return', '"two'], 'one\ntwo|'],
    [['"line', 'alt-return', 'ctrl-a', 'backspace'], 'line|'],
  ])('%j', (names, line) => {
    expect(typed(...names)).toBe(line);
  });

  it.each(['👩‍👩‍👧‍👦', 'e\u0301', '🇩🇪', '漢', '👍🏽'])('takes %s as one character', (character) => {
    expect(typed(`"a${character}b`, 'left', 'backspace')).toBe('a|b');
    expect(typed(`"a${character}b`, 'left', 'left')).toBe(`a|${character}b`);
    expect(typed(`"a${character}b`, 'ctrl-a', 'right', 'delete')).toBe('a|b');
  });

  it('keeps the cursor between characters, whatever is pressed', () => {
    const names =
      '"a|" |"👩‍👩‍👧‍👦|"e\u0301|left|right|up|down|home|end|ctrl-w|alt-d|alt-b|ctrl-k|ctrl-u|ctrl-y|alt-y|undo|redo|' +
      'alt-return|backspace|delete|ctrl-r|ctrl-g|escape|ctrl-p|ctrl-n';
    const pressed = fc.constantFrom(...names.split('|'));
    fc.assert(
      fc.property(fc.array(pressed, { maxLength: 40 }), (sequence) => {
        const { text, caret } = keys(newLine(['one\ntwo', '👍🏽']), ...sequence).model.edit;
        const places = new Set([0]);
        let place = 0;
        // A combining mark joins what it is put behind: places are counted on each side.
        for (const part of [text.slice(0, caret), text.slice(caret)]) {
          for (const character of charactersOf(part)) places.add((place += character.length));
        }
        expect(places).toContain(caret);
        expect(text.slice(0, caret)).not.toMatch(/[\ud800-\udbff]$/);
      }),
    );
  });

  it('takes a paste as it is, with one undo', () => {
    const { model } = keys(newLine([]), '"a ');
    const pasted = paste(model, 'one\ntwo');
    expect(pasted.edit.text).toBe('a one\ntwo');
    expect(keys(pasted, 'undo').line).toBe('a |');
  });
});

describe('what a key asks for', () => {
  it.each([
    [['"one', 'return'], { type: 'submit', text: 'one' }],
    [['"one\\\\', 'return'], { type: 'submit', text: 'one\\\\' }],
    [['ctrl-d'], { type: 'end' }],
    [['"a', 'ctrl-c'], { type: 'interrupt' }],
    [['"a', 'tab'], { type: 'complete' }],
    [['"a', 'ctrl-x', 'ctrl-e'], { type: 'edit' }],
    [['ctrl-z'], { type: 'suspend' }],
    [['ctrl-l'], { type: 'clear-screen' }],
  ])('%j', (names, request) => {
    expect(keys(newLine([]), ...names).requests).toEqual([request]);
  });

  it('is nothing where Ctrl-X is not followed by Ctrl-E', () => {
    const { requests, line } = keys(newLine([]), 'ctrl-x', '"a', '"b');
    expect([requests, line]).toEqual([[], 'b|']);
  });
});

describe('lines of before', () => {
  const history = newLine(['call add', 'tools', 'call echo', 'tools']);

  it('come back with the arrows, and the new line after them', () => {
    expect(keys(history, '"ne', 'up', 'up').line).toBe('call echo|');
    expect(keys(history, '"ne', 'up', 'up', 'down', 'down', 'down').line).toBe('ne|');
    expect(keys(history, 'up', 'up', 'up', 'up', 'up').line).toBe('call add|');
  });

  it('of several lines are gone through line by line', () => {
    const model = newLine(['first', 'a\nb']);
    expect(keys(model, 'up', 'up', '"!').line).toBe('a!|\nb');
    expect(keys(model, 'up', 'up', 'up').line).toBe('first|');
    expect(keys(model, 'up', 'ctrl-p').line).toBe('first|');
  });

  it('grow by what is sent, but for repetitions and what begins with a space', () => {
    const lines = ['one', 'one', ' secret', '', 'two'];
    expect(lines.reduce(sent, newLine([])).history).toEqual(['one', 'two']);
  });

  it.each([
    [['ctrl-r', '"call'], 'call echo|'],
    [['ctrl-r', '"call', 'ctrl-r'], 'call add|'],
    [['ctrl-r', '"call', 'ctrl-r', 'ctrl-r'], 'call add|'],
    [['ctrl-r', '"call', 'ctrl-r', 'ctrl-s'], 'call echo|'],
    [['ctrl-r', '"CALL A'], 'call add|'],
    [['ctrl-r', '"callx', 'backspace', 'left', '"!'], 'call ech!|o'],
    [['"mine', 'ctrl-r', '"call', 'ctrl-g'], 'mine|'],
    [['"mine', 'ctrl-r', '"call', 'escape'], 'mine|'],
    [['"mine', 'ctrl-r', '"call', 'ctrl-c'], 'mine|'],
    [['ctrl-r', '"call', 'up'], 'tools|'],
  ])('are searched: %j', (names, line) => {
    expect(keys(history, ...names).line).toBe(line);
  });

  it('are sent right out of a search', () => {
    const { requests } = keys(history, 'ctrl-r', '"add', 'return');
    expect(requests).toEqual([{ type: 'submit', text: 'call add' }]);
  });

  it('say that nothing was found', () => {
    expect(keys(history, 'ctrl-r', '"zzz').model.search).toMatchObject({ isMissing: true });
    expect(keys(newLine([]), 'ctrl-r', '"a', 'ctrl-r', 'ctrl-s').line).toBe('|');
  });
});

describe('what Tab offers', () => {
  const add = { text: 'add ' };
  const [echo, env] = [{ text: 'echo ' }, { text: 'env ' }];
  const begun = (text: string): LineModel => keys(newLine([]), `"${text}`).model;

  it('is written where it is one', () => {
    expect(offer(begun('call a'), { from: 5, candidates: [add] }).edit.text).toBe('call add ');
    expect(keys(offer(begun('a'), { from: 0, candidates: [add] }), 'undo').line).toBe('a|');
  });

  it('is a menu of several, of which Tab writes one after the other', () => {
    const model = offer(begun('call '), { from: 5, candidates: [echo, env] });
    expect(model.edit.text).toBe('call e');
    expect(model.menu?.candidates).toEqual([echo, env]);
    expect(keys(model, 'tab').line).toBe('call echo |');
    expect(keys(model, 'tab', 'tab').line).toBe('call env |');
    expect(keys(model, 'tab', 'tab', 'tab').line).toBe('call echo |');
    expect(keys(model, 'shift-tab').line).toBe('call env |');
    expect(keys(model, 'tab', '"x').model.menu).toBeUndefined();
    expect(keys(model, 'escape').model.menu).toBeUndefined();
  });

  it('keeps what is behind the cursor', () => {
    const { model } = keys(begun('a b=1'), 'left', 'left', 'left', 'left');
    expect(offer(model, { from: 0, candidates: [{ text: 'add' }] }).edit.text).toBe('add b=1');
  });
});
