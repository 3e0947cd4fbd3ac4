export { blurAlong, blurDown } from './blur';
export { blendGray, lookUpBytes, lookUpFloats, sumGray, turnHue } from './color';
export { enlargeAcross, mirrorRows, resampleAcross, resampleDown } from './resample';
