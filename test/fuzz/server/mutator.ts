import { createRandom } from '@longwire/testing';
import type { Fault, FuzzCase } from '../fuzz-case.ts';
import { mutationOf } from '../grammar/grammar.ts';
import type { About, Level, Parts } from '../grammar/mutation.ts';

/** Applies the faults of one case to what its server says. */
export class Mutator {
  readonly #case: FuzzCase;
  readonly #struck = new Set<Fault>();

  constructor(fuzzCase: FuzzCase) {
    this.#case = fuzzCase;
  }

  /** The part as it is sent, after all faults of this level that strike here. */
  apply<L extends Level>(level: L, part: Parts[L], about: About): Parts[L] {
    let mutated = part;
    for (const fault of this.#case.faults) {
      if (fault.level !== level || this.#struck.has(fault)) continue;
      if (fault.on !== 'any' && fault.on !== about.purpose) continue;
      if (fault.once) this.#struck.add(fault);
      const random = createRandom(this.#case.seed, fault.stream);
      mutated = mutationOf(level, fault.mutation)(mutated, random, about);
    }
    return mutated;
  }
}
