import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MACHINE, startOAuthServer } from '../../../../test/support/oauth-server.ts';
import { makeHome, run } from '../login/support.ts';

/** Everything that a login has written. */
function keptIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))
    .join('\n');
}

it('--trace shows what a login asks the authorization server, and none of what it is given', async () => {
  await using server = await startOAuthServer();
  await using home = await makeHome();
  home.env['SECRET'] = MACHINE.secret;
  const words = [
    '--client-credentials',
    '--client-id',
    MACHINE.id,
    '--client-secret-env',
    'SECRET',
  ];
  const { code, stderr } = await run(['login', server.url, ...words, '--trace'], home);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^ +\d+\.\d+ ↓ 401.*: POST http/m);
  expect(stderr).toMatch(/^ +\d+\.\d+ ↓ 200 application\/json.* received: GET \S+\.well-known\//m);
  expect(stderr).toMatch(
    /^ +\d+\.\d+ ↓ 200 application\/json.* sent, .* received: POST \S+token$/m,
  );
  expect(stderr).not.toContain(MACHINE.secret);
  const file = join(home.path, 'call.ndjson');
  const call = ['call', server.url, 'read'];
  const shown = await run([...call, '--trace'], home);
  await run([...call, `--trace=${file}`], home);
  const recorded = readFileSync(file, 'utf8');
  expect(recorded).toContain('"type":"exchange"');
  const tokens = [...keptIn(home.path).matchAll(/"access_token":\s*"([^"]+)"/g)];
  expect(tokens.length).toBeGreaterThan(0);
  for (const [, token = ''] of tokens) {
    for (const text of [stderr, shown.stderr, recorded]) expect(text).not.toContain(token);
  }
});
