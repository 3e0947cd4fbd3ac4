import * as weir from 'weir-engine';
import { claimsBesideBaselines } from './shared/baseline-claims.js';
import { claims, notJudged } from './shared/claims.js';

/**
 * A verdict on each claim of the paper. `weir reproduce verdicts` runs what is here, job by job, and writes one page; the same command goes
 * on after a stop.
 *
 * The scale is for 2 cores: XOR as in the paper; MNIST as in its section E.1, with 784 hidden units, and fewer digits under the Tangent Attack;
 * ResNets narrow and trained for short. `--set profile=paper` has the paper's protocol throughout, `--set profile=quick` ends within minutes.
 *
 * Data are folders: `--set mnist=DIR --set cifar10=DIR --set pretraining=DIR --set photographs=DIR`, and the
 * paper's own photographs by `dogs=DIR`, `flowers=DIR`, `indoor=DIR`. Claims on data that are not given are not run; the page says what
 * they would cost.
 */

const digits = ['hidden=784', 'attacked=100', 'whitebox=1000'];

/** Strengths of the baselines: those with the accuracy of rep-spectral on a tenth of the training images, at seed 100. */
const baselines = [
  'regularizers=none,ll-spectral,readout-spectral,rep-spectral,weight-decay,unit-spectral',
  'gammas={"weight-decay":0.00005,"unit-spectral":0.000004}',
];

const adversarial = ['regularizers=adversarial-training', 'adversarySteps=3'];

/** A ResNet-18 of 16 channels on 10,000 images, trained for a thirtieth of the paper's work. */
const narrow = ['width=16', 'images=10000', 'testImages=5000', 'attacked=12', 'whitebox=200'];
const paperCifar = ['attacked=1000'];

/** One run of `cifar10-resnet18 --set profile=quick`, all four methods: assumed until it is measured on a quiet machine. */
const resnetQuick = { measured: 150, by: 'a quick run of cifar10-resnet18, assumed', gpu: 20 };

/** A ResNet-18 of images of 64 pixels, pretrained and fine-tuned. */
const small = ['depth=18', 'stem=cifar', 'width=16', 'size=64'];
const fineTuned = [...small, 'epochs=20', 'rate=0.005', 'readoutRate=0.02', 'attacked=12', 'whitebox=100'];

const onPhotographs = (name: string, data: string): weir.Experiment => ({
  pipeline: 'finetune-folder',
  title: `those networks fine-tuned on ${name}`,
  seeds: 3,
  set: fineTuned,
  data: { data },
  after: 'pretraining',
  cost: { ...resnetQuick, factor: 60, paper: 1_000_000 },
});

