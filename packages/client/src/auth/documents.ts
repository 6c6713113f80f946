import { specTypeSchemas, type StandardSchemaV1Sync } from '@modelcontextprotocol/client';

/** The documents of an authorization server, and the metadata of the MCP server. */
export type DocumentKind = 'resource' | 'authority' | 'openid' | 'registration' | 'tokens';

/** The properties of a JSON object. */
export type Properties = Record<string, unknown>;

const SCHEMAS: Record<DocumentKind, StandardSchemaV1Sync> = {
  resource: specTypeSchemas.OAuthProtectedResourceMetadata,
  authority: specTypeSchemas.OAuthMetadata,
  openid: specTypeSchemas.OpenIdProviderDiscoveryMetadata,
  registration: specTypeSchemas.OAuthClientInformationFull,
  tokens: specTypeSchemas.OAuthTokens,
};

/** A browser opens one of them, and secrets are sent to the others. */
const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'device_authorization_endpoint',
  'revocation_endpoint',
];

/** What each document must have. Everything else that is wrong can be dropped. */
const REQUIRED: Record<DocumentKind, readonly string[]> = {
  resource: ['resource'],
  authority: ['issuer', 'authorization_endpoint', 'token_endpoint'],
  openid: ['issuer', 'authorization_endpoint', 'token_endpoint'],
  registration: ['client_id'],
  tokens: ['access_token'],
};

/**
 * Repairs a document so that the SDK accepts it:
 *
 * - an optional property that is `null`, empty or malformed is dropped;
 * - a string becomes a list where the schema wants a list;
 * - wrong entries of a list are dropped;
 * - `defaults` are used for what is missing.
 *
 * @throws Error that names required properties that are missing or wrong, and endpoints that are
 * neither http nor https.
 */
export function repairDocument(
  kind: DocumentKind,
  document: Properties,
  defaults: Properties,
): Properties {
  let repaired: Properties = { ...defaults, ...withoutEmpty(document) };
  if (Array.isArray(repaired['scope'])) repaired['scope'] = repaired['scope'].join(' ');
  for (const repair of [asList, dropped]) {
    const wrong = wrongProperties(kind, repaired);
    if (wrong.size === 0) break;
    const properties = Object.entries(repaired).map(([name, value]) => {
      const entries = REQUIRED[kind].includes(name) ? undefined : wrong.get(name);
      return [name, entries === undefined ? value : repair(value, entries)];
    });
    repaired = { ...defaults, ...withoutEmpty(Object.fromEntries(properties) as Properties) };
  }
  const wrong = new Set(wrongProperties(kind, repaired).keys());
  for (const name of nonHttpEndpoints(repaired)) wrong.add(name);
  if (wrong.size > 0) throw new Error(`missing or wrong: ${[...wrong].join(', ')}`);
  return repaired;
}

/** The endpoints that are neither http nor https. */
export function nonHttpEndpoints(document: Readonly<Properties>): string[] {
  return ENDPOINTS.filter((name) => !isWeb(document[name]));
}

/** The properties that do not fit the schema; of a list, which entries. */
function wrongProperties(kind: DocumentKind, document: Properties): Map<string, Set<PropertyKey>> {
  const wrong = new Map<string, Set<PropertyKey>>();
  const { issues = [] } = SCHEMAS[kind]['~standard'].validate(document);
  for (const { path = [] } of issues) {
    const [name, entry] = path.map((part) => (typeof part === 'object' ? part.key : part));
    const entries = wrong.get(String(name)) ?? new Set();
    wrong.set(String(name), entry === undefined ? entries : entries.add(entry));
  }
  return wrong;
}

function asList(value: unknown, wrongEntries: ReadonlySet<PropertyKey>): unknown {
  if (typeof value === 'string') return value.split(/\s+/);
  return Array.isArray(value) ? value.filter((_entry, index) => !wrongEntries.has(index)) : value;
}

function dropped(): undefined {
  return undefined;
}

function withoutEmpty(document: Properties): Properties {
  return Object.fromEntries(
    Object.entries(document).filter(
      ([, value]) => value !== undefined && value !== null && value !== '' && !isEmptyList(value),
    ),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Whether it is no URL of another scheme than http and https: those may run a program. */
export function isWeb(endpoint: unknown): boolean {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return true;
  return ['http:', 'https:'].includes(new URL(endpoint).protocol);
}
