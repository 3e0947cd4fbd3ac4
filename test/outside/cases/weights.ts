import { readFileSync } from 'node:fs';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';
import { allRight, runPoints as run } from './labels.js';

type Tensors = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** A safetensors file as it stands. */
function parts(file: string): { metadata: Record<string, string>; tensors: Tensors; data: Buffer } {
  const bytes = readFileSync(file);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata = {}, ...tensors } = JSON.parse(bytes.toString('utf8', 8, end));
  return { metadata, tensors, data: bytes.subarray(end) };
}

/** A file of tensors without metadata, as most are. */
function bare(world: World, name: string, tensors: Tensors, data: Buffer): string {
  const header = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return world.write(name, Buffer.concat([length, header, data]));
}

const renamed = (tensors: Tensors, prefix: string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));

/** The same numbers in another type. */
function converted(tensors: Tensors, data: Buffer, dtype: 'BF16' | 'F64'): [Tensors, Buffer] {
  const width = dtype === 'F64' ? 2 : 0.5;
  const floats = new Float32Array(new Uint8Array(data).buffer);
  const bits = new Uint16Array(floats.buffer);
  const values = dtype === 'F64' ? Float64Array.from(floats) : bits.filter((_, i) => i % 2 === 1);
  const moved = Object.entries(tensors).map(([name, one]) => {
    const [from, to] = one.data_offsets.map((at) => at * width) as [number, number];
    return [name, { ...one, dtype, data_offsets: [from, to] }];
  });
  return [Object.fromEntries(moved), Buffer.from(values.buffer)];
}

/** A tiny ResNet on made-up images of one color, a class a color; `start` is a file, or a run, that it begins with. */
const residual = `
const { z } = weir;
const size = 24;
const values = new Uint8Array(new SharedArrayBuffer(size * 192));
for (let i = 0; i < values.length; i++) values[i] = i % 3 === Math.floor(i / 192) % 3 ? 220 : 30;
const labels = new Uint8Array(new SharedArrayBuffer(size)).map((_, i) => i % 3);
const colors = { name: 'colors', size, sampleShape: [8, 8, 3], classes: ['red', 'green', 'blue'], values, labels };
export default weir.pipeline({
  name: 'points',
  config: { start: z.string().default(''), padding: z.enum(['circular', 'zero']).optional(), mean: z.number().default(0.5), epochs: z.int().default(2) },
  wire({ config, seed }) {
    const own = weir.resnet({ depth: 20, width: 4, classes: 3, inputSize: [8, 8], padding: config.padding });
    const model = config.start ? weir.startingFrom(own, config.start) : own;
    const normalize = { mean: [config.mean], std: [0.25] };
    const updates$ = weir.loader(colors, { epochs: config.epochs, seed }).pipe(
      weir.augment([weir.unitScale(), weir.normalize(normalize)], { seed }), weir.batch(8),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.05 }), seed }));
    return { updates$, tests$: updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, colors, { normalize })) };
  },
});`;

