import { expect, test } from 'vitest';
import { clientOptionsOf, parseConfig, type MiddlewareRegistry } from '../../src/config/index.ts';
import type { Middleware } from '../../src/middleware/index.ts';

const pass: Middleware = (_request, next) => next();

/** The options of a server with these middlewares. */
function optionsWith(
  middleware: unknown[],
  registry?: MiddlewareRegistry,
): ReturnType<typeof clientOptionsOf> {
  const text = JSON.stringify({ servers: { it: { url: 'http://h', middleware } } });
  const [server] = parseConfig(text).servers;
  if (server === undefined) throw new Error('there is no server');
  return clientOptionsOf(server, registry);
}

test('a server without middlewares is made with its own options', async () => {
  expect(await optionsWith([])).toEqual({ name: 'it' });
});

test('each middleware is made with its options, in the order of the file', async () => {
  const made: unknown[] = [];
  const make = (name: string) => (options: object) => {
    made.push([name, options]);
    return pass;
  };
  const options = await optionsWith(['one', { name: 'two', ttlMs: 5 }], {
    two: make('two'),
    one: make('one'),
  });
  expect(options).toEqual({ name: 'it', middleware: [pass, pass] });
  expect(made).toEqual([
    ['one', {}],
    ['two', { ttlMs: 5 }],
  ]);
});

test.each<[unknown[], MiddlewareRegistry | undefined, string]>([
  [
    ['loging'],
    { logging: () => pass },
    'middleware "loging" of server "it" is unknown: did you mean "logging"?',
  ],
  [['x'], { logging: () => pass }, 'is unknown: there are logging'],
  [['toString'], {}, 'is unknown: none is known'],
  [['logging'], undefined, 'is unknown: none is known'],
  [
    [{ name: 'cache', ttl: 1 }],
    {
      cache: () => {
        throw new TypeError('ttl: no such option');
      },
    },
    'middleware "cache" of server "it": ttl: no such option',
  ],
])('%j: an error that says where', async (middleware, registry, message) => {
  let error: unknown;
  try {
    await optionsWith(middleware, registry);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: 'config', certainty: 'not-sent' });
  expect(String(error)).toContain('longwire.json:1: middleware ');
  expect(String(error)).toContain(message);
});
