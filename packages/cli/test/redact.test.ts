import { describe, expect, it } from 'vitest';
import { Redactor } from '../src/redact.ts';

describe('messages', () => {
  const redactor = new Redactor();

  it.each([
    ['user information', 'GET http://joe:pw@host/sse failed', 'GET http://***@host/sse failed'],
    [
      'query values',
      'POST http://h/messages?session_id=abc&v=2 was refused',
      'POST http://h/messages?session_id=***&v=*** was refused',
    ],
    [
      'query values of a path',
      'POST /messages/?sessionId=abc: 500',
      'POST /messages/?sessionId=*** 500',
    ],
    ['a query without names', 'GET http://h/x?deadbeef gone', 'GET http://h/x?*** gone'],
    ['a bearer token', 'sent Bearer abc.def-123', 'sent Bearer ***'],
    ['a key in JSON', '{"api_key":"k1","a":1}', '{"api_key":"***","a":1}'],
    ['a session in JSON', '{"session_id": "s1"}', '{"session_id": "***"}'],
    ['a key of Anthropic', 'key sk-ant-api03-xyz is bad', 'key sk-ant-*** is bad'],
    ['a password', 'password=hunter2;', 'password=***;'],
    ['an address without a scheme', 'target "joe:pw@h:1/sse" is', 'target "***@h:1/sse" is'],
  ])('lose %s', (_, text, expected) => {
    expect(redactor.message(text)).toBe(expected);
  });

  it('keep what is no secret', () => {
    const text = 'GET http://127.0.0.1:3001/sse was answered 401: Bearer credentials wanted';
    expect(redactor.message(text)).toBe(text);
  });
});

describe('messages of a server', () => {
  it.each(['a', 'a.', 'a://', 'a:', '?a', 'x=?', 'Bearer ', 'token ', 'a_', 'a:b@', '\u0090'])(
    'of 1 MB of %j are soon done',
    (text) => {
      const redactor = new Redactor();
      redactor.add('topsecretkey');
      expect(redactor.message(text.repeat(1_000_000 / text.length)).length).toBeLessThan(2100);
    },
  );

  it('are cut, and no secret with them', () => {
    const redactor = new Redactor();
    redactor.add('topsecretkey');
    for (let before = 1980; before <= 2001; before++) {
      const message = redactor.message(`${'-'.repeat(before)}topsecretkey${'-'.repeat(5000)}`);
      expect(message).not.toContain('t');
      expect(message).toMatch(/…$/);
    }
  });

  it('that end with the reason keep their end, and no part of a secret', () => {
    const redactor = new Redactor();
    redactor.add('topsecretkey');
    for (let after = 780; after <= 801; after++) {
      const message = redactor.message(`${'-'.repeat(4000)}topsecretkey${'='.repeat(after)}`);
      expect(message).not.toMatch(/[a-z]/);
      expect(message).toMatch(/^-+ … [-*]*=+$/);
      expect(message.length).toBeLessThan(2100);
    }
  });
});

describe('known secrets', () => {
  it('are replaced wherever they appear, also encoded', () => {
    const redactor = new Redactor();
    redactor.add('s3cret/value');
    expect(redactor.message('as3cret/valueb s3cret%2Fvalue')).toBe('a***b ***');
  });

  it('leave nothing of one that contains another', () => {
    const redactor = new Redactor();
    redactor.add('abcdef');
    redactor.add('abcdef-longer');
    expect(redactor.message('abcdef-longer')).toBe('***');
  });

  it('are replaced only where they stand alone if they are short', () => {
    const redactor = new Redactor();
    redactor.add('k1');
    expect(redactor.message('key k1, disk1')).toBe('key ***, disk1');
  });

  it('may hold characters that mean something to a pattern', () => {
    const redactor = new Redactor();
    redactor.add('$&.*');
    expect(redactor.message('is $&.* ok')).toBe('is *** ok');
  });

  it('are nothing if empty', () => {
    const redactor = new Redactor();
    redactor.add('');
    redactor.add(undefined);
    redactor.add('  ');
    expect(redactor.message('a b')).toBe('a b');
  });

  it('are those of a header, its scheme kept apart', () => {
    const redactor = new Redactor();
    redactor.addHeader('authorization', 'Bearer tokentoken');
    redactor.addHeader('cookie', 'sid=cookievalue; theme=dark');
    redactor.addHeader('x-tenant', 'acme-corporation');
    expect(redactor.message('got tokentoken, cookievalue and acme-corporation')).toBe(
      'got ***, *** and ***',
    );
  });

  it('are those of a URL', () => {
    const redactor = new Redactor();
    redactor.addUrl(new URL('http://joe:p%40ssword@h/messages?session_id=abcdef123'));
    const basic = Buffer.from('joe:p@ssword').toString('base64');
    expect(redactor.message(`joe p@ssword abcdef123 ${basic}`)).toBe('*** *** *** ***');
  });
});

