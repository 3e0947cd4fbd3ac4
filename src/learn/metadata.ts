import { type Labels, labelMapping, mappedLabels, unknownClass } from '../data/sample-check.js';
import { WeirError } from '../flow/errors.js';
import { type ClassNames, classesOf, type Header, type NormalizedBy } from '../flow/header.js';
import { noticeOnce } from '../flow/terminal.js';
import type { Architecture, Model } from './model/model.js';

/** What the tensors of a trained network do not say of it; snapshots hold it beside the weights. */
export type NetworkMetadata = {
  readonly architecture?: Architecture;
  /** The class of each output; undefined where it was trained without labels. */
  readonly classes?: ClassNames;
  /** The mean and deviation that its inputs were normalized by in training. */
  readonly normalization?: NormalizedBy;
};

/** The classes of a network and its samples brought together, from the headers of the batches before the first one comes. */
export interface MatchedClasses {
  readonly metadata: NetworkMetadata;
  /** Headers of the updates. */
  readonly headers: readonly Header[];
  /** The labels of a batch in the numbering of the network. */
  readonly labels: (labels: Labels) => Labels;
}

const unchanged = (labels: Labels): Labels => labels;

/**
 * Maps the classes of the samples to those of the network, by name. The network's own are those it was trained with before, in this
 * run or in the one that its weights are from; without such, the samples'.
 *
 * @param before the metadata of a snapshot; undefined at the start
 * @param labeled whether the loss reads labels at all
 * @throws {WeirError} for a class that the network has no output for
 */
export function matchClasses(
  stage: string,
  model: Pick<Model, 'name' | 'classes' | 'architecture' | 'pretrainedClasses'>,
  incoming: readonly Header[],
  { before, labeled }: { readonly before: NetworkMetadata | undefined; readonly labeled: boolean },
): MatchedClasses {
  const normalization = incoming.length === 1 ? incoming[0]!.normalization : undefined;
  const { architecture } = model;
  const rest = { ...(architecture && { architecture }), ...(normalization && { normalization }) };
  const without = normalization === undefined ? [] : [{ normalization }];
  const pretrained = model.pretrainedClasses?.(normalization);
  if (!labeled) return { metadata: rest, headers: without, labels: unchanged };
  const theirs = classesOf(stage, incoming);
  const own = before?.classes ?? pretrained ?? theirs;
  if (own === undefined) return { metadata: rest, headers: without, labels: unchanged };
  if (own.names.length > model.classes) {
    throw new WeirError(
      `'${own.of}' has ${own.names.length} classes, but ${model.name} has ${model.classes} outputs`,
      `give the model an output for each class: classes: ${own.names.length}; where an operator has made other labels, say which: labeled([…])`,
    );
  }
  if (theirs === undefined) {
    noticeOnce(
      `stage '${stage}': the classes of its samples have no names, so labels go by their place among ${own.names.join(', ')}`,
    );
  }
  const mapping = theirs && labelMapping(theirs, own);
  const unknown = mapping?.indexOf(-1) ?? -1;
  if (unknown !== -1) {
    throw unknownClass(
      theirs!,
      own,
      unknown,
      "its weights have no output for that class: rename or remove it, or begin the readout anew: fresh: ['readout']",
    );
  }
  const metadata = { ...rest, classes: own };
  return {
    metadata,
    headers: [{ classes: own, ...(normalization && { normalization }) }],
    labels: mapping === undefined ? unchanged : (labels) => mappedLabels(labels, theirs!, own, ''),
  };
}

/** Keys of an architecture that change the outputs of a network although every tensor has its shape. */
const decisive = ['padding', 'activation', 'scale', 'shortcut', 'layers'] as const;

/** Metadata as the `__metadata__` of a safetensors file: text by key, lists as JSON. */
export function toMetadata({ architecture, classes, normalization }: NetworkMetadata): Record<string, string> {
  return {
    ...architecture,
    ...(classes && { classes: JSON.stringify(classes.names) }),
    ...(normalization && { normalization: JSON.stringify(normalization) }),
  };
}

/**
 * Metadata from a safetensors file; empty where Weir did not write the file, for the same keys may mean something else there.
 *
 * @throws {WeirError} where Weir wrote it and it cannot be read
 */
export function fromMetadata(file: string, metadata: Readonly<Record<string, string>>): NetworkMetadata {
  const { weir, classes, normalization, ...rest } = metadata;
  if (weir === undefined) return {};
  const list = (key: string, text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new WeirError(`${file} has '${key}' in its __metadata__ that is no JSON`, 'export it again', { cause });
    }
  };
  return {
    architecture: rest,
    ...(classes !== undefined && { classes: { of: file, names: list('classes', classes) as string[] } }),
    ...(normalization !== undefined && {
      normalization: list('normalization', normalization) as NonNullable<NetworkMetadata['normalization']>,
    }),
  };
}

/**
 * Refuses weights of a network whose outputs differ from the model's for the same input.
 *
 * @param shown the name of the weights in messages
 * @throws {WeirError} naming the keys that differ
 */
export function checkArchitecture(
  shown: string,
  theirs: Architecture,
  { name, architecture = {} }: Pick<Model, 'name' | 'architecture'>,
): void {
  const odd = decisive.filter((key) => (theirs[key] ?? architecture[key]) !== (architecture[key] ?? theirs[key]));
  if (odd.length === 0) return;
  const listed = (of: Architecture): string => odd.map((key) => `${key} '${of[key]}'`).join(' and ');
  const key = odd.includes('padding') ? ` (in the pipelines --set padding=${theirs.padding})` : '';
  throw new WeirError(
    `the weights of ${shown} are of a network with ${listed(theirs)}, but ${name} has ${listed(architecture)}`,
    `make the model with ${odd.map((key) => `${key}: '${theirs[key]}'`).join(', ')}${key}, or take weights of such a network`,
  );
}

/**
 * The assumptions about weights whose metadata leaves a key out, as a line for the user; undefined where none is left out.
 *
 * @throws {WeirError} where padding is left out, and the model was not given one either
 */
export function assumptions(
  shown: string,
  { architecture: theirs = {}, normalization }: NetworkMetadata,
  { name, architecture = {}, assumed = [] }: Pick<Model, 'name' | 'architecture' | 'assumed'>,
): string | undefined {
  const unsaid = decisive.filter((key) => architecture[key] !== undefined && theirs[key] === undefined);
  if (unsaid.includes('padding') && assumed.includes('padding')) {
    throw new WeirError(
      `${shown} does not say what its network sees beyond the edge of an image, and ${name} was not told either`,
      "say it: padding 'zero' for weights of torchvision and most others, 'circular' for the paper's: resnet({ padding: 'zero', … }), or in the pipelines --set padding=zero",
    );
  }
  if (unsaid.length === 0) return undefined;
  const listed = unsaid.map((key) => `${key} ${architecture[key]}`).join(', ');
  const inputs = normalization === undefined ? '; nor what its inputs were normalized with' : '';
  return `${shown} says nothing of its ${unsaid.join(', ')}: taken to be ${listed}, as ${name} has it${inputs}`;
}
