import { useMemo } from 'preact/hooks';
import { comparePictures, type Comparison, type Picture } from '@longwire/recording';
import { Empty } from '../parts/empty.js';
import { filter } from '../state/filter.js';
import { feed } from '../state/page.js';
import { useSlowVersion } from '../state/slow-version.js';
import { CatalogueChanges } from './catalogue-changes.js';
import { ErrorChanges, LatencyChanges } from './call-changes.js';
import { ChangeItem } from './change-item.js';
import { sides, swap, type Side } from './compared.js';
import { filtered } from './filtered.js';
import { SideView } from './side-view.js';
import { summaryOf } from './summary.js';

/** Two recordings, or a recording and what is shown: what differs. */
export function CompareView() {
  const version = useSlowVersion('servers').value;
  const [before, after] = [pictureOf(sides.before.value), pictureOf(sides.after.value)];
  const isMoving = before === feed.picture || after === feed.picture;
  const comparison = useMemo(
    () => (before && after && before !== after ? comparePictures(before, after) : undefined),
    [before, after, isMoving ? version : 0],
  );
  const { item: fits } = filter.value;
  const shown = useMemo(() => comparison && filtered(comparison, fits), [comparison, fits]);
  return (
    <div class="compare">
      <div class="sides">
        <SideView title="Before" side={sides.before} />
        <button type="button" class="swap" onClick={swap}>
          ⇄<span class="unseen"> Swap before and after</span>
        </button>
        <SideView title="After" side={sides.after} />
      </div>
      {shown === undefined ? (
        <Empty title="Nothing to compare yet">
          Choose a recording: a file that <code>longwire dash --record</code> wrote, or that “Save
          the recording” of the commands saved.
        </Empty>
      ) : (
        <Differences comparison={shown} />
      )}
    </div>
  );
}

function pictureOf(side: Side): Picture | undefined {
  if (side.is === 'page') return feed.picture;
  return side.is === 'recording' ? side.picture : undefined;
}

function Differences({ comparison }: { comparison: Comparison }) {
  const { gainedServers, lostServers, catalogues, latencies, errors } = comparison;
  return (
    <>
      <p class="compare-summary" role="status">
        {summaryOf(comparison)}
      </p>
      {(gainedServers.length > 0 || lostServers.length > 0) && (
        <section class="changes" aria-label="Servers">
          <h2>Servers</h2>
          <ul>
            {gainedServers.map((name) => (
              <ChangeItem key={name} change="gained" name={name} />
            ))}
            {lostServers.map((name) => (
              <ChangeItem key={name} change="lost" name={name} />
            ))}
          </ul>
        </section>
      )}
      <CatalogueChanges changes={catalogues} />
      <LatencyChanges changes={latencies} />
      <ErrorChanges changes={errors} />
    </>
  );
}