describe('data', () => {
  it('loses our own credentials in values, and nothing else', () => {
    const redactor = new Redactor();
    redactor.add('topsecretkey');
    redactor.addHeader('x-tenant', 'production');
    const value = {
      text: 'you sent topsecretkey to http://h/?a=1 in production',
      list: [1, null, true, 'Bearer topsecretkey'],
      // Programs look for names.
      topsecretkey: { production: 'topsecretkey' },
    };
    expect(redactor.value(value)).toEqual({
      text: 'you sent *** to http://h/?a=1 in production',
      list: [1, null, true, 'Bearer ***'],
      topsecretkey: { production: '***' },
    });
  });

  it('is not falsified by what a header or a URL holds', () => {
    const redactor = new Redactor();
    redactor.addHeader('authorization', 'Bearer market');
    redactor.addHeader('x-tenant', 'production');
    redactor.addUrl(new URL('http://operator:charts@h/sse?name=streaming'));
    const text = 'market production operator charts streaming Bearer';
    expect(redactor.data(text)).toBe(text);
  });

  it('loses the id of our session and the keys of a URL', () => {
    const redactor = new Redactor();
    redactor.addUrl(new URL('http://h/sse?api_key=letmeinplease&v=2'));
    redactor.addEndpoint(new URL('http://h/messages?session_id=longword&of=longword&v=2'));
    redactor.addEndpoint(new URL('http://h/messages?c=02eef66a-7a49-4b0e-9c8e-3f0b3b0f9d11'));
    const text = 'letmeinplease, 02eef66a-7a49-4b0e-9c8e-3f0b3b0f9d11 of longword in 2 of v2';
    expect(redactor.data(text)).toBe('***, *** of *** in 2 of v2');
  });

  it.each(['streaming', 'production', 'us-east-1', '2024-11-05', 'claude-sonnet-4-20250514'])(
    'keeps %s, which the query of an endpoint holds as well',
    (word) => {
      const redactor = new Redactor();
      redactor.addUrl(new URL(`http://h/sse?of=${word}`));
      redactor.addEndpoint(new URL(`http://h/messages?of=${word}&keyword=${word}`));
      expect(redactor.data(`it is ${word}`)).toBe(`it is ${word}`);
      expect(redactor.message(`it is ${word}`)).toBe('it is ***');
    },
  );

  it('is not falsified by a key that is a common word', () => {
    const redactor = new Redactor();
    redactor.add('test');
    expect(redactor.data('a test of tests')).toBe('a test of tests');
  });
});

describe('the endpoints of many sessions', () => {
  const idOf = (session: number): string => `session-number-${String(session).padStart(6, '0')}`;
  const endpointOf = (session: number): URL =>
    new URL(`http://h/messages?sessionId=${idOf(session)}`);

  it('are dropped in the end, and nothing else is', () => {
    const redactor = new Redactor();
    redactor.add('topsecretkey');
    redactor.addUrl(new URL('http://h/sse?token=ours-for-good'));
    for (let session = 0; session < 1000; session++) redactor.addEndpoint(endpointOf(session));
    expect(redactor.data(`topsecretkey ours-for-good ${idOf(999)} ${idOf(900)} ${idOf(0)}`)).toBe(
      `*** *** *** *** ${idOf(0)}`,
    );
  });

  it('are kept while they are used', () => {
    const redactor = new Redactor();
    for (let session = 1; session < 1000; session++) {
      redactor.addEndpoint(endpointOf(0));
      redactor.addEndpoint(endpointOf(session));
    }
    expect(redactor.data(`${idOf(0)} ${idOf(1)}`)).toBe(`*** ${idOf(1)}`);
  });

  it('do not take what is known for good with them', () => {
    const redactor = new Redactor();
    redactor.add(idOf(0));
    for (let session = 0; session < 1000; session++) redactor.addEndpoint(endpointOf(session));
    expect(redactor.data(idOf(0))).toBe('***');
  });
});

describe('a command', () => {
  it.each([
    [['--api-key', 'short-12'], 'is short-12', 'is ***'],
    [['--api-key=short-12'], 'is short-12', 'is ***'],
    [['-e', 'API_TOKEN=abc def-ghi'], 'abc def-ghi', '***'],
    [['--header', 'Authorization: Bearer t0ken-of-it'], 'sent t0ken-of-it', 'sent ***'],
    [['--url=https://joe:passw0rd@h/'], 'passw0rd', '***'],
    [['postgres://joe:passw0rd@h/db'], 'passw0rd', '***'],
  ])('%j hides its secrets', (words, text, shown) => {
    const redactor = new Redactor();
    redactor.addCommand(words);
    expect(redactor.message(text)).toBe(shown);
    expect(redactor.data(text)).toBe(shown);
  });

  it('keeps what is no secret', () => {
    const redactor = new Redactor();
    const words = ['-y', 'some-server', '--port', '8080', '--api-key', '--verbose', './directory'];
    redactor.addCommand(words);
    const line = words.join(' ');
    expect([redactor.message(line), redactor.data(line)]).toEqual([line, line]);
  });

  it('hides the values of its variables, in data those that let one in', () => {
    const redactor = new Redactor();
    redactor.addVariable('GITHUB_TOKEN', 'only-letters');
    redactor.addVariable('GITHUB_PAT', 'ghp012345abcdef');
    redactor.addVariable('DATABASE', 'postgres://joe:passw0rd@h/db');
    redactor.addVariable('NODE_ENV', 'production');
    redactor.addVariable('DEBUG', '1');
    const text = 'only-letters ghp012345abcdef passw0rd production 1';
    expect(redactor.message(text)).toBe('*** *** *** *** 1');
    expect(redactor.data(text)).toBe('*** *** *** production 1');
  });
});

it('hides the id of a session that a header names, in data too', () => {
  const redactor = new Redactor();
  redactor.addSession('a1b2c3d4-session');
  expect(redactor.message('it said a1b2c3d4-session')).not.toContain('a1b2c3d4-session');
  expect(redactor.data('it said a1b2c3d4-session')).not.toContain('a1b2c3d4-session');
});
