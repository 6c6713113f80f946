import type { Call, CallOutcome } from '@longwire/server';
import type { CatalogueLine, Recorder } from '@longwire/recording';

type Kind = CatalogueLine['kind'];
type Result = Extract<CallOutcome, { kind: 'result' }>['result'];

/** What lists what, by which member its items differ, and what says that there are others now. */
const LISTS = {
  'tools/list': { kind: 'tools', key: 'name', changed: 'notifications/tools/list_changed' },
  'resources/list': {
    kind: 'resources',
    key: 'uri',
    changed: 'notifications/resources/list_changed',
  },
  'resources/templates/list': {
    kind: 'templates',
    key: 'uriTemplate',
    changed: 'notifications/resources/list_changed',
  },
  'prompts/list': { kind: 'prompts', key: 'name', changed: 'notifications/prompts/list_changed' },
} as const satisfies Readonly<Record<string, { kind: Kind; key: string; changed: string }>>;

/** Where results of the stateless protocol have what answers them. */
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
/** More are not shown of one kind. */
const MAX_ITEMS = 2000;

/** What a catalogue is made with. */
export interface KitCatalogueOptions {
  readonly server: string;
  readonly recorder: Recorder;
  /** Whether resources are shown: their list may say what a user has. */
  readonly hasValues: boolean;
}

/**
 * What a server is and has, learnt of what it answers to its clients: nothing more is asked of it. Clients
 * may get different lists, and parts of them; what is shown is all of these together.
 */
export class KitCatalogue {
  readonly #options: KitCatalogueOptions;
  #info = '';
  /** Items as JSON, by kind and key. */
  readonly #items = new Map<Kind, Map<string, string>>();
  readonly #stale = new Set<Kind>();

  constructor(options: KitCatalogueOptions) {
    this.#options = options;
  }

  /** A server answered. */
  learn({ method }: Call, result: Result): void {
    this.#introduce(result['serverInfo'] ?? result._meta?.[SERVER_INFO]);
    if (!Object.hasOwn(LISTS, method)) return;
    const { kind, key } = LISTS[method as keyof typeof LISTS];
    const listed = result[kind === 'templates' ? 'resourceTemplates' : kind];
    if (!Array.isArray(listed) || (kind === 'resources' && !this.#options.hasValues)) return;
    const known = this.#items.get(kind);
    const items = this.#stale.delete(kind) ? new Map<string, string>() : new Map(known);
    for (const item of listed as readonly Readonly<Record<string, unknown>>[]) {
      if (items.size < MAX_ITEMS) items.set(String(item[key]), JSON.stringify(item));
    }
    if (known !== undefined && isSame(known, items)) return;
    this.#items.set(kind, items);
    const { server, recorder } = this.#options;
    const parsed = [...items.values()].map((text) => JSON.parse(text) as object);
    recorder.catalogue({ server, kind, items: parsed as CatalogueLine['items'] });
  }

  /** A server said something: it may be that what is known is not so any more. */
  heard(method: string): void {
    for (const { kind, changed } of Object.values(LISTS)) {
      if (method === changed) this.#stale.add(kind);
    }
  }

  #introduce(serverInfo: unknown): void {
    const { name, version } = (serverInfo ?? {}) as { name?: unknown; version?: unknown };
    if (typeof name !== 'string' || typeof version !== 'string') return;
    const info = `${name} ${version}`;
    if (info === this.#info) return;
    this.#info = info;
    const { server, recorder } = this.#options;
    recorder.server({ server, info: { name, version } });
  }
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, text]) => other.get(key) === text);
}
