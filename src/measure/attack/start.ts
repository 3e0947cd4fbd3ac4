import { statelessNormal } from '../../tensorflow/ops/eager.js';
import { tf } from '../../tensorflow/tf.js';
import { distance, type SampleGroup } from './group.js';
import { schedule } from './hemisphere.js';

/**
 * How the attack comes by its first adversarial point.
 *
 * - `paper`: noise until it is found, and images. Points x + N(0, 0.5²), clipped to the box, are drawn in batches until a batch holds
 *   adversarial points, 5000 draws at most. Then the evaluation set is asked about in order of distance from x, until 50 images are
 *   predicted otherwise. On the segment from x to each of these points the boundary is located. The nearest boundary point of each of
 *   three adversarial classes is a start. All are pursued for the first eighth of the iterations, and the nearest one to the end.
 *   (Appendix D of the paper takes the nearest of "a fixed number" of noisy points, which it leaves open.)
 * - `authors`: the first adversarial noisy point, of 5000 at most; then one of the other attacked samples, in random order.
 */
export type Protocol = 'paper' | 'authors';

/** An adversarial point: the draw of the sample's own noise, or the image by its index in the evaluation set. */
export interface StartPoint {
  readonly start: 'noise' | 'image';
  readonly at: number;
}

/** An adversarial point whose segment to x is being searched for the boundary. */
export interface StartCandidate extends StartPoint {
  /** The class at the adversarial end. */
  readonly label: number;
  /** The part of the segment, seen from x, that holds the boundary. */
  readonly left: number;
  readonly right: number;
}

/** Where the search for one sample's starts stands: plain data. */
export interface StartState {
  readonly phase: 'noise' | 'images' | 'choose';
  /** Noisy points drawn. */
  readonly drawn: number;
  /** Images asked about, in their order. */
  readonly asked: number;
  readonly candidates: readonly StartCandidate[];
  readonly halvings: number;
}

export const noStart: StartState = { phase: 'noise', drawn: 0, asked: 0, candidates: [], halvings: 0 };

/** What the search is made from, of the sample at `slot` of its group. */
export interface StartTask {
  readonly group: SampleGroup;
  readonly slot: number;
  readonly protocol: Protocol;
  /** Queries of this sample in all. Noise takes half of them at most, and the choice among several starts a tenth. */
  readonly budget: number;
  /** Keys of a batch of noise: a function of the sample's index. */
  readonly seeds: (batch: number) => readonly [number, number];
  /** Images of the evaluation set by index, in the order in which to ask about them. */
  readonly others: () => Uint32Array;
  readonly input: (index: number) => Float32Array;
}

/** Noisy points, or images, that the model is asked about at a time. */
const BATCH = 50;

/**
 * Searches starts for one sample, and yields the state after each batch of queries. Begun again with any of these states it goes on
 * to the same starts. All queries are counted. Where the model gives NaN the sample is broken, and what comes back means nothing.
 *
 * @returns the starts, the nearest first; or why there is none
 */
