import * as weir from 'weir-engine';

interface Path extends weir.Positioned {
  readonly number: number;
  readonly epoch: number;
  readonly length: number;
}

/** The length so far, and the weights at its end. */
type State = { readonly length: number; readonly end: Float32Array };

const record = weir.record({
  name: 'path',
  role: 'measurement',
  fields: { length: weir.quantity({ label: 'length of the path of weights' }) },
});

/** A measurement of one's own: the length of the way that the weights have gone. Its state is in every snapshot. */
export const path = (): weir.Stage<weir.Update, Path, State> => ({
  name: 'path',
  record,
  claims: 'weights',
  start: () => ({ length: 0, end: new Float32Array() }),
  next({ length, end }, { position, number, epoch, weights }) {
    const here = Float32Array.from([...weights.values()].flatMap((tensor) => [...tensor.dataSync()]));
    const further = length + (end.length === 0 ? 0 : Math.hypot(...here.map((value, i) => value - end[i]!)));
    return [
      { length: further, end: here },
      { position, number, epoch, length: further },
    ];
  },
});
