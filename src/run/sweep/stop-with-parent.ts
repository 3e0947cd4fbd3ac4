export { stopWithParent } from '../stop-with-parent.js';