export default weir.study({
  name: 'verdicts',
  title: 'Spectral regularization up to feature space: a verdict on each claim',

  data: {
    mnist: { describe: "folder with MNIST's four files, or 'embedded': 10,000 real digits", default: 'embedded' },
    cifar10: { describe: "folder with CIFAR-10's binary files" },
    pretraining: { describe: 'folder of images with train/ and val/, in each a folder a class, to pretrain on' },
    photographs: { describe: 'folder of photographs to fine-tune on, with its official lists or train/ and val/' },
    dogs: { describe: 'folder of Stanford Dogs with its official lists' },
    flowers: { describe: 'folder of Oxford Flowers with its official lists' },
    indoor: { describe: 'folder of MIT Indoor with its official lists' },
  },

  experiments: {
    xor: {
      pipeline: 'xor',
      title: 'XOR, 2-8-2, four methods at once',
      seeds: 10,
      together: true,
      settings: {
        clean: [],
        'clean, decay 1e-4': ['decay=1e-4'],
        noisy: ['noisy=true'],
        'noisy, decay 1e-4': ['noisy=true', 'decay=1e-4'],
      },
      cost: { measured: 75, by: 'a run of xor, measured', factor: 1, paper: 1, gpu: 1 },
    },
    'xor-gamma': {
      pipeline: 'xor',
      title: 'clean XOR at other strengths of the regularizer',
      seeds: 10,
      together: true,
      settings: { 'γ = 1e-5': ['gamma=1e-5'], 'γ = 1e-3': ['gamma=1e-3'], 'γ = 1e-2': ['gamma=1e-2'] },
      cost: { measured: 75, by: 'a run of xor, measured', factor: 1, paper: 1, gpu: 1 },
    },
    mnist: {
      pipeline: 'mnist',
      title: 'MNIST, 784 hidden units as in section E.1, four methods and two baselines',
      seeds: 10,
      set: [...digits, 'lowerBound=crown', ...baselines],
      data: { data: 'mnist' },
      cost: { measured: 20, by: 'a quick run of mnist, assumed', factor: 60, paper: 150, gpu: 10 },
    },
    'mnist-adversarial': {
      pipeline: 'mnist',
      title: 'the same by adversarial training',
      seeds: 3,
      set: [...digits, 'lowerBound=crown', ...adversarial],
      data: { data: 'mnist' },
      cost: { measured: 20, by: 'a quick run of mnist, assumed', factor: 120, paper: 300, gpu: 10 },
    },
    'mnist-readout': {
      pipeline: 'mnist-readout',
      title: "readout of those networks fitted anew, by scikit-learn's default",
      seeds: 10,
      set: digits,
      data: { data: 'mnist' },
      after: 'mnist',
      cost: { measured: 20, by: 'a quick run of mnist, assumed', factor: 20, paper: 110, gpu: 10 },
    },
    'mnist-readout-converged': {
      pipeline: 'mnist-readout',
      title: 'the same readout, fitted until it converges',
      seeds: 10,
      set: [...digits, 'readoutFit=converged'],
      data: { data: 'mnist' },
      after: 'mnist',
      cost: { measured: 20, by: 'a quick run of mnist, assumed', factor: 40, paper: 130, gpu: 10 },
    },
    resnet18: {
      pipeline: 'cifar10-resnet18',
      title: 'ResNet-18 on CIFAR-10, four methods',
      seeds: 5,
      set: [...narrow, 'epochs=20', 'burnIn=16', 'batchSize=128', 'rate=0.05'],
      data: { data: 'cifar10' },
      cost: { ...resnetQuick, factor: 14, paper: 30_000 },
    },
    barlow: {
      pipeline: 'cifar10-barlow',
      title: 'Barlow Twins on CIFAR-10, a readout on frozen features',
      seeds: 3,
      set: [...narrow, 'epochs=30', 'burnIn=22', 'batchSize=256', 'rate=0.05', 'testEvery=30', 'readoutFit=converged'],
      data: { data: 'cifar10' },
      cost: { ...resnetQuick, factor: 20, paper: 150_000 },
    },
    simclr: {
      pipeline: 'cifar10-simclr',
      title: 'SimCLR on CIFAR-10, a readout on frozen features',
      seeds: 3,
      set: [...narrow, 'epochs=30', 'burnIn=22', 'batchSize=256', 'rate=0.05', 'testEvery=30', 'readoutFit=converged'],
      data: { data: 'cifar10' },
      cost: { ...resnetQuick, factor: 20, paper: 150_000 },
    },
    pretraining: {
      pipeline: 'imagenet-pretrain',
      title: 'pretraining with labels, with and without rep-spectral',
      seeds: 3,
      set: [...small, 'epochs=20', 'batchSize=64', 'rate=0.05', 'decayEvery=8', 'burnIn=13', 'tickEvery=10'],
      data: { imagenet: 'pretraining' },
      cost: { ...resnetQuick, factor: 30, paper: 20_000_000 },
    },
    'finetune-cifar10': {
      pipeline: 'finetune-cifar10',
      title: 'those networks fine-tuned on CIFAR-10',
      seeds: 3,
      set: [...fineTuned, 'images=5000', 'testImages=2000', 'seeds=1'],
      data: { data: 'cifar10' },
      after: 'pretraining',
      cost: { ...resnetQuick, factor: 60, paper: 1_000_000 },
    },
    'finetune-photographs': {
      pipeline: 'finetune-folder',
      title: 'those networks fine-tuned on photographs',
      seeds: 3,
      set: [...fineTuned, 'testSplit=val'],
      data: { data: 'photographs' },
      after: 'pretraining',
      cost: { ...resnetQuick, factor: 20, paper: 1_000_000 },
    },
    'finetune-dogs': onPhotographs('Stanford Dogs', 'dogs'),
    'finetune-flowers': onPhotographs('Oxford Flowers', 'flowers'),
    'finetune-indoor': onPhotographs('MIT Indoor', 'indoor'),
    alignment: {
      pipeline: 'alignment',
      title: 'last layer on features of a simplex',
      seeds: 5,
      together: true,
      cost: { measured: 20, by: 'a run of alignment, assumed', factor: 1, paper: 1, gpu: 1 },
    },
    tracking: {
      pipeline: 'tracking',
      title: 'θ and ‖Φ(x)‖ of single samples over a training',
      seeds: 5,
      data: { data: 'mnist' },
      cost: { measured: 60, by: 'a run of tracking, assumed', factor: 1, paper: 1, gpu: 3 },
    },
    'appendix-b': {
      pipeline: 'appendix-b',
      title: 'how often directions are refreshed, and at which image size',
      seeds: 3,
      settings: { 'rate 0.05': ['rate=0.05', 'batchSize=128'], 'rate 0.01': ['rate=0.01', 'batchSize=1024'] },
      set: [...narrow, 'epochs=20', 'burnIn=12'],
      data: { data: 'cifar10' },
      cost: { ...resnetQuick, factor: 24, paper: 50_000 },
    },
  },

  protocol: 'paper',
  profiles: {
    quick: { xor: { seeds: 3, settings: ['clean'], set: ['epochs=3000', 'burnIn=2000', 'iterations=5'] } },
    paper: {
      xor: {},
      'xor-gamma': {},
      mnist: { set: ['attacked=1000', 'whitebox=1000', 'lowerBound=crown', ...baselines] },
      'mnist-adversarial': { set: ['attacked=1000', 'whitebox=1000', 'lowerBound=crown', ...adversarial] },
      'mnist-readout': { set: ['attacked=1000'] },
      'mnist-readout-converged': { set: ['attacked=1000', 'readoutFit=converged'] },
      resnet18: { seeds: 10, set: [...paperCifar, 'whitebox=1000'] },
      barlow: { seeds: 10, set: paperCifar },
      simclr: { seeds: 10, set: paperCifar },
      pretraining: { seeds: 1, set: [] },
      'finetune-cifar10': { seeds: 10, set: [] },
      'finetune-photographs': { seeds: 5, set: [] },
      'finetune-dogs': { seeds: 5, set: [] },
      'finetune-flowers': { seeds: 5, set: ['profile=flowers'] },
      'finetune-indoor': { seeds: 5, set: ['profile=indoor'] },
      alignment: {},
      tracking: { seeds: 10 },
      'appendix-b': { seeds: 10, set: paperCifar },
    },
  },

  claims: [...claims, ...claimsBesideBaselines],
  notJudged,
});
