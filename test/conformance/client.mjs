/**
 * The client under test, as a program would use the library. The suite starts it with the name of a
 * scenario in its environment and the server's URL as last argument, and checks from the other
 * side. It ends with an error if the library does not do what the scenario expects.
 */
import { connect, LongwireError } from '@longwire/client';
import { oauth } from '@longwire/client/oauth';
import {
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  PrivateKeyJwtProvider,
  requestJwtAuthorizationGrant,
} from '@modelcontextprotocol/client';
import { AgreeingProvider } from './provider.mjs';

/**
 * @typedef {import('@longwire/client').LongwireClient} LongwireClient
 * @typedef {import('@longwire/client').ClientOptions} ClientOptions
 * @typedef {import('@modelcontextprotocol/client').OAuthClientProvider} OAuthClientProvider
 *
 * @typedef {object} Behaviour
 * @property {() => ClientOptions} [options]
 * @property {(client: LongwireClient) => Promise<void>} [use] default: {@link callEveryTool}
 * @property {boolean} [isRefused] authorization has to fail
 */

const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}');

/** Arguments by the tool's name, where a tool wants any. */
const ARGUMENTS = { add_numbers: { a: 5, b: 3 }, valid_tool: { region: 'us-west1' } };

/** @param {LongwireClient} client */
async function callEveryTool(client) {
  for (const { name } of await client.listTools()) {
    await client.callTool(name, ARGUMENTS[/** @type {keyof typeof ARGUMENTS} */ (name)]);
  }
}

/** @param {LongwireClient} client */
async function callEverything(client) {
  await callEveryTool(client);
  for (const { uri } of await client.listResources()) await client.readResource(uri);
  for (const { name } of await client.listPrompts()) await client.getPrompt(name);
}

/** @param {LongwireClient} client */
async function callAsTold(client) {
  await client.listTools();
  for (const call of context.toolCalls) await client.callTool(call.name, call.arguments);
}

/** @param {LongwireClient} client */
async function listOnly(client) {
  await client.listTools();
}

/** @param {LongwireClient} client */
async function echoSchema(client) {
  const tools = await client.listTools();
  const { inputSchema } = tools.find(({ name }) => name === 'json_schema_2020_12_tool') ?? {};
  await client.callTool('json_schema_echo', { schema: inputSchema });
}

/** Everything that the server may ask of a client. @returns {ClientOptions} */
const withHandlers = () => ({
  handlers: {
    roots: () => [],
    sampling: () => ({ role: 'assistant', content: { type: 'text', text: '' }, model: 'none' }),
    elicitation: () => ({ action: 'accept', content: { confirmed: true } }),
  },
});

/** @param {ConstructorParameters<typeof AgreeingProvider>[0]} [options] @returns {ClientOptions} */
function agreeing(options) {
  const provider = new AgreeingProvider(options);
  const login = oauth(provider);
  provider.onCallback = (callback) => login.finish(callback);
  return { auth: login };
}

/** @type {Record<string, Behaviour>} */
const BEHAVIOURS = {
  // Left to choose, a client that can be asked would first ask for an older version.
  'request-metadata': { options: () => ({ ...withHandlers(), protocol: '2026-07-28' }) },
  'elicitation-sep1034-client-defaults': {
    options: () => ({ handlers: { elicitation: () => ({ action: 'accept', content: {} }) } }),
  },
  'sep-2322-client-request-state': { options: withHandlers },
  'http-standard-headers': { use: callEverything },
  'http-custom-headers': { use: callAsTold },
  'json-schema-ref-no-deref': { use: listOnly },
  'json-schema-2020-12-preservation': { use: echoSchema },
  'auth/basic-cimd': {
    options: () =>
      agreeing({ clientMetadataUrl: 'https://conformance-test.local/client-metadata.json' }),
  },
  'auth/pre-registration': {
    options: () =>
      agreeing({
        client: { client_id: context.client_id, client_secret: context.client_secret },
      }),
  },
  'auth/scope-retry-limit': { isRefused: true },
  'auth/resource-mismatch': { isRefused: true },
  'auth/iss-supported-missing': { isRefused: true },
  'auth/iss-wrong-issuer': { isRefused: true },
  'auth/iss-unexpected': { isRefused: true },
  'auth/iss-normalized': { isRefused: true },
  'auth/metadata-issuer-mismatch': { isRefused: true },
  'auth/client-credentials-basic': {
    options: () => ({
      auth: oauth(
        new ClientCredentialsProvider({
          clientId: context.client_id,
          clientSecret: context.client_secret,
        }),
      ),
    }),
  },
  'auth/client-credentials-jwt': {
    options: () => ({
      auth: oauth(
        new PrivateKeyJwtProvider({
          clientId: context.client_id,
          privateKey: context.private_key_pem,
          algorithm: context.signing_algorithm ?? 'ES256',
        }),
      ),
    }),
  },
  'auth/enterprise-managed-authorization': {
    options: () => ({ auth: oauth(crossAppAccess()) }),
  },
};

function crossAppAccess() {
  return new CrossAppAccessProvider({
    clientId: context.client_id,
    clientSecret: context.client_secret,
    assertion: async ({ authorizationServerUrl, resourceUrl, fetchFn }) => {
      const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
        tokenEndpoint: context.idp_token_endpoint,
        audience: authorizationServerUrl,
        resource: resourceUrl,
        idToken: context.idp_id_token,
        clientId: context.idp_client_id,
        ...(fetchFn && { fetchFn }),
      });
      return jwtAuthGrant;
    },
  });
}

const { options, use = callEveryTool, isRefused = false } = BEHAVIOURS[scenario] ?? {};
const byDefault = scenario.startsWith('auth/') ? agreeing : () => ({});

/** @param {string} url */
async function run(url) {
  const client = await connect(url, (options ?? byDefault)());
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

/** Authorization has to fail. @param {Promise<void>} running */
async function expectUnauthorized(running) {
  const error = await running.then(
    () => new Error('it was authorized, and should not have been'),
    (/** @type {unknown} */ reason) => reason,
  );
  const isUnauthorized =
    error instanceof LongwireError && ['unauthorized', 'forbidden'].includes(error.code);
  if (!isUnauthorized) throw error;
}

try {
  const running = run(process.argv.at(-1) ?? '');
  await (isRefused ? expectUnauthorized(running) : running);
} catch (error) {
  // In one line, which is the cause that the table of results names.
  process.stderr.write(`${String(error).replaceAll(/\s+/g, ' ')}\n`);
  process.exitCode = 1;
}
