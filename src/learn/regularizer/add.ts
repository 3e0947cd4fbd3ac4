import { tf } from '../../tensorflow/device-tf.js';
import type { Gradients } from '../model/model-model.js';

/** Adds a gradient to those there are and disposes of both summands; where none is kept under its name, it only disposes. */
export function addGradient(gradients: Gradients, name: string, added: tf.Tensor): void {
  const old = gradients.get(name);
  if (old !== undefined) {
    gradients.set(name, tf.add(old, added));
    old.dispose();
  }
  added.dispose();
}

/** The same for several by name. */
export function addGradients(gradients: Gradients, added: Gradients): void {
  for (const [name, gradient] of added) addGradient(gradients, name, gradient);
}
