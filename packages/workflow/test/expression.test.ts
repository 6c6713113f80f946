import { describe, expect, it } from 'vitest';
import { Expression } from '../src/expression.ts';

const evaluate = (source: string, data: unknown = {}): Promise<unknown> =>
  new Expression(source).evaluate({ event: { data } });

describe('an expression', () => {
  it.each([
    ['event.data.a + 1', { a: 1 }, 2],
    ['event.data.missing', {}, undefined],
    ['event.data.list[a > 1].a', { list: [{ a: 1 }, { a: 2 }, { a: 3 }] }, [2, 3]],
    ['function($x) { $x }', {}, undefined],
    ['$sum', {}, undefined],
    ['$match(event.data.t, /(a)b/).groups', { t: 'abab' }, ['a', 'a']],
    ['$pad("a", 3) & $pad("b", -3, "-+") & $pad("abc", 2) & $pad("", 0)', {}, 'a  -+babc'],
    ['$pad(event.data.missing, 3)', {}, undefined],
  ])('%s', async (source, data, value) => {
    expect(await evaluate(source, data)).toEqual(value);
  });

  it.each([
    ['a pattern that goes back and forth', '$match(event.data.t, /^(a+)+$/)'],
    ['the same where a text is split', '$split(event.data.t, /(a+)+$/)'],
    ['the same where it is replaced', '$replace(event.data.t, /(a+)+$/, "b")'],
    ['the same in a condition', 'event.data.t ~> /^(a+)+$/'],
    ['a list of lists', '$count($map([1..3000], function($i) { $count([1..10000][$ > $i]) }))'],
    ['a recursion', '($f := function($n) { $n < 2 ? $n : $f($n - 1) + $f($n - 2) }; $f(60))'],
  ])('that takes too long fails, and holds up nothing: %s', async (_what, source) => {
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 10);
    const evaluated = evaluate(source, { t: `${'a'.repeat(40)}!` });
    await expect(evaluated).rejects.toThrow(/failed: it took longer than 2000 ms$/);
    clearInterval(turning);
    expect(turns).toBeGreaterThan(10);
    expect(await evaluate('1 + 1')).toBe(2);
  });

  it.each([
    ['a text of any width', '$pad("", 500000000)', /wider than/],
    ['a long list', '$count([1..10000000])', /.*/],
    ['a list of long lists', '$string([1..9000000].[1..9000000])', /failed/],
    [
      'a text that doubles',
      '($f := function($t, $n) { $n = 0 ? $t : $f($t & $t, $n - 1) }; $f("ab", 25))',
      /failed/,
    ],
    ['recursion without end', '($f := function($n) { 1 + $f($n) }; $f(1))', /failed/],
  ])('cannot fill the memory of the process: %s', async (_what, source, how) => {
    const outcome = await evaluate(source).catch((error: unknown) => String(error));
    expect(String(outcome)).toMatch(how);
    expect(await evaluate('1 + 1')).toBe(2);
  });

  it('is not given more than can be copied', async () => {
    const data = Array.from({ length: 300_000 }, () => 1);
    await expect(evaluate('$count(event.data)', data)).rejects.toThrow(/too large for expressions/);
  });
});
