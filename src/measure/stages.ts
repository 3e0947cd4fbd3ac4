/**
 * The measuring stages as values, for `eachMember`; the operators of the same names are these, lifted.
 *
 * @module
 */
export { layerNorms } from '../learn/spectral/layer-norms.js';
export { accuracy } from './accuracy/measure-accuracy.js';
export { tangentAttack } from './attack/attack-tangent-attack.js';
export { certificate } from './certificate/certificate-certificate.js';
export { exactDistances } from './geometry/geometry-exact-distances.js';
export { geometryGrid } from './geometry/geometry-grid.js';
export { geometryPlane } from './geometry/geometry-plane.js';
export { onlineReadout } from './readout/readout-online-readout.js';
export { readout } from './readout/readout-readout.js';
