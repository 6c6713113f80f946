/**
 * Users of a product: tokens of an authorization server, a tool that needs a scope of its own, and another
 * token for the service behind. The authorization server is a stand-in that only publishes its key.
 */
import { connect } from '@longwire/client';
import { exchangeToken, jwt, serve } from '@longwire/server';
import { McpServer, requireScopes } from '@modelcontextprotocol/server';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { once } from 'node:events';
import { createServer } from 'node:http';

const { privateKey, publicKey } = await generateKeyPair('ES256');
const keys = [{ ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' }];
const authorizationServer = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
});
await once(authorizationServer.listen(0, '127.0.0.1'), 'listening');
const issuer = `http://127.0.0.1:${authorizationServer.address().port}`;

const inNotes = (extra) => [{ type: 'text', text: `the service got ${extra.http.authInfo.token}` }];

// Who lacks the scope gets 403 with its name, and may authorize again.
const write = { scopeChallenge: requireScopes('notes:write') };

function create() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('read', {}, (extra) => ({ content: inNotes(extra) }));
  server.registerTool('write', write, (extra) => ({ content: inNotes(extra) }));
  return server;
}

const users = jwt({
  issuer,
  // Whom the tokens are for. Those for another service of the issuer are refused.
  audience: 'https://mcp.example.com/mcp',
  jwks: `${issuer}/keys`,
  scopes: ['notes:read'],
});
const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  // Tools see this token, and never the client's own.
  auth: exchangeToken(users, { exchange: ({ id }) => `a token of notes for ${id}` }),
});

async function call(tool, scope) {
  const token = await new SignJWT({ scope })
    .setProtectedHeader({ alg: 'ES256', kid: 'first' })
    .setIssuer(issuer)
    .setSubject('ada')
    .setAudience('https://mcp.example.com/mcp')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  const client = await connect(serving.url, { headers: { authorization: `Bearer ${token}` } });
  const said = await client.callTool(tool).then(
    ({ content }) => content[0].text,
    (error) => error.code,
  );
  await client.close();
  return said.replace(issuer, 'issuer');
}
const { headers } = await fetch(serving.url, { method: 'POST' });
console.log(headers.get('www-authenticate').includes('resource_metadata=') ? 'a challenge' : '');
console.log(`read: ${await call('read', 'notes:read')}`);
console.log(`write: ${await call('write', 'notes:read')}`);
console.log(`write, with its scope: ${await call('write', 'notes:read notes:write')}`);
await serving.close();
authorizationServer.close();
