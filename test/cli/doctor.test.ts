import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { authority, issued } from '../support/certificates.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startEverything } from '../support/peers.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { startTlsFront } from '../support/tls-front.ts';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal } from './support/terminal-screen.ts';

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

expectNothingLeftOpen();

test('a certificate of an authority that NODE_EXTRA_CA_CERTS names is trusted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-authority-'));
  const file = join(folder, 'authority.pem');
  await writeFile(file, authority);
  await using peer = await startEverything({ mode: 'streamableHttp' });
  await using front = await startTlsFront(new URL(peer.url).origin, issued);
  const url = `${front.origin}/mcp`;
  const untrusted = await runCli(['doctor', url]);
  expect(untrusted.code).toBe(3);
  expect(untrusted.stdout).toContain('Broken: tls\nTo do: give the certificate of that authority');
  const env = { NODE_EXTRA_CA_CERTS: file };
  const trusted = await runCli(['doctor', url, '--wait', '100ms'], { env });
  expect(trusted.stdout).toMatch(/^ok {7}tls {7}TLS 1\.3, and its certificate is trusted/m);
  expect(trusted.stdout).toContain('issued by Example Company CA');
  expect(trusted.stdout).toContain('Nothing is broken.');
  expect(trusted.code).toBe(0);
  await removeFolder(folder);
});

test.runIf(hasTerminal)('no time is torn apart in a narrow terminal', async () => {
  await using peer = await startEverything({ mode: 'streamableHttp' });
  await using terminal = await openTerminal(40, 50);
  await terminal.shows(/[$#]/);
  terminal.type(`clear; ${process.execPath} ${bin} doctor ${peer.url} --wait 100ms\r`);
  const shown = await terminal.shows(/Nothing is broken/);
  const steps = shown.match(/^ok /gm) ?? [];
  expect(shown.match(/\([\d.]+ m?s\)$/gm)).toHaveLength(steps.length);
  expect(steps.length).toBeGreaterThan(6);
});
