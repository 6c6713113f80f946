/**
 * What the suite demands of a client, by the revision of the specification that demands it: the
 * `requirements/` of the suite, and the two scenarios that only a server of 2025-03-26 needs.
 */

/**
 * @typedef {object} Run
 * @property {string} scenario
 * @property {string} specVersion the revision that the suite speaks
 * @property {boolean} required
 */

const AUTHORIZATION = [
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
];

/** Scenarios by the revision that requires them. @type {Readonly<Record<string, readonly string[]>>} */
export const REQUIREMENTS = {
  '2025-03-26': [
    'auth/2025-03-26-oauth-metadata-backcompat',
    'auth/2025-03-26-oauth-endpoint-fallback',
  ],
  '2025-11-25': [
    'initialize',
    'tools_call',
    'elicitation-sep1034-client-defaults',
    'sse-retry',
    ...AUTHORIZATION,
  ],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    ...AUTHORIZATION,
    'auth/resource-mismatch',
    'auth/offline-access-scope',
    'auth/offline-access-not-supported',
    'auth/authorization-server-migration',
    'auth/iss-supported',
    'auth/iss-not-advertised',
    'auth/iss-supported-missing',
    'auth/iss-wrong-issuer',
    'auth/iss-unexpected',
    'auth/iss-normalized',
    'auth/metadata-issuer-mismatch',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ],
};

/** Each requirement with its revision. @type {readonly Run[]} */
export const REQUIRED = Object.entries(REQUIREMENTS).flatMap(([specVersion, scenarios]) =>
  scenarios.map((scenario) => ({ scenario, specVersion, required: true })),
);
