import { describe, expect, it } from 'vitest';
import { cutValue, isCut } from '../src/index.ts';
import { keepValue } from '../src/values.ts';

const keep = (value: unknown, maxValueBytes = 1000, secret = 'hunter2hunter2') =>
  keepValue(value, { redact: (text) => text.replaceAll(secret, '[redacted]'), maxValueBytes });

describe('what is kept of a value', () => {
  it('is a copy, with what JSON cannot hold as a text', () => {
    const value = { list: [1, null, true], big: 2n ** 60n, none: undefined };
    const kept = keep(value);
    value.list.push(2);
    expect(kept).toEqual({ list: [1, null, true], big: '1152921504606846976' });
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(keep(loop)).toBe('[no JSON]');
    expect(keep(undefined)).toBeUndefined();
  });

  it('has no secrets, wherever they are', () => {
    const kept = keep({
      said: ['is hunter2hunter2!'],
      hunter2hunter2: 1,
      password: 'unknown to all',
      apiKey: 'k',
      tokens: 5,
    });
    expect(kept).toEqual({
      said: ['is [redacted]!'],
      '[redacted]': 1,
      password: '***',
      apiKey: '***',
      tokens: 5,
    });
    expect(keep({ pin: 123456, text: '123456' }, 1000, '123456')).toEqual({
      pin: 123456,
      text: '[redacted]',
    });
  });

  it('is its beginning where it is too large, also of a secret at the cut', () => {
    const large = keep({ text: 'ä'.repeat(1000) }, 100);
    expect(isCut(large)).toBe(true);
    expect(large).toEqual({ cut: `{"text":"${'ä'.repeat(45)}`, bytes: 2011 });
    const secret = keep(`${'x'.repeat(90)}hunter2hunter2${'x'.repeat(90)}`, 100);
    expect(JSON.stringify(secret)).not.toContain('hunter');
    expect(keep('x'.repeat(98), 100)).toHaveLength(98);
  });
});

it('a value is cut once more', () => {
  expect(cutValue('x'.repeat(10), 100)).toBe('x'.repeat(10));
  expect(cutValue('x'.repeat(100), 10)).toEqual({ cut: '"xxxxxxxxx', bytes: 102 });
  const cut = { cut: 'x'.repeat(100), bytes: 5000 };
  expect(cutValue(cut, 1000)).toBe(cut);
  expect(cutValue(cut, 10)).toEqual({ cut: 'x'.repeat(10), bytes: 5000 });
});
