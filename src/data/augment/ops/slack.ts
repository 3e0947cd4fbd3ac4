/** What float32 loses below a whole number and then rounds up to it: torchvision multiplies in float32, then rounds down. */
export const SLACK = 2 ** -18;
