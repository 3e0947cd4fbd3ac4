import { fileURLToPath } from 'node:url';
import { WeirError } from './errors.js';
import { edgeText, type Node, path } from './node.js';

/**
 * Refuses a graph that could not run: it trains in two places, it forks before training by an operator that does not count, or its
 * source may not have a whole batch outside. Gives sources without a capacity of their own the usual one.
 */
export function checkGraph(nodes: readonly Node[]): void {
  const serial = nodes.filter((node) => node.kind === 'serial');
  const sources = nodes.filter((node) => node.kind === 'source');
  if (serial.length > 1) {
    throw new WeirError(
      `the graph trains in ${serial.length} places: ${serial.map((node) => `'${node.name}'`).join(', ')}`,
      "train one network a graph; list several under the pipeline's `networks`",
    );
  }
  for (const { name } of serial.filter(
    (node) => sources.length > 0 && !nodes.some((one) => one.downstream.has(node)),
  )) {
    throw new WeirError(
      `'${name}' gets its items from a stream that another part of the graph listened to first`,
      "fork it with fanOut('name') instead of share(): then each branch has its part in demand and snapshots",
    );
  }
  for (const source of sources) giveCapacity(source);
}

/** By default three times the need of the hungriest stage, and the samples that may be in work besides. */
function giveCapacity(source: Node): void {
  const after = path(source);
  const hungry = after.reduce((most, node) => (node.needs > most.needs ? node : most), source);
  const inWork = after.reduce((sum, node) => sum + (Number.isFinite(node.limit) ? node.limit : 0), 0);
  if (source.limit === 0) source.limit = Math.max(1024, 3 * hungry.needs) + inWork;
  if (hungry.needs <= source.limit) return;
  throw new WeirError(
    `source '${source.name}' may have ${source.limit} samples outside, but '${hungry.name}' waits for ${hungry.needs}`,
    `raise the capacity of '${source.name}' to ${hungry.needs} or more`,
  );
}

/** The error of a graph that is not through and has nothing left to move it. */
export function standstill(nodes: readonly Node[]): WeirError {
  const holding = nodes.filter((node) => node.held > 0).map((node) => `'${node.name}' holds ${node.held} samples`);
  return new WeirError(
    `the graph stands still: ${holding.join(', ') || 'nothing holds anything'}, and nothing is under way`,
    'an operator of the pipeline neither hands on nor completes: look at the operators behind the stages named',
  );
}

/**
 * Operators of RxJS that remember earlier items. A snapshot holds nothing of theirs, so a graph that resumes behind one goes on as if
 * no item had come before.
 */
const remembering = new Set(
  `audit auditTime buffer bufferCount bufferTime bufferToggle bufferWhen debounce debounceTime distinct distinctUntilChanged
  elementAt every exhaustMap expand find groupBy last max mergeScan min pairwise reduce repeat sample scan sequenceEqual
  single skipLast skipUntil skipWhile switchMap switchScan take takeLast takeUntil takeWhile throttle timeInterval toArray window
  windowCount windowTime windowToggle windowWhen withLatestFrom zip combineLatest`.split(/\s+/),
);

/** The operators that a file of RxJS's makes; a file that is only part of another has none. */
const called: Readonly<Record<string, string | undefined>> = {
  mergeInternals: undefined,
  OperatorSubscriber: undefined,
  mergeMap: 'mergeMap or concatMap',
  scanInternals: 'scan',
};

const engine = fileURLToPath(new URL('.', import.meta.url));
const ours = fileURLToPath(new URL('..', import.meta.url));

/**
 * The operators without a node of their own between a node and the node that is subscribing to it now, in the order of the
 * flow. RxJS keeps their names nowhere, so they are read off the call stack: each subscribes to the one before it. A name that cannot be
 * read there, as in a bundle, is left out: names serve messages alone.
 */
export function operatorsOnTheWay(): readonly string[] {
  const names: string[] = [];
  for (const site of callSites()) {
    const file = pathOf(site.getFileName() ?? '');
    if (file.startsWith(`${engine}wiring.`) && (site.getFunctionName() ?? '').endsWith('subscribeFrom')) break;
    const operator = /[\\/]rxjs[\\/].*[\\/]operators[\\/](\w+)\.[jt]s$/.exec(file)?.[1];
    if (operator !== undefined) {
      const name = operator in called ? called[operator] : operator;
      if (name !== undefined) names.push(name);
    } else if (!/^$|^node:|[\\/]node_modules[\\/]|^<|^evalmachine/.test(file) && !file.startsWith(ours)) {
      const name = `an operator of ${file.split(/[\\/]/).at(-1)}`;
      if (names.at(-1) !== name) names.push(name);
    }
  }
  return names;
}

function callSites(): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const held: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1000;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(held, operatorsOnTheWay);
    return Array.isArray(held.stack) ? (held.stack as NodeJS.CallSite[]) : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const pathOf = (file: string): string => (file.startsWith('file:') ? fileURLToPath(file) : file).replace(/\?.*$/, '');

/** A line for each edge towards the training step on which an operator of RxJS remembers items; none where there is none. */
export function remarksOnOperators(nodes: readonly Node[]): string[] {
  return nodes.flatMap((from) =>
    [...from.operators]
      .filter(([to]) => to.leadsToSerial)
      .flatMap(([to, operators]) => {
        const some = [...new Set(operators.filter((name) => remembering.has(name)))];
        if (some.length === 0) return [];
        const subject = some.length === 1 ? `RxJS's ${some[0]} keeps` : `RxJS's ${some.join(', ')} keep`;
        return [
          `on the way ${edgeText(from, to)}, ${subject} state that no snapshot holds: ` +
            'a run that is stopped and resumed will differ from one that is not; make it a stage (weir.stage), or put it behind the training',
        ];
      }),
  );
}
