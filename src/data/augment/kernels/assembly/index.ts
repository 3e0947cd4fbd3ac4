export { blurAlong, blurDown } from './blur';
export { blendGray, sumGray } from './gray';
export { turnHue } from './hue';
export { lookUpBytes, lookUpFloats } from './look-up';
export { mirrorRows } from './mirror';
export { enlargeAcross, resampleAcross, resampleDown } from './resample';
