import { describe, expect, it } from 'vitest';
import { splitWords } from '../src/split-words.ts';

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  echo   message=hi ', ['echo', 'message=hi']],
    ['echo message="hello world" b=1', ['echo', 'message=hello world', 'b=1']],
    [`echo message='it is "so"'`, ['echo', 'message=it is "so"']],
    [String.raw`echo message="a \"b\" \\ \n"`, ['echo', String.raw`message=a "b" \ \n`]],
    [`echo message=it's`, ['echo', `message=it's`]],
    ['echo message=""', ['echo', 'message=']],
    ['"two words" a=1', ['two words', 'a=1']],
    [
      't a:={"x": [1, 2], "y": "b c]"} b:=[ 1, 2 ] c:="d e"',
      ['t', 'a:={"x": [1, 2], "y": "b c]"}', 'b:=[ 1, 2 ]', 'c:="d e"'],
    ],
    [String.raw`t a:="q \" r" b=1`, ['t', String.raw`a:="q \" r"`, 'b=1']],
    ['t a=x:=y z', ['t', 'a=x:=y', 'z']],
  ])('%j', (line, expected) => {
    expect(splitWords(line)).toEqual(expected);
  });
});
