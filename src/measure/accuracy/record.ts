import { quantity, record } from '../../storage/record.js';

/** The record of a test. */
export const accuracyRecord = record({
  name: 'accuracy',
  role: 'test',
  fields: {
    accuracy: quantity({ unit: 'fraction', better: 'higher', headline: true }),
    loss: quantity({ scale: 'log', better: 'lower' }),
  },
});
