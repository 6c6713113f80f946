import { configFileName, type Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import type { AllServers } from '../target.js';
import { shellWord } from '../shell-word.js';
import { Allowances } from './allowances.js';
import { askToAllow, type Found } from './consent.js';
import { hostOf } from './host-files.js';
import { readHostServers } from './host-servers.js';

/**
 * What `@all` stands for where nobody named a file: the servers of the `longwire.json` and of other
 * programs that the user allowed as they are now. At a terminal a person is asked for the others of the
 * `longwire.json`, and for what has changed since it was allowed; elsewhere they are left out.
 */
export async function allowedServers(
  context: Context,
  configuration: Configuration | undefined,
): Promise<AllServers> {
  const allowances = new Allowances(context);
  const all = allowances.all();
  const hosts = new Set(all.flatMap(({ name }) => hostOf(name) ?? []));
  const others = hosts.size === 0 ? [] : (await readHostServers(context, { hosts })).configurations;
  const file = configuration?.file ?? configFileName;
  const unusable = new Map(configuration?.unusable);
  for (const each of others) {
    for (const [name, error] of each.unusable) {
      const isAllowed = all.some((other) => other.name === name && other.path === each.path);
      if (isAllowed) unusable.set(name, error);
    }
  }
  const allowed: Found[] = [];
  const left: (Found & { why: string })[] = [];
  for (const each of configuration === undefined ? others : [configuration, ...others]) {
    for (const config of each.servers.values()) {
      if (config.disabled) continue;
      const found = { config, configuration: each };
      const standing = allowances.standingOf(config, each);
      if (standing === 'allowed') allowed.push(found);
      else if (standing === 'changed')
        left.push({ ...found, why: 'it has changed since it was allowed' });
      else if (each === configuration) left.push({ ...found, why: 'nobody named or allowed it' });
    }
  }
  const isAllowedNow = await askToAllow(context, left);
  const servers = (isAllowedNow ? [...allowed, ...left] : allowed).map(({ config }) => ({
    target: config.target,
    config,
  }));
  const skipped = (isAllowedNow ? [] : left).map(
    ({ config: { name }, configuration: { isForeign }, why }): [string, string] => {
      const orNamed = isForeign ? '' : `, or --config ${file}`;
      return [name, `${why}: longwire servers allow ${shellWord(name)}${orNamed}`];
    },
  );
  return { file, servers, unusable, skipped: new Map(skipped) };
}
