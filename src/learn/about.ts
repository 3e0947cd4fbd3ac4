import { labelsAmong, placesAmong, unknownClass } from '../data/core-class-names.js';
import type { Labels } from '../data/labels.js';
import { WeirError } from '../flow/errors.js';
import type { ClassNames } from '../flow/header.js';
import { classesOf, type Header, type NormalizedBy } from '../flow/header.js';
import { tellOnce } from '../flow/tell.js';
import type { Architecture, Model } from './model/model-model.js';

/** What no tensor of a trained network says; snapshots hold it beside the weights. */
export type NetworkMetadata = {
  readonly architecture?: Architecture;
  /** Of its outputs, by place; none where it was trained without labels. */
  readonly classes?: ClassNames;
  /** What its inputs were normalized with in training. */
  readonly normalization?: NormalizedBy;
};

/** What a training step learns from the headers of its batches before the first one comes. */
export interface Taught {
  readonly about: NetworkMetadata;
  /** Of what it hands on. */
  readonly headers: readonly Header[];
  /** A batch's labels as the network counts them. */
  readonly labels: (labels: Labels) => Labels;
}

const untaught = (labels: Labels): Labels => labels;

/**
 * Brings the classes of the samples to those of the network, by name: the network's own are those that it was trained with before, in
 * this run or in the one that its weights are from; else the samples'.
 *
 * @param before what a snapshot says of the network; none at the start
 * @param labeled whether the loss reads labels at all @throws {WeirError} for a class that the network has no output for
 */
export function taught(
  stage: string,
  model: Pick<Model, 'name' | 'classes' | 'architecture' | 'takenUp'>,
  incoming: readonly Header[],
  { before, labeled }: { readonly before: NetworkMetadata | undefined; readonly labeled: boolean },
): Taught {
  const normalization = incoming.length === 1 ? incoming[0]!.normalization : undefined;
  const { architecture } = model;
  const rest = { ...(architecture && { architecture }), ...(normalization && { normalization }) };
  const without = normalization === undefined ? [] : [{ normalization }];
  const pretrained = model.takenUp?.(normalization);
  if (!labeled) return { about: rest, headers: without, labels: untaught };
  const theirs = classesOf(stage, incoming);
  const own = before?.classes ?? pretrained ?? theirs;
  if (own === undefined) return { about: rest, headers: without, labels: untaught };
  if (own.names.length > model.classes) {
    throw new WeirError(
      `'${own.of}' has ${own.names.length} classes, but ${model.name} has ${model.classes} outputs`,
      `give the model an output for each class: classes: ${own.names.length}; where an operator has made other labels, say which: labeled([…])`,
    );
  }
  if (theirs === undefined) {
    tellOnce(
      `stage '${stage}': the classes of its samples have no names, so labels go by their place among ${own.names.join(', ')}`,
    );
  }
  const places = theirs && placesAmong(theirs, own);
  const unknown = places?.indexOf(-1) ?? -1;
  if (unknown !== -1) {
    throw unknownClass(
      theirs!,
      own,
      unknown,
      "its weights have no output for that class: rename or remove it, or begin the readout anew: fresh: ['readout']",
    );
  }
  const about = { ...rest, classes: own };
  return {
    about,
    headers: [{ classes: own, ...(normalization && { normalization }) }],
    labels: places === undefined ? untaught : (labels) => labelsAmong(labels, theirs!, own, ''),
  };
}
