import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import { Redactor } from '../src/redact.ts';

const packages = join(import.meta.dirname, '../..');

/** Stands for what is put into a text: the name of something, and one that sounds like a secret's. */
const NAME = 'MY_TOKEN';

/** The texts that a source file holds. */
function textsOf(path: string): string[] {
  const texts: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, value, quasis } = node as {
      type?: string;
      value?: unknown;
      quasis?: { value: { cooked: string } }[];
    };
    if (type === 'Literal' && typeof value === 'string') texts.push(value);
    if (type === 'TemplateLiteral') {
      texts.push((quasis ?? []).map((quasi) => quasi.value.cooked).join(NAME));
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(readFileSync(path, 'utf8'), { lang: 'ts' }));
  return texts;
}

/** Whether only what was put in is hidden. */
function isKept(text: string, shown: string): boolean {
  const parts = shown.split('***').map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  const [, ...hidden] = new RegExp(`^${parts.join('([^]+?)')}$`).exec(text) ?? [];
  return hidden.length === parts.length - 1 && hidden.every((part) => part.includes(NAME));
}

describe('what the packages say themselves', () => {
  it.each(['client', 'agent', 'workflow', 'server', 'cli'])('is no secret: %s', (name) => {
    const folder = join(packages, name, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const texts = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => textsOf(join(folder, file)));
    expect(texts.length).toBeGreaterThan(100);
    const redactor = new Redactor();
    // No message is longer than what is looked at.
    const said = texts.filter((text) => text.length < 2000);
    const eaten = said.filter((text) => text !== '***' && !isKept(text, redactor.message(text)));
    expect(eaten).toEqual([]);
  });

  it.each([
    `write message:='"@…"' for text that begins with @`,
    'the variable NOPE_TOKEN is not set: set it, or write a default: ${NOPE_TOKEN:-…}',
    'argument `x`: write x:=[1,"a@b"] or x:={"to":"a@b"}',
    '--env API_TOKEN: that is not set; write API_TOKEN=value',
    '--header X-API-KEY: HTTP itself sets it, leave it out',
    'basic.password: not a string',
  ])('is shown as it is: %s', (text) => {
    expect(new Redactor().message(text).replace('API_TOKEN=***', 'API_TOKEN=value')).toBe(text);
  });

  it.each([
    ['the default of a variable', '${NOPE_TOKEN:-hunter2}', '${NOPE_TOKEN:***}'],
    ['a password that begins oddly', 'at joe:=pw@host', 'at ***@host'],
    ['a value that begins oddly', 'api_key=--hunter2', 'api_key=***'],
    ['a password behind a space', 'password: letmein', 'password: ***'],
    ['a password in a sentence', 'password: hunter2 is wrong', 'password: *** is wrong'],
    ['a long token in a sentence', 'token: abcdefghijklmnop is wrong', 'token: *** is wrong'],
  ])('and %s is none of it', (_, text, expected) => {
    expect(new Redactor().message(text)).toBe(expected);
  });
});
