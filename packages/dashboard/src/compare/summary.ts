import type { Comparison } from '@longwire/recording';
import { counted } from '@longwire/recording/shown';

/** What differs, in one sentence. */
export function summaryOf({
  gainedServers,
  lostServers,
  catalogues,
  latencies,
  errors,
}: Comparison): string {
  const sum = (key: 'gained' | 'lost' | 'changed'): number =>
    catalogues.reduce((count, change) => count + change[key].length, 0);
  const ofTools = latencies.filter(({ tool }) => tool !== undefined);
  const verdicts = (verdict: string): number =>
    ofTools.filter((change) => change.verdict === verdict).length;
  const facts = [
    [gainedServers.length, 'server', 'gained'],
    [lostServers.length, 'server', 'lost'],
    [sum('gained'), 'item', 'gained'],
    [sum('lost'), 'item', 'lost'],
    [sum('changed'), 'item', 'changed'],
    [verdicts('slower'), 'tool', 'slower'],
    [verdicts('faster'), 'tool', 'faster'],
    [errors.filter(({ verdict }) => verdict === 'new').length, 'error', 'new'],
    [errors.filter(({ verdict }) => verdict === 'gone').length, 'error', 'gone'],
  ] as const;
  const told = facts.filter(([count]) => count > 0);
  if (told.length === 0) return 'No difference.';
  return `${told.map(([count, what, how]) => `${counted(count, what)} ${how}`).join(', ')}.`;
}
