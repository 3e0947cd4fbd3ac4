import { loadTensorFlow, tf } from '../../src/learn/device/tf.js';
import { crossEntropy } from '../../src/learn/loss/crossEntropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { sgd } from '../../src/learn/optimiser/sgd.js';
import { trainStage } from '../../src/learn/train.js';
await loadTensorFlow();
const be: any = tf.backend(); { const real = be.binding; be.binding = Object.fromEntries(Object.getOwnPropertyNames(real).map((k) => [k, typeof real[k] === "function" ? real[k].bind(real) : real[k]])); }
const model = mlp([784, 2000, 10]);
const stage = trainStage(model, { loss: crossEntropy(), optimiser: sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 }), seed: 0 });
const values = new Float32Array(1024 * 784).map((_, i) => ((i * 7919) % 1000) / 1000), labels = new Uint8Array(1024).map((_, i) => i % 10);
const batch: any = { values, labels, position: 1, epoch: 1, remaining: 5, endsEpoch: false, sampleShape: [784] };
let state: any = stage.start();
for (let i = 0; i < 3; i++) [state] = stage.next(state, batch) as any;
const sums = new Map<string, number>(); const faults = new Map<string, number>();
const names = ['executeOp', 'createTensor', 'deleteTensor', 'tensorDataSync'];
for (const n of names) { const f = be.binding[n]; be.binding[n] = (...a: any[]) => { const t = performance.now(); const u=process.resourceUsage().minorPageFault; const r = f.apply(be.binding, a); const k = n === 'executeOp' ? a[0] + ' ' + JSON.stringify(r[0].shape) : n; sums.set(k, (sums.get(k) ?? 0) + performance.now() - t); faults.set(k,(faults.get(k)??0)+process.resourceUsage().minorPageFault-u); return r; }; }
const N = 20; const t = performance.now();
for (let i = 0; i < N; i++) [state] = stage.next(state, batch) as any;
const total = (performance.now() - t) / N;
let s = 0; for (const [k, v] of [...sums].sort((a, b) => b[1] - a[1])) { s += v / N; if (v / N > 0.02) console.log((v / N).toFixed(2), k, 'faults', faults.get(k)!/N); }
console.log('sum', s.toFixed(1), 'step', total.toFixed(1));
