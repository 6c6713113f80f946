import type { ComponentChildren } from 'preact';
import type { ServerPicture } from '@longwire/recording';
import {
  counted,
  figuresOf,
  formatCount,
  formatDuration,
  formatRate,
  formatShortClock,
  serverFilter,
} from '@longwire/recording/shown';
import { CertaintyMark, StateMark } from '../parts/mark.js';
import { Line } from '../parts/plain-text.js';
import { filterText } from '../state/filter.js';
import { useServers } from '../state/page.js';
import { hrefOf, openView, type ViewName } from '../state/route.js';
import { theme } from '../state/theme.js';
import { ServerUsers, sessionCount } from './server-users.js';
import { MinutePlot, PLOTTED_SECONDS } from './minute-plot.js';

/** What a server is doing, at a glance. */
export function ServerCard({ server, at }: { server: ServerPicture; at: number }) {
  // It changes in place, which is not seen by what is given.
  useServers();
  const { known, totals, states, health } = server;
  const state = states.at(-1);
  const figures = figuresOf(server, at);
  const about = [
    known.transport,
    known.protocolVersion,
    known.info && `${known.info.name} ${known.info.version}`,
  ].filter((word) => word !== undefined);
  return (
    <article
      class="card"
      aria-label={`Server ${server.name}`}
      onClick={({ target }) => {
        // The whole card opens what its name does; what was clicked to be copied opens nothing.
        const isLink = target instanceof Element && target.closest('a') !== null;
        if (isLink || getSelection()?.isCollapsed === false) return;
        filterText.value = serverFilter(server.name);
        openView('calls');
      }}
    >
      <header class="card-head">
        <h2>
          <ViewLink view="calls" server={server.name} className="card-link">
            <Line text={server.name} maxLength={60} />
          </ViewLink>
        </h2>
        <StateMark state={state?.state} />
      </header>
      <p class="card-about">
        {known.target !== undefined && (
          <>
            <Line text={known.target} />
            <br />
          </>
        )}
        <Line text={about.join(' · ')} />
      </p>
      {state?.reason !== undefined && state.state !== 'ready' && (
        <p class="card-reason tone-warning">
          Since {formatShortClock(state.from)}: <Line text={state.reason.message} />
        </p>
      )}
      {health !== undefined && health.status !== 'healthy' && (
        <p class="card-reason tone-warning">
          Health: {health.status}
          {health.reason !== undefined && (
            <>
              , <Line text={health.reason} />
            </>
          )}
        </p>
      )}
      <MinutePlot seconds={server.seconds.last(PLOTTED_SECONDS, at - 1000)} theme={theme.value} />
      <dl class="figures">
        <Figure title="Up">
          {figures.uptimeMs === undefined ? '–' : formatDuration(figures.uptimeMs)}
        </Figure>
        {server.sessions === undefined ? (
          <Figure title="Reconnects">{formatCount(totals.reconnects)}</Figure>
        ) : (
          <Figure title="Sessions">{formatCount(sessionCount(server.sessions))}</Figure>
        )}
        <Figure title="In flight">{formatCount(server.inFlight)}</Figure>
        <Figure title="Calls a second" about="Calls that ended in the last ten seconds.">
          {formatRate(figures.callsPerSecond)}
        </Figure>
        <Figure title="p50" about={OF_ANSWERED}>
          {durationOr(figures.p50Ms)}
        </Figure>
        <Figure title="p95" about={OF_ANSWERED}>
          {durationOr(figures.p95Ms)}
        </Figure>
      </dl>
      <div class="card-counts">
        <h3>Errors</h3>
        {figures.errors.length === 0 && totals.toolErrors === 0 && <span>none</span>}
        {totals.toolErrors > 0 && (
          <span title="The tool ran, and said that it failed.">
            ✗ tool-error <strong>{formatCount(totals.toolErrors)}</strong>
          </span>
        )}
        {figures.errors.map(([certainty, count]) => (
          <span key={certainty}>
            <CertaintyMark certainty={certainty} /> <strong>{formatCount(count)}</strong>
          </span>
        ))}
      </div>
      {server.sessions !== undefined && (
        <ServerUsers server={server.name} sessions={server.sessions} />
      )}
      <ToolsLine server={server} tokens={figures.toolTokens} />
      <nav class="card-links" aria-label={`Views of ${server.name}`}>
        <ViewLink view="calls" server={server.name}>
          {counted(totals.calls + server.inFlight, 'call')}
        </ViewLink>
        <ViewLink view="events" server={server.name}>
          {counted(totals.events, 'event')}
        </ViewLink>
        <ViewLink view="tools" server={server.name}>
          {counted(server.catalogue.tools?.length ?? 0, 'tool')}
        </ViewLink>
      </nav>
    </article>
  );
}

const OF_ANSWERED = 'Of all calls that were answered.';

function Figure({ title, about, children }: { title: string; about?: string; children: string }) {
  return (
    <div title={about}>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function ToolsLine({ server, tokens }: { server: ServerPicture; tokens: number }) {
  if (server.catalogue.tools === undefined) return null;
  return (
    <p class="remark" title="Names, descriptions and schemas as JSON, four characters a token.">
      A model reads about {formatCount(tokens)} tokens of its tools' descriptions (an estimate).
    </p>
  );
}

function ViewLink({
  view,
  server,
  className,
  children,
}: {
  view: ViewName;
  server: string;
  className?: string;
  children: ComponentChildren;
}) {
  return (
    <a
      class={className}
      href={hrefOf(view)}
      onClick={() => (filterText.value = serverFilter(server))}
    >
      {children}
    </a>
  );
}

function durationOr(durationMs: number | undefined): string {
  return durationMs === undefined ? '–' : formatDuration(durationMs);
}
