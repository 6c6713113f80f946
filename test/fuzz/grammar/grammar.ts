import { BYTE_MUTATIONS } from './byte-mutations.ts';
import { CALL_MUTATIONS } from './call-mutations.ts';
import { HANDSHAKE_MUTATIONS } from './handshake-mutations.ts';
import { HTTP_MUTATIONS } from './http-mutations.ts';
import { JSON_MUTATIONS } from './json-mutations.ts';
import { LIST_MUTATIONS } from './list-mutations.ts';
import type { Level, Mutate, Parts, Table } from './mutation.ts';
import { RPC_MUTATIONS } from './rpc-mutations.ts';
import { SCHEMA_MUTATIONS } from './schema-mutations.ts';
import { SSE_MUTATIONS } from './sse-mutations.ts';
import { TASK_MUTATIONS } from './task-mutations.ts';
import { TIMING_MUTATIONS } from './timing-mutations.ts';
import { WIRE_MUTATIONS } from './wire-mutations.ts';

const TABLES: { readonly [L in Level]: Table<Parts[L]> } = {
  handshake: HANDSHAKE_MUTATIONS,
  list: LIST_MUTATIONS,
  schema: SCHEMA_MUTATIONS,
  call: CALL_MUTATIONS,
  task: TASK_MUTATIONS,
  rpc: RPC_MUTATIONS,
  json: JSON_MUTATIONS,
  sse: SSE_MUTATIONS,
  bytes: BYTE_MUTATIONS,
  http: HTTP_MUTATIONS,
  wire: WIRE_MUTATIONS,
  timing: TIMING_MUTATIONS,
};

/** All levels, from what is said to how it travels. */
export const LEVELS: readonly Level[] = Object.keys(TABLES) as Level[];

/** A mutation as a case names it, for example `rpc/error-null`. */
export interface MutationName {
  readonly name: string;
  readonly level: Level;
  readonly weight: number;
}

/** All mutations by name. */
export const MUTATIONS: readonly MutationName[] = LEVELS.flatMap((level) =>
  Object.entries(TABLES[level]).map(([name, entry]: [string, object]) => ({
    name: `${level}/${name}`,
    level,
    weight: 'weight' in entry ? Number(entry.weight) : 1,
  })),
);

/** What a name of a mutation of this level stands for. */
export function mutationOf<L extends Level>(level: L, name: string): Mutate<Parts[L]> {
  const entry = TABLES[level][name.slice(level.length + 1)];
  if (entry === undefined) throw new TypeError(`no such mutation: ${name}`);
  return typeof entry === 'function' ? entry : entry.mutate;
}