export function* seekStarts(
  task: StartTask,
  from: StartState,
): Generator<StartState, readonly StartPoint[] | 'never-flipped' | 'out-of-queries'> {
  const { group, slot, budget } = task;
  const literal = task.protocol === 'authors';
  const x = group.original(slot);
  const d = x.length;
  let state = from;
  let others: Uint32Array | undefined;

  const left = (part: number): number => Math.floor(part * budget) - group.queries[slot]!;
  /** Those of n points in `rows` that change the class. */
  const flipped = (start: StartPoint['start'], rows: Float32Array, indices: ArrayLike<number>): StartCandidate[] => {
    const found = group.classesFor(slot, rows, indices.length);
    return Array.from(found, (label, k) => ({ start, at: indices[k]!, label, left: 0, right: 1 })).filter(
      ({ label }) => label !== group.predicted[slot],
    );
  };

  while (state.phase === 'noise') {
    const { drawn } = state;
    const n = Math.min(BATCH, schedule.draws - drawn, left(literal ? 1 : 0.5));
    if (n <= 0 || state.candidates.length > 0) {
      state = { ...state, phase: 'images' };
      break;
    }
    const rows = noisyPoints(task, drawn / BATCH).subarray(0, n * d);
    const hits = flipped(
      'noise',
      rows,
      Array.from({ length: n }, (_, k) => drawn + k),
    );
    state = { ...state, drawn: drawn + n, candidates: literal ? hits.slice(0, 1) : hits };
    yield state;
  }

  while (state.phase === 'images') {
    const { asked, candidates } = state;
    const images = candidates.filter(({ start }) => start === 'image').length;
    const enough = literal ? candidates.length > 0 : images >= schedule.images;
    const n = enough ? 0 : Math.min(literal ? 1 : BATCH, left(candidates.length > 0 ? 0.1 : 1));
    if (n > 0) others ??= task.others();
    const next = others?.subarray(asked, asked + Math.max(n, 0)) ?? new Uint32Array(0);
    if (next.length === 0) {
      if (candidates.length === 0) return n > 0 ? 'never-flipped' : 'out-of-queries';
      state = { ...state, phase: 'choose' };
      break;
    }
    const rows = new Float32Array(next.length * d);
    next.forEach((index, k) => {
      rows.set(task.input(index), k * d);
    });
    const more = flipped('image', rows, next).slice(0, schedule.images - images);
    state = { ...state, asked: asked + next.length, candidates: [...candidates, ...more] };
    yield state;
  }

  const points = state.candidates.map((candidate) => startPoint(task, candidate));
  const lengths = points.map((point) => distance(x, point));
  for (;;) {
    const { candidates, halvings } = state;
    const { best, open } = standings(candidates, lengths);
    const settled = open.every((k) => best.includes(k));
    if (literal || settled || halvings === schedule.choosing || left(0.1) < open.length) {
      return best.map((k) => ({ start: candidates[k]!.start, at: candidates[k]!.at }));
    }
    const rows = new Float32Array(open.length * d);
    open.forEach((k, row) => {
      const t = middle(candidates[k]!);
      for (let i = 0; i < d; i++) rows[row * d + i] = (1 - t) * x[i]! + t * points[k]![i]!;
    });
    const found = group.classesFor(slot, rows, open.length);
    const halved = [...candidates];
    open.forEach((k, row) => {
      const one = candidates[k]!;
      const label = found[row]!;
      halved[k] =
        label === group.predicted[slot] ? { ...one, left: middle(one) } : { ...one, label, right: middle(one) };
    });
    state = { ...state, halvings: halvings + 1, candidates: halved };
    yield state;
  }
}

const middle = ({ left, right }: StartCandidate): number => (left + right) / 2;

/**
 * The candidate of each class whose adversarial end is nearest, of at most `schedule.starts` classes, nearest first; and the candidates
 * whose boundary may still turn out nearer.
 */
function standings(
  candidates: readonly StartCandidate[],
  lengths: readonly number[],
): { readonly best: number[]; readonly open: number[] } {
  const far = candidates.map(({ right }, k) => right * lengths[k]!);
  const order = [...candidates.keys()].sort((a, b) => far[a]! - far[b]! || a - b);
  const ofClass = new Map<number, number>();
  for (const k of order) if (!ofClass.has(candidates[k]!.label)) ofClass.set(candidates[k]!.label, k);
  const best = [...ofClass.values()].slice(0, schedule.starts);
  const most = ofClass.size > schedule.starts ? far[best.at(-1)!]! : Number.POSITIVE_INFINITY;
  const open = order.filter((k) => {
    const near = candidates[k]!.left * lengths[k]!;
    const rival = ofClass.get(candidates[k]!.label)!;
    return near < most && (k === rival || near < far[rival]!);
  });
  return { best, open };
}

/** The point of that place, in units of the model's input. */
export function startPoint(
  task: Pick<StartTask, 'group' | 'slot' | 'seeds' | 'input'>,
  origin: StartPoint,
): Float32Array {
  if (origin.start === 'image') return task.input(origin.at);
  const { d } = task.group;
  const row = origin.at % BATCH;
  return noisyPoints(task, Math.floor(origin.at / BATCH)).slice(row * d, (row + 1) * d);
}

/** x + N(0, 0.5²), clipped to the box: the points of one batch, [BATCH, d]. */
function noisyPoints(task: Pick<StartTask, 'group' | 'slot' | 'seeds'>, batch: number): Float32Array {
  const x = task.group.original(task.slot);
  const noisy = tf.tidy(() => {
    const noise = tf.mul(statelessNormal([BATCH, x.length], task.seeds(batch)), schedule.startDeviation);
    return task.group.task.box.clip(tf.add(noise, tf.tensor1d(x)));
  });
  const rows = noisy.dataSync() as Float32Array; // not inside: `tidy` looks at every number of what it returns
  noisy.dispose();
  return rows;
}
