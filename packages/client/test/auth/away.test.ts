import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { oauth, type OAuth } from '../../src/auth/oauth.ts';
import { failureOf } from '../support/failure-of.ts';
import { challengeAt } from './support/challenge.ts';
import { Person } from './support/person.ts';
import {
  said,
  startScriptedAuthority,
  status,
  TOKENS,
  type Answer,
  type Asked,
  type ScriptedAuthority,
} from './support/scripted-authority.ts';

const STORED = { access_token: 'old', token_type: 'Bearer', refresh_token: 'refresh' };

let server: ScriptedAuthority;
let person: Person;

beforeEach(async () => {
  server = await startScriptedAuthority();
  person = new Person({ client: { client_id: 'known' }, tokens: STORED });
});

afterEach(() => server.close());

/** Answers as told so often, and then as if nothing were wrong. */
function first(times: number, answer: Answer, asked: Asked): void {
  const then = server.answers[asked];
  let left = times;
  server.answers[asked] = (...all) => (left-- > 0 ? answer : then)(...all);
}

const silence: Answer = () => {};
const asked = (what: Asked): number => server.asked().filter((each) => each === what).length;

describe('a refresh', () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 521])(
    'that is answered %i is tried again',
    async (code) => {
      first(2, status(code), 'token');
      expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
      expect(person.tokens()).toMatchObject(TOKENS);
      expect([asked('token'), person.ledTo]).toEqual([3, []]);
    },
  );

  it.each([408, 429, 502, 503, 504])(
    'that nobody can answer (%i) leaves the tokens, and sends nobody to the browser',
    async (code) => {
      server.answers.token = status(code);
      expect(await failureOf(challengeAt(server.mcp, oauth(person)))).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`HTTP ${code}`) as unknown,
      });
      expect([person.tokens()?.refresh_token, person.ledTo]).toEqual(['refresh', []]);
    },
  );

  it('that the server cannot do now keeps the tokens', async () => {
    server.answers.token = said(400, { error: 'temporarily_unavailable' });
    expect(await failureOf(challengeAt(server.mcp, oauth(person)))).toMatchObject({
      message: expect.stringContaining('temporarily_unavailable') as unknown,
    });
    expect([person.tokens()?.refresh_token, person.ledTo]).toEqual(['refresh', []]);
  });

  it('that breaks keeps the tokens, and is not sent again', async () => {
    server.answers.token = (response) => void response.destroy();
    expect(await failureOf(challengeAt(server.mcp, oauth(person)))).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('POST') as unknown,
    });
    expect([asked('token'), person.tokens()?.refresh_token, person.ledTo]).toEqual([
      1,
      'refresh',
      [],
    ]);
  });

  it('that always fails with a server error leads to a new authorization', async () => {
    server.answers.token = said(500, { error: 'server_error' });
    expect(await challengeAt(server.mcp, oauth(person))).toBe('fail');
    expect(person.ledTo).toHaveLength(1);
  });

  it.each([
    ['in the standard words', { error: 'invalid_grant' }],
    ['in other words', { code: 400, error_code: 'refresh_token_not_found', msg: 'Not Found' }],
  ])('that is refused %s opens the browser', async (_words, body) => {
    server.answers.token = said(400, body);
    expect(await challengeAt(server.mcp, oauth(person))).toBe('fail');
    expect(person.ledTo).toHaveLength(1);
  });
});

describe('a request that hangs', () => {
  it.each(['resource', 'authority', 'register', 'token'] as const)(
    '(%s) ends, and the next call has a flow of its own',
    async (what) => {
      if (what === 'register') person = new Person();
      const login = oauth(person, { timeoutMs: 300 });
      first(1, silence, what);
      const failures = [challengeAt(server.mcp, login), challengeAt(server.mcp, login)];
      for (const failure of failures) {
        expect(await failureOf(failure)).toMatchObject({
          code: 'unauthorized',
          message: expect.stringMatching(/was not answered within 300 ms/) as unknown,
        });
      }
      expect(await challengeAt(server.mcp, login)).toBe(what === 'register' ? 'fail' : 'retry');
    },
  );

  it('ends also in the middle of its response', async () => {
    first(1, (response) => void response.writeHead(200).write('{'), 'token');
    const login = oauth(person, { timeoutMs: 300 });
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
    expect(await challengeAt(server.mcp, login)).toBe('retry');
  });

  it('ends also with a `fetch` that ignores signals', async () => {
    const fetch = (): Promise<Response> => new Promise(() => {});
    const login = oauth(person, { timeoutMs: 100, fetch });
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
  });
});

describe('metadata', () => {
  it.each(['resource', 'authority'] as const)(
    '(%s) that is away for a moment is waited for',
    async (what) => {
      first(2, status(503), what);
      expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
    },
  );

  it('is fetched again after the delay that the server asks for', async () => {
    first(1, status(503, { 'retry-after': '1' }), 'authority');
    expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
    expect(asked('authority')).toBe(2);
  });

  it('is not fetched again if the delay is longer than the timeout', async () => {
    server.answers.authority = status(503, { 'retry-after': '3600' });
    const login = oauth(person);
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
    expect(asked('authority')).toBe(1);
  });

  it('that cannot be fetched does not count as missing, so that no URL is guessed', async () => {
    server.answers.authority = status(502);
    person = new Person();
    const login: OAuth = oauth(person);
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('was answered 502') as unknown,
    });
    expect([asked('register'), person.ledTo]).toEqual([0, []]);
  });

  it('that fails at one URL is fetched from the next', async () => {
    const { authority } = server.answers;
    server.answers.authority = status(500);
    server.answers.openid = authority;
    expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
  });

  it('that is missing leads to the URLs of older servers', async () => {
    Object.assign(server.answers, { resource: status(404), authority: status(404) });
    expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
  });
});

describe('an authorization server that cannot be reached', () => {
  it('is named in the error, with the number of tries', async () => {
    await server.close();
    expect(await failureOf(challengeAt(server.mcp, oauth(person)))).toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/failed 4 times: nothing listens there/) as unknown,
    });
    expect(person.tokens()?.refresh_token).toBe('refresh');
  });
});

describe('options', () => {
  it.each([
    { timeoutMs: 0 },
    { timeoutMs: '5' },
    { timeoutMs: Number.NaN },
    { allowPrivateAddresses: 'yes' },
    { allowUnadvertisedPkce: 1 },
    { timeout: 5 },
  ])('%j is refused by its name', (wrong) => {
    const [name = ''] = Object.keys(wrong);
    expect(() => oauth(person, wrong as never)).toThrow(TypeError);
    expect(() => oauth(person, wrong as never)).toThrow(name);
  });
});
