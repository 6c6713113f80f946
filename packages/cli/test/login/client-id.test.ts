import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  METADATA,
  said,
  startScriptedAuthority,
  type ScriptedAuthority,
} from '../../../client/test/auth/support/scripted-authority.ts';
import { Browser } from '../../../../test/support/browser.ts';
import { makeHome, run, start, type Home } from './support.ts';

/** The metadata of a client, at an address of its own. */
const CLIENT = 'https://client.example/longwire.json';

let authority: ScriptedAuthority;
let home: Home;

beforeEach(async () => {
  authority = await startScriptedAuthority({
    resource: (response, request, origin) => {
      if (request.url === '/mcp') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      else
        said(200, { resource: 'ORIGIN/mcp', authorization_servers: ['ORIGIN'] })(
          response,
          request,
          origin,
        );
    },
  });
  home = await makeHome();
});

afterEach(async () => {
  await authority[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

it('may be the address of its metadata, where the issuer takes such', async () => {
  authority.answers.authority = said(200, {
    ...METADATA,
    client_id_metadata_document_supported: true,
  });
  const running = start(['login', authority.mcp.href, '--client-id', CLIENT], home);
  await new Browser().open(await running.said(/(http:\S+\/[0-9a-f]{32})/));
  await running.done;
  const asked = authority.requests.find(({ url }) => url.startsWith('/authorize'));
  const { searchParams } = new URL(asked?.url ?? '', authority.origin);
  expect(searchParams.get('client_id')).toBe(CLIENT);
  expect(authority.asked()).not.toContain('register');
  expect(authority.requests.find(({ url }) => url === '/token')?.body).toContain(
    new URLSearchParams({ client_id: CLIENT }).toString(),
  );
});

it('is no address where the issuer takes none', async () => {
  const { code, stderr } = await run(['login', authority.mcp.href, '--client-id', CLIENT], home);
  expect({ code, stderr }).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('takes no URL as --client-id') as string,
  });
  expect(authority.asked()).not.toContain('register');
});
