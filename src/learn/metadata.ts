import { type Labels, labelMapping, mappedLabels, unknownClass } from '../data/class-names.js';
import { WeirError } from '../flow/errors.js';
import { type ClassNames, classesOf, type Header, type NormalizedBy } from '../flow/header.js';
import { noticeOnce } from '../flow/terminal.js';
import type { Architecture, Model } from './model/model.js';

/** What no tensor of a trained network says; snapshots hold it beside the weights. */
export type NetworkMetadata = {
  readonly architecture?: Architecture;
  /** Of its outputs, by place; none where it was trained without labels. */
  readonly classes?: ClassNames;
  /** What its inputs were normalized with in training. */
  readonly normalization?: NormalizedBy;
};

/** What a training step learns from the headers of its batches before the first one comes. */
export interface MatchedClasses {
  readonly metadata: NetworkMetadata;
  /** Of what it hands on. */
  readonly headers: readonly Header[];
  /** A batch's labels as the network counts them. */
  readonly labels: (labels: Labels) => Labels;
}

const unchanged = (labels: Labels): Labels => labels;

/**
 * Brings the classes of the samples to those of the network, by name: the network's own are those that it was trained with before, in
 * this run or in the one that its weights are from; else the samples'.
 *
 * @param before what a snapshot says of the network; none at the start
 * @param labeled whether the loss reads labels at all @throws {WeirError} for a class that the network has no output for
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
  const places = theirs && labelMapping(theirs, own);
  const unknown = places?.indexOf(-1) ?? -1;
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
    labels: places === undefined ? unchanged : (labels) => mappedLabels(labels, theirs!, own, ''),
  };
}

/** Keys of an architecture that change what a network makes of an input though every tensor fits. */
const decisive = ['padding', 'activation', 'scale', 'shortcut'] as const;

/** What no tensor of a network says, as the `__metadata__` of a safetensors file: text by key, lists as JSON. */
export function toMetadata({ architecture, classes, normalization }: NetworkMetadata): Record<string, string> {
  return {
    ...architecture,
    ...(classes && { classes: JSON.stringify(classes.names) }),
    ...(normalization && { normalization: JSON.stringify(normalization) }),
  };
}

/**
 * What a file says of its network; nothing where it is not of Weir, for the same keys may mean something else there.
 *
 * @throws {WeirError} where it is of Weir and cannot be read
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
 * Refuses weights of a network that would make something else of the same input than the model does.
 *
 * @param shown how messages call the weights @throws {WeirError} naming what differs
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
 * What of a model is assumed of weights that say nothing of it, as a line for the user; undefined where they say it all.
 *
 * @throws {WeirError} where padding is among it and nobody has said it, neither of the weights nor of the model
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
