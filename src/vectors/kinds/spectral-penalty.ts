import type { DenseLayer, Model } from '../../learn/model/model-model.js';
import { spectralRegularizer as build, type SpectralKind } from '../../learn/regularizer/penalty.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, upload, type VectorKind } from './kind.js';

/** γ/2 · Σ σ² over the layers that the regularizer takes, and its gradient (paper, equations 5 and 6). */
export const spectralPenalty: VectorKind = {
  kind: 'spectral-penalty',
  compute(input) {
    let made: ReturnType<typeof converged> | undefined;
    const once = () => {
      made ??= converged(input);
      return made;
    };
    return { value: () => once().value, gradients: () => once().gradients };
  },
};

/** With the exact directions: those of power iteration are its business, see power-iteration-trace. */
function converged(input: Fields): { value: number; gradients: Float32Array[] } {
  const layers = input.tensors('kernels').map((_, i): DenseLayer => ({ kind: 'dense', name: `${i}`, kernel: `${i}` }));
  const weights = new Map(input.tensors('kernels').map((kernel, i) => [`${i}`, upload(kernel)]));
  const model = { featureLayers: layers.slice(0, -1), readout: layers.at(-1)! } as Partial<Model> as Model;
  const penalty = build(input.text('regulariser') as SpectralKind, model, {
    gamma: input.number('gamma'),
    directions: 'exact',
  });
  try {
    penalty.ticked = true;
    penalty.newest = penalty.begin(weights);
    const gradients = new Map([...weights].map(([name, kernel]) => [name, tf.zerosLike(kernel)]));
    penalty.addGradients({ weights }, gradients);
    return { value: penalty.value({ weights }), gradients: [...gradients.values()].map(taken) };
  } finally {
    tf.dispose([...weights.values()]);
  }
}
