import { computed, signal } from '@preact/signals';
import { viewFilter } from '@longwire/recording/shown';

/** What the filter line of all views says. */
export const filterText = signal('');

/** The filter of the line, made once for each change of it. */
export const filter = computed(() => viewFilter(filterText.value));

export { serverFilter } from '@longwire/recording/shown';