export const weights: readonly Case[] = [
  {
    name: 'weights: an exported network into one of another padding; a file that does not say its padding',
    async play(world) {
      const first = await run(world, [], 'first', residual);
      succeeded(first.ended);
      const file = world.path('w.safetensors');
      const exported = succeeded(await world.weir('export', first.run, file));
      warned(exported, /its convolutions pad circularly: modules of torchvision pad with zeros, and give other logits/);
      const { metadata, tensors, data } = parts(file);
      const { padding, activation, shortcut, classes, normalization, architecture, sha256 } = metadata;
      const says = JSON.stringify({ padding, activation, shortcut, classes, normalization, architecture });
      right(
        says ===
          JSON.stringify({
            padding: 'circular',
            activation: 'relu',
            shortcut: 'option-a',
            classes: '["red","green","blue"]',
            normalization: '{"mean":[0.5],"std":[0.25]}',
            architecture: 'resnet20',
          }) && /^[0-9a-f]{64}$/.test(sha256 ?? ''),
        `the file says ${JSON.stringify(metadata)}`,
      );
      refused(
        (await run(world, [`start=${file}`, 'padding=zero'], 'zero', residual)).ended,
        /padding 'circular', but resnet20 cifar width 4 zero has padding 'zero'/,
      );
      const again = await run(world, [`start=${file}`, 'mean=0.4', 'epochs=1'], 'again', residual);
      succeeded(again.ended);
      warned(again.ended, /was trained on inputs normalized by mean 0.5, std 0.25; here it is mean 0.4, std 0.25/);
      const plain = bare(world, 'plain.safetensors', tensors, data);
      refused(
        (await run(world, [`start=${plain}`], 'unsaid', residual)).ended,
        /does not say what its network sees beyond the edge of an image(.|\n)*--set padding=zero/,
      );
      const said = await run(world, [`start=${plain}`, 'padding=circular', 'epochs=1'], 'said', residual);
      succeeded(said.ended);
      warned(said.ended, /says nothing of its padding, activation, shortcut: taken to be padding circular/);
    },
  },
  {
    name: 'weights: one bit turned in an exported file, in tensors and in what is said of them',
    async play(world) {
      const first = await run(world, [], 'first');
      const file = world.path('w.safetensors');
      succeeded(await world.weir('export', first.run, file));
      const whole = readFileSync(file);
      for (const at of [whole.length - 1, whole.length - 100, whole.indexOf('relu'), whole.indexOf('sha256')]) {
        const altered = Buffer.from(whole);
        altered[at]! ^= 1;
        const start = world.write('altered.safetensors', altered);
        refused((await run(world, [`start=${start}`], 'altered')).ended, /was altered|no safetensors file/);
      }
    },
  },
  {
    name: 'weights: doubles, bfloats and the prefix of DataParallel are read as what they are, and said',
    async play(world) {
      const first = await run(world, [], 'first');
      allRight(first, 15);
      const file = world.path('w.safetensors');
      succeeded(await world.weir('export', first.run, file));
      const { tensors, data } = parts(file);
      const count = Object.keys(tensors).length;
      const double = bare(world, 'f64.safetensors', ...converted(tensors, data, 'F64'));
      const found = await run(world, [`start=${double}`, 'epochs=1'], 'double');
      allRight(found, 15);
      warned(found.ended, new RegExp(`f64.safetensors: ${count} of ${count} tensors are F64; read as float32`));
      warned(found.ended, /says nothing of its activation, scale: taken to be activation relu, scale none/);
      const [brief, short] = converted(tensors, data, 'BF16');
      const wrapped = bare(world, 'bf16.safetensors', renamed(brief, 'module.'), short);
      const other = await run(world, [`start=${wrapped}`, 'epochs=1'], 'brief');
      allRight(other, 15);
      warned(other.ended, /tensors are BF16; read as float32/);
      warned(other.ended, /every name begins with 'module\.', which is left out/);
    },
  },
  {
    name: 'weights: what torch.save writes is called that',
    quick: true,
    async play(world) {
      const start = world.write('net.pth', 'PK\x03\x04\0\0\b\b\0\0\0\0net/data.pklFB');
      const { ended } = await run(world, [`start=${start}`]);
      refused(
        ended,
        /it is what torch\.save writes(.|\n)*torch\.load\('.*net\.pth', map_location='cpu', weights_only=True\)/,
      );
    },
  },
  {
    name: 'weights: an exported network whose activation is another than relu',
    async play(world) {
      const module = world.module(
        'gelu.ts',
        `export default weir.pipeline({
          name: 'gelu', config: {},
          wire: ({ seed }) => ({ updates$: weir.loader(weir.xor(), { epochs: 1, seed }).pipe(
            weir.augment([], { seed }), weir.batch(4),
            weir.train(weir.mlp([2, 4, 2]), { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed })) }),
        });`,
      );
      succeeded(await world.weir('run', module, '--run', world.path('gelu')));
      warned(succeeded(await world.weir('export', world.path('gelu'), world.path('w'))), /its activation is gelu/);
    },
  },
];
