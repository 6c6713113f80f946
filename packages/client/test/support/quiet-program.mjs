// A program that does one thing with the server at a URL, and writes one line of JSON: what came of
// it. Whatever else it writes is not its own.
import { connect } from '@longwire/client';
import { oauth } from '@longwire/client/oauth';

const [what, url] = process.argv.slice(2);
const done = await (what === 'tools' ? listTools() : authorize());
process.stdout.write(JSON.stringify(done));

/** Lists the tools by each of the two clients. */
async function listTools() {
  const client = await connect(url);
  const errors = [];
  client.on('error', ({ message }) => errors.push(message));
  const names = (await client.listTools()).map(({ name }) => name);
  const page = await client.sdk.listTools({ cursor: 'again' });
  const bySdk = (await client.sdk.listTools()).tools;
  const call = await client.sdk.callTool({ name: 'fine', arguments: {} }).catch(({ code }) => code);
  await client.close();
  return { names, page: page.tools.map(({ name }) => name), bySdk: bySdk.length, errors, call };
}

/** Connects with tokens that were stored without their issuer, and have to be refreshed. */
async function authorize() {
  let led = 0;
  let tokens = { access_token: 'old', token_type: 'Bearer', refresh_token: 'refresh' };
  let information = { client_id: 'client' };
  const provider = {
    redirectUrl: 'http://127.0.0.1:9/callback',
    clientMetadata: { redirect_uris: ['http://127.0.0.1:9/callback'] },
    clientInformation: () => information,
    saveClientInformation: (saved) => (information = saved),
    tokens: () => tokens,
    saveTokens: (saved) => (tokens = saved),
    saveCodeVerifier: () => {},
    codeVerifier: () => 'verifier',
    invalidateCredentials: (scope) => {
      if (scope === 'tokens') tokens = undefined;
    },
    redirectToAuthorization: () => void led++,
  };
  const login = oauth(provider, { url });
  const failure = await connect(url, { auth: login }).then(
    (client) => client.close(),
    ({ code }) => code,
  );
  const finished = await login.finish(new URLSearchParams({ code: 'used' })).then(
    () => 'finished',
    ({ code, message }) => ({ code, length: message.length }),
  );
  return { failure, led, finished, issuer: information.issuer };
}
