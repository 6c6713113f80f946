import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { expired, issued, selfSigned, wrongName } from '../../../../test/support/certificates.ts';
import { startHttpFixture, type HttpFixture } from '../../../../test/support/http-fixture.ts';
import { startTlsFront } from '../../../../test/support/tls-front.ts';
import { connect } from '../../src/index.ts';
import { ConnectError } from '../../src/errors.ts';

const failure = (...args: Parameters<typeof connect>): Promise<ConnectError> =>
  connect(...args).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as ConnectError,
  );

/** A site whose pages are for people. `post` is the status of whatever is posted. */
function startSite({ post = 404 } = {}): Promise<HttpFixture> {
  return startHttpFixture((request, response) => {
    response.writeHead(request.method === 'GET' ? 200 : post, { 'content-type': 'text/html' });
    response.end(`<!DOCTYPE html><html><head><style>b { color: red }</style></head>
      <body><b>Cannot POST</b> ${'so much text '.repeat(40)}</body></html>`);
  });
}

describe('a web page', () => {
  it.each([404, 405, 501, 200])('is said in one line, whatever a POST gets: %i', async (post) => {
    await using site = await startSite({ post });
    const error = await failure(`${site.origin}/docs?token=s3cret`);
    expect(error.code).toBe('not-mcp');
    expect(error.message).toBe(
      `${site.origin}/docs is a web page, not an MCP server; the server may be at ${site.origin}/mcp`,
    );
    expect(error.tried.length).toBeGreaterThan(2);
    const root = await failure(site.origin);
    expect(root.message).toBe(
      `${site.origin}/ is a web page, not an MCP server; ask whoever runs it for the address of its MCP server`,
    );
  });

  it('is not all there is where something fails or wants credentials', async () => {
    await using failing = await startSite({ post: 500 });
    const failed = await failure(`${failing.origin}/mcp`);
    expect(failed.message).toContain('answered 500 with a web page: Cannot POST so much text');
    expect(failed.message).not.toMatch(/<|color|(?:so much text ?){12}/);
    await using guarded = await startSite({ post: 401 });
    expect((await failure(`${guarded.origin}/mcp`)).code).toBe('unauthorized');
  });
});

describe('a certificate', () => {
  const certificates = {
    'that is self-signed': [selfSigned, 'is self-signed', 'NODE_EXTRA_CA_CERTS'],
    'that has expired': [expired, 'has expired', 'renew'],
    'of an unknown authority': [issued, 'is of an authority that is not trusted', 'that authority'],
  } as const;
  it.each(Object.entries(certificates))('%s', async (_name, [certificate, reason, advice]) => {
    await using front = await startTlsFront('http://127.0.0.1:9', certificate);
    const error = await failure(`${front.origin}/mcp`);
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.summary).toContain(`${front.origin}: its certificate ${reason}`);
    expect(error.hint).toContain(advice);
  });

  it('for another name names it', async () => {
    await using front = await startTlsFront('http://127.0.0.1:9', wrongName);
    const dispatcher = new Agent({ connect: { ca: wrongName.cert } });
    const error = await failure(front.origin, { dispatcher });
    expect(error.summary).toContain('is for mcp.example.com, and not for 127.0.0.1');
    expect(error.hint).toContain('write the name');
    await dispatcher.close();
  });
});

describe('http and https', () => {
  it('a server of plain http that is asked for TLS', async () => {
    await using site = await startSite();
    const error = await failure(site.origin.replace('http:', 'https:'));
    expect(error.code).toBe('connect-failed');
    expect(error.message).toMatch(
      /: what answers there does not speak TLS \(ERR_SSL_\w+\); write http:\/\/ instead of https:\/\/$/,
    );
  });

  it('a server of TLS that drops plain http', async () => {
    await using front = await startTlsFront('http://127.0.0.1:9');
    const plain = front.origin.replace('https:', 'http:');
    const error = await failure(`${plain}/mcp?token=s3cret`);
    expect(error.code).toBe('connect-failed');
    expect(error.message).toBe(
      `${plain} speaks TLS, and was asked by plain http; write ${front.origin}/mcp`,
    );
  });

  it.each([
    '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>',
    'Client sent an HTTP request to an HTTPS server.\n',
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
  ])('a server that says so: %s', async (body) => {
    await using server = await startHttpFixture((_request, response) =>
      response.writeHead(400).end(body),
    );
    expect((await failure(server.origin)).message).toContain('write https://127.0.0.1:');
  });

  it('a server that drops every connection is none of TLS', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const error = await failure(`http://127.0.0.1:${port}/mcp`);
    expect(error).toMatchObject({ code: 'connection-lost' });
    server.close();
    await once(server, 'close');
  });
});

it('a server that takes requests and never answers is said once', async () => {
  await using server = await startHttpFixture(() => {});
  const error = await failure(server.origin, { timeouts: { connectMs: 400 } });
  const message = error.message.replaceAll(server.origin, 'ORIGIN').replace(/\d+ ms/, 'N ms');
  expect(message).toContain(
    'could not connect to ORIGIN/: tried ORIGIN/mcp, ORIGIN/sse, ORIGIN/ (no MCP server answered within N ms)',
  );
  await server.close();
});
