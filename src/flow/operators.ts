import { fileURLToPath } from 'node:url';
import { edgeInWords, type Node } from './core-node.js';

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

/** What a file of RxJS's is called by those who use it; one that is only part of another has no name. */
const called: Readonly<Record<string, string | undefined>> = {
  mergeInternals: undefined,
  OperatorSubscriber: undefined,
  mergeMap: 'mergeMap or concatMap',
  scanInternals: 'scan',
};

const engine = fileURLToPath(new URL('.', import.meta.url));
const ours = fileURLToPath(new URL('..', import.meta.url));

/**
 * The operators without a node of their own that stand between a node and whoever is subscribing to it now, in the order of the
 * flow. RxJS keeps their names nowhere, so they are read off the call stack: each subscribes to the one before it. What cannot be read
 * there, as in a bundle, is left out: names serve messages alone.
 */
export function operatorsOnTheWay(): readonly string[] {
  const names: string[] = [];
  for (const site of callSites()) {
    const file = pathOf(site.getFileName() ?? '');
    if (file === `${engine}flow.ts` && (site.getFunctionName() ?? '').endsWith('subscribe')) break;
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
      .filter(([to]) => to.trains)
      .flatMap(([to, operators]) => {
        const some = [...new Set(operators.filter((name) => remembering.has(name)))];
        if (some.length === 0) return [];
        const subject = some.length === 1 ? `RxJS's ${some[0]} keeps` : `RxJS's ${some.join(', ')} keep`;
        return [
          `on the way ${edgeInWords(from, to)}, ${subject} state that no snapshot holds: ` +
            'a run that is stopped and resumed will differ from one that is not; make it a stage (weir.stage), or put it behind the training',
        ];
      }),
  );
}
