/**
 * The measuring stages as values, for `eachMember`; the operators of the same names are these, lifted.
 *
 * @module
 */
export { layerNorms } from '../learn/spectral/layer-norms.js';
export { accuracy } from './accuracy/accuracy.js';
export { tangentAttack } from './attack/tangent-attack.js';
export { certificate } from './certificate/certificate.js';
export { exactDistances } from './geometry/exact-distances.js';
export { geometryGrid, geometryPlane } from './geometry/geometry.js';
export { onlineReadout } from './readout/online-readout.js';
export { readout } from './readout/readout.js';
