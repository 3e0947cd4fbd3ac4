import { lifted, stage } from '../flow/stage.js';
import { accuracy as accuracyStage, memberAccuracy as memberAccuracyStage } from './accuracy/accuracy.js';
import { alignment as alignmentStage } from './alignment/alignment.js';
import { tangentAttack as tangentAttackStage } from './attack/tangent-attack.js';
import { certificate as certificateStage } from './certificate/certificate.js';
import { exactDistances as exactDistancesStage } from './geometry/exact-distances.js';
import { geometryGrid as geometryGridStage, geometryPlane as geometryPlaneStage } from './geometry/geometry.js';
import { eachMember as eachMemberStage } from './member.js';
import { onlineReadout as onlineReadoutStage } from './readout/online-readout.js';
import { readout as readoutStage } from './readout/readout.js';
import { tracking as trackingStage } from './tracking/tracking.js';

/** `accuracy` of `accuracy.ts` as an operator. */
export const accuracy = lifted(accuracyStage);

/** `tangentAttack` of `attack/tangent-attack.ts` as an operator. */
export const tangentAttack = lifted(tangentAttackStage);

/** `certificate` of `certificate/certificate.ts` as an operator. */
export const certificate = lifted(certificateStage);

/** `geometryGrid` of `geometry/geometry-grid.ts` as an operator. */
export const geometryGrid = lifted(geometryGridStage);

/** `geometryPlane` of `geometry/geometry-plane.ts` as an operator. */
export const geometryPlane = lifted(geometryPlaneStage);

/** `exactDistances` of `geometry/exact-distances.ts` as an operator. */
export const exactDistances = lifted(exactDistancesStage);

/** `eachMember` of `member.ts` as an operator. */
export const eachMember = <Out extends object, State>(...options: Parameters<typeof eachMemberStage<Out, State>>) =>
  stage(eachMemberStage(...options));

/** `memberAccuracy` of `member-accuracy.ts` as an operator. */
export const memberAccuracy = lifted(memberAccuracyStage);

/** `readout` of `readout/readout.ts` as an operator. */
export const readout = lifted(readoutStage);

/** `onlineReadout` of `readout/online-readout.ts` as an operator. */
export const onlineReadout = lifted(onlineReadoutStage);

/** `tracking` of `tracking.ts` as an operator. */
export const tracking = lifted(trackingStage);

/** `alignment` of `alignment.ts` as an operator. */
export const alignment = lifted(alignmentStage);
